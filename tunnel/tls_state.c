/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_state.h"

#include <stdlib.h>

#include "tunnel/credentials.h"
#include "tunnel/session.h"

/* A hook of GnuTLS. A whole ticket or key update leaves nothing behind that would have to be bounded. */
static int
on_whole_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	struct tls *tls = gnutls_transport_get_ptr(session);

	(void)type;
	(void)when;
	(void)message;
	if (incoming)
		tls->control = 0;
	return 0;
}

void
tls_end_opening(struct tls *tls)
{
	struct tls_opening *opening = tls->opening;

	if (!opening)
		return;
	tls->opening = NULL;
	tls->identity = opening->judgement.identity;
	if (tls->handshaken) {
		session_forget_handshake(tls_session(tls));
		gnutls_handshake_set_hook_function(
			tls_session(tls), GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST, on_whole_message);
	}
	free(opening->flight.bytes);
	ticket_release(&opening->ticket);
	free(opening->name);
	free(opening->target);
	free(opening->sni);
	free(opening);
}

void
tls_free(struct tls *tls, struct pool *pool)
{
	gnutls_session_t session = tls_session(tls); /* which is forgotten before it is freed */

	buffer_release(&tls->in, pool);
	tls_end_opening(tls);
	protection_end(&tls->protection);
	if (session)
		gnutls_deinit(session);
	credentials_unref(tls->credentials);
	free(tls->identity);
	free(tls);
}
