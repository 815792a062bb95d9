/* SPDX-License-Identifier: MIT */
/*
 * handshake.h - two bare sessions of GnuTLS over a socketpair, for what is tested without the rest of TLS.
 */
#ifndef TESTS_UNIT_HANDSHAKE_H
#define TESTS_UNIT_HANDSHAKE_H

#include <gnutls/gnutls.h>

enum { HANDSHAKE_CLIENT, HANDSHAKE_SERVER, HANDSHAKE_ENDS };

struct handshake {
	gnutls_session_t sessions[HANDSHAKE_ENDS];
	int results[HANDSHAKE_ENDS]; /* GNUTLS_E_AGAIN: it waits for one that is broken */
	int fds[HANDSHAKE_ENDS];
};

/* Make both sessions with @priority and, beside what they need, @flags. They have no credentials yet. */
void handshake_start(struct handshake *handshake, const char *priority, unsigned flags);

/* Shake hands until both ends are done or broken. */
void handshake_run(struct handshake *handshake);

/* Free the sessions. */
void handshake_end(struct handshake *handshake);

#endif
