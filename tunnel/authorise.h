/* SPDX-License-Identifier: MIT */
/*
 * authorise.h - may this peer pass? The one place where that is decided.
 *
 * Judged are, in this order and up to the first that refuses: the chain (or, without authorities, its
 * dates), revocation, a staple, pins, `deny`, `allow`. A resumed session is judged like a new one.
 *
 * In a full handshake GnuTLS's verify callback asks, before a connecting end has shown its own
 * certificate; GnuTLS does not ask on a resumed session nor when the peer showed nothing, so whoever
 * runs the handshake asks again when it is over and ends the session unless the answer was yes.
 */
#ifndef TUNNEL_AUTHORISE_H
#define TUNNEL_AUTHORISE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <time.h>

#include "common/defs.h"

struct credentials;
struct endpoint;

/* Has a connecting peer named a pre-shared key? */
enum psk_name { PSK_NOT_NAMED, PSK_NAMED, PSK_UNKNOWN };

/*
 * What was asked and what was decided. The session's pointer (gnutls_session_set_ptr) is one of these until the
 * handshake is over, and a ticket was sent or has come.
 */
struct judgement {
	const struct credentials *credentials;
	const char *name;	     /* who a connecting end expects; NULL: no name is checked */
	const struct endpoint *from; /* accepting: the client's address; NULL: not known */
	enum psk_name psk;	     /* accepting */
	bool key_bounded;	     /* a signature by the peer's key is checked in bounded time */
	bool judged;
	bool authorised;		  /* false until judged */
	gnutls_alert_description_t alert; /* for the peer, if judged and not authorised */
	const char *words;		  /* why not; static */
	time_t until; /* when the first certificate that the peer showed expires; 0: it showed none */
	const char *
		rule; /* the text of the rule that refuses, borrowed from the credentials; NULL: none */
	char *identity; /* who the peer is, escaped; NULL without a certificate; freed with free() */
};

/*
 * Decide about the peer of @session when it is known: who it is (once), and which protocol was agreed on.
 * Returns whether it may pass.
 */
MUST_USE bool authorise(gnutls_session_t session, struct judgement *judgement);

/* GnuTLS's verify callback: authorise() for the judgement that is the pointer of @session. */
int authorise_callback(gnutls_session_t session);

/*
 * A hook of GnuTLS for each message that comes or goes, in front of it. A ticket, which in TLS 1.2 goes within the
 * handshake also where there was no certificate to verify, is not sent to whom may not pass. And a signature,
 * which in TLS 1.3 GnuTLS checks before it asks who the peer is, is not checked by a key that would take long;
 * authorise() refuses such a key in any version. Nor is a compressed certificate inflated: we offer no way to
 * compress one, and GnuTLS 3.7 takes it all the same, where it can.
 */
int authorise_hook(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message);

#endif
