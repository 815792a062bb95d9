/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_state.h"

#include <stdlib.h>

#include "tunnel/credentials.h"
#include "tunnel/session.h"

void
tls_end_opening(struct tls *tls)
{
	struct tls_opening *opening = tls->opening;

	if (!opening)
		return;
	tls->opening = NULL;
	tls->identity = opening->judgement.identity;
	if (tls->handshaken)
		session_forget_handshake(tls->session);
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
	buffer_release(&tls->in, pool);
	protection_end(&tls->protection);
	tls_end_opening(tls);
	if (tls->session)
		gnutls_deinit(tls->session);
	credentials_unref(tls->credentials);
	free(tls->identity);
	free(tls);
}
