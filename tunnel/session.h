/* SPDX-License-Identifier: MIT */
/*
 * session.h - a session of GnuTLS as the credentials of a side want it.
 */
#ifndef TUNNEL_SESSION_H
#define TUNNEL_SESSION_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "common/defs.h"

struct credentials;
struct diag;

/*
 * Make @session of @credentials. @name is who is expected (connecting side), for the SNI; NULL: none. With
 * @small_records the peer takes records of limited size only. The caller frees the session with
 * gnutls_deinit() before it drops the credentials. 0, or -1 with words.
 */
MUST_USE int session_new(struct credentials *credentials, const char *name, bool small_records,
	gnutls_session_t *session, struct diag *diag);

/*
 * The handshake of @session is over: let go of its pointer, and free what GnuTLS uses in another one only. There
 * will be none: nobody renegotiates, and certificates are not asked for later. From now on the data
 * of the session must not be asked for, nor may a ticket be sent.
 */
void session_forget_handshake(gnutls_session_t session);

#endif
