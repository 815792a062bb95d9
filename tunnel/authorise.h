/* SPDX-License-Identifier: MIT */
/*
 * authorise.h - may this peer pass? The one place where that is decided.
 *
 * In a full handshake GnuTLS's verify callback asks, before a connecting end has shown its own
 * certificate; GnuTLS does not ask on a resumed session nor when the peer showed nothing, so whoever
 * runs the handshake asks again when it is over and ends the session unless the answer was yes.
 */
#ifndef TUNNEL_AUTHORISE_H
#define TUNNEL_AUTHORISE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "common/defs.h"

struct credentials;

/* What was asked and what was decided. The session's pointer (gnutls_session_set_ptr) is one of these. */
struct judgement {
	const struct credentials *credentials;
	const char *name; /* who a connecting end expects; NULL: no name is checked */
	bool judged;
	bool authorised;		  /* false until judged */
	gnutls_alert_description_t alert; /* for the peer, if judged and not authorised */
	const char *words;		  /* why not; static */
	char *identity; /* who the peer is, escaped; NULL without a certificate; freed with free() */
};

/* Decide about the peer of @session once; later calls change nothing. Returns whether it may pass. */
MUST_USE bool authorise(gnutls_session_t session, struct judgement *judgement);

/* GnuTLS's verify callback: authorise() for the judgement that is the pointer of @session. */
int authorise_callback(gnutls_session_t session);

#endif
