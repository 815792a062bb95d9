/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/handshake.h"

#include <sys/socket.h>
#include <unistd.h>

void
handshake_start(struct handshake *handshake, const char *priority, unsigned flags)
{
	static const unsigned roles[HANDSHAKE_ENDS] = {
		[HANDSHAKE_CLIENT] = GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT,
		[HANDSHAKE_SERVER] = GNUTLS_SERVER,
	};

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, handshake->fds), 0);
	for (int end = 0; end < HANDSHAKE_ENDS; end++) {
		gnutls_session_t *session = &handshake->sessions[end];

		assert_int_equal(gnutls_init(session,
					 roles[end] | flags | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
						 GNUTLS_NO_TICKETS),
			0);
		assert_int_equal(gnutls_priority_set_direct(*session, priority, NULL), 0);
		gnutls_transport_set_int(*session, handshake->fds[end]);
		handshake->results[end] = GNUTLS_E_AGAIN;
	}
}

void
handshake_run(struct handshake *handshake)
{
	for (int i = 0; i < 20; i++) {
		int end = i % HANDSHAKE_ENDS;

		if (handshake->results[end] == GNUTLS_E_AGAIN)
			handshake->results[end] = gnutls_handshake(handshake->sessions[end]);
	}
}

void
handshake_end(struct handshake *handshake)
{
	for (int end = 0; end < HANDSHAKE_ENDS; end++) {
		gnutls_deinit(handshake->sessions[end]);
		(void)close(handshake->fds[end]);
	}
}
