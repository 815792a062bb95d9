/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_state.h"

#include <stdlib.h>

#include "tunnel/credentials.h"

void
tls_free(struct tls *tls, struct pool *pool)
{
	buffer_release(&tls->in, pool);
	if (tls->session)
		gnutls_deinit(tls->session);
	credentials_unref(tls->credentials);
	free(tls->flight.bytes);
	ticket_release(&tls->ticket);
	free(tls->judgement.identity);
	free(tls->name);
	free(tls->target);
	free(tls->sni);
	free(tls);
}
