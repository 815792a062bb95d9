/* SPDX-License-Identifier: MIT */
#include "tunnel/choice.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel/authorise.h"
#include "tunnel/credentials.h"

struct identity {
	gnutls_pcert_st *chain;
	gnutls_datum_t *issuers; /* DN of the issuer of each certificate, as DER */
	unsigned count;
	gnutls_privkey_t key;
};

struct choice {
	struct identity *identities;
	size_t count;
};

static gnutls_certificate_type_t
type_of(const struct identity *identity)
{
	return identity->chain[0].type;
}

/*
 * Can @identity sign as the server wants it? The kinds of keys that GnuTLS hands to the callback are not enough for
 * that: they do not tell EdDSA in TLS 1.2, nor which keys RSA-PSS is for.
 */
static bool
is_taken(const struct identity *identity, gnutls_session_t session)
{
	int kind = gnutls_privkey_get_pk_algorithm(identity->key, NULL);
	gnutls_sign_algorithm_t wanted;
	size_t i = 0;

	while (gnutls_sign_algorithm_get_requested(session, i, &wanted) == 0) {
		if (gnutls_sign_supports_pk_algorithm(wanted, (gnutls_pk_algorithm_t)kind))
			return true;
		i++;
	}
	return i == 0;
}

static bool
is_named(const struct identity *identity, const struct gnutls_cert_retr_st *wanted)
{
	for (unsigned i = 0; i < wanted->nreqs; i++) {
		const gnutls_datum_t *name = &wanted->req_ca_rdn[i];

		for (unsigned j = 0; j < identity->count; j++) {
			const gnutls_datum_t *issuer = &identity->issuers[j];

			if (issuer->size == name->size &&
				memcmp(issuer->data, name->data, name->size) == 0)
				return true;
		}
	}
	return false;
}

static struct identity *
choose(const struct choice *choice, gnutls_session_t session,
	const struct gnutls_cert_retr_st *wanted)
{
	gnutls_certificate_type_t type = gnutls_certificate_type_get2(session, GNUTLS_CTYPE_OURS);
	struct identity *first = NULL;

	for (size_t i = 0; i < choice->count; i++) {
		struct identity *identity = &choice->identities[i];

		if (type_of(identity) != type || !is_taken(identity, session))
			continue;
		if (is_named(identity, wanted))
			return identity;
		if (!first)
			first = identity;
	}
	return first;
}

static int
on_request(gnutls_session_t session, const struct gnutls_cert_retr_st *wanted,
	gnutls_pcert_st **chain, unsigned *count, gnutls_ocsp_data_st **staples,
	unsigned *staple_count, gnutls_privkey_t *key, unsigned *flags)
{
	const struct judgement *judgement = gnutls_session_get_ptr(session);
	const struct identity *identity = choose(judgement->credentials->choice, session, wanted);

	*chain = identity ? identity->chain : NULL;
	*count = identity ? identity->count : 0;
	*key = identity ? identity->key : NULL;
	*staples = NULL;
	*staple_count = 0;
	*flags = 0;
	return 0;
}

/* Returns 0, or -1. A raw key has no issuer. */
static int
copy_issuer(gnutls_datum_t *issuer, gnutls_pcert_st *certificate)
{
	gnutls_x509_crt_t crt;

	if (certificate->type != GNUTLS_CRT_X509)
		return 0;
	if (gnutls_pcert_export_x509(certificate, &crt))
		return -1;
	int error = gnutls_x509_crt_get_raw_issuer_dn(crt, issuer);
	gnutls_x509_crt_deinit(crt);
	return error ? -1 : 0;
}

static void
release_identity(struct identity *identity)
{
	for (unsigned i = 0; identity->issuers && i < identity->count; i++)
		gnutls_free(identity->issuers[i].data);
	free(identity->issuers);
	free(identity->chain);
}

struct choice *
choice_new(void)
{
	return calloc(1, sizeof(struct choice));
}

void
choice_free(struct choice *choice)
{
	if (!choice)
		return;
	for (size_t i = 0; i < choice->count; i++)
		release_identity(&choice->identities[i]);
	free(choice->identities);
	free(choice);
}

int
choice_add(
	struct choice *choice, const gnutls_pcert_st *chain, unsigned count, gnutls_privkey_t key)
{
	struct identity *identities =
		reallocarray(choice->identities, choice->count + 1, sizeof(*identities));

	if (!identities)
		return -1;
	choice->identities = identities;
	struct identity *identity = &identities[choice->count++];
	*identity = (struct identity){
		.chain = calloc(count, sizeof(*identity->chain)),
		.issuers = calloc(count, sizeof(*identity->issuers)),
		.count = count,
		.key = key,
	};
	if (!identity->chain || !identity->issuers)
		return -1;
	memcpy(identity->chain, chain, count * sizeof(*chain));
	for (unsigned i = 0; i < count; i++) {
		if (copy_issuer(&identity->issuers[i], &identity->chain[i]))
			return -1;
	}
	return 0;
}

void
choice_install(gnutls_certificate_credentials_t certificate)
{
	gnutls_certificate_set_retrieve_function3(certificate, on_request);
}
