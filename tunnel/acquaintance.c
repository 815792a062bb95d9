/* SPDX-License-Identifier: MIT */
#include "tunnel/acquaintance.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/chain.h"
#include "tunnel/ocsp.h"

struct acquaintance *
acquaintance_new(const struct chain *chain)
{
	struct acquaintance *acquaintance = calloc(1, sizeof(*acquaintance));
	gnutls_x509_crt_t crt = chain->crts[0];
	char identity[CERTIFICATE_IDENTITY_SIZE];
	struct text text;

	if (!acquaintance)
		return NULL;
	acquaintance->references = 1;
	peer_init(&acquaintance->peer, NULL);
	text_init(&text, identity, sizeof(identity));
	certificate_identity(crt, &text);
	acquaintance->identity = strdup(identity);
	acquaintance->is_readable = peer_add_certificate(&acquaintance->peer, crt) == 0;
	acquaintance->must_staple = ocsp_is_demanded(crt);
	acquaintance->until = chain_expiry(chain);
	if (acquaintance->identity)
		return acquaintance;
	acquaintance_unref(acquaintance);
	return NULL;
}

struct acquaintance *
acquaintance_ref(struct acquaintance *acquaintance)
{
	atomic_fetch_add(&acquaintance->references, 1);
	return acquaintance;
}

void
acquaintance_unref(struct acquaintance *acquaintance)
{
	if (!acquaintance || atomic_fetch_sub(&acquaintance->references, 1) > 1)
		return;
	peer_release(&acquaintance->peer);
	free(acquaintance->identity);
	free(acquaintance);
}
