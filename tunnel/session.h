/* SPDX-License-Identifier: MIT */
/*
 * session.h - a session of GnuTLS as the credentials of a side want it.
 */
#ifndef TUNNEL_SESSION_H
#define TUNNEL_SESSION_H

#include <gnutls/gnutls.h>

#include "common/defs.h"

struct credentials;
struct diag;

/*
 * Make @session of @credentials. @name is who is expected (connecting side), for the SNI; NULL: none.
 * The caller frees the session with gnutls_deinit() before it drops the credentials. 0, or -1 with words.
 */
MUST_USE int session_new(struct credentials *credentials, const char *name,
	gnutls_session_t *session, struct diag *diag);

#endif
