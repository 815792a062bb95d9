/* SPDX-License-Identifier: MIT */
#include "tunnel/signature.h"

#include <string.h>

#include "common/diag.h"
#include "tunnel/signing.h"
#include "tunnel/tls_words.h"

enum {
	SHA256 = 32,
	SHA384 = 48,
	SHA512 = 64,
	WHOLE = 0,	 /* not a hash: the data */
	DATA_LEAST = 64, /* the randoms of both ends stand in all that TLS signs */
};

/* RFC 8446 section 4.2.3, without what is only for certificates or for TLS 1.1. */
static const struct rule {
	gnutls_sign_algorithm_t algorithm;
	gnutls_pk_algorithm_t kind;
	size_t size;
} rules[] = {
	{GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_PK_EDDSA_ED25519, WHOLE},
	{GNUTLS_SIGN_EDDSA_ED448, GNUTLS_PK_EDDSA_ED448, WHOLE},
	{GNUTLS_SIGN_ECDSA_SHA256, GNUTLS_PK_ECDSA, SHA256},
	{GNUTLS_SIGN_ECDSA_SHA384, GNUTLS_PK_ECDSA, SHA384},
	{GNUTLS_SIGN_ECDSA_SHA512, GNUTLS_PK_ECDSA, SHA512},
	{GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_PK_ECDSA, SHA256},
	{GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, GNUTLS_PK_ECDSA, SHA384},
	{GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, GNUTLS_PK_ECDSA, SHA512},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_PK_RSA, SHA256},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_PK_RSA, SHA384},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_PK_RSA, SHA512},
	{GNUTLS_SIGN_RSA_SHA256, GNUTLS_PK_RSA, SHA256},
	{GNUTLS_SIGN_RSA_SHA384, GNUTLS_PK_RSA, SHA384},
	{GNUTLS_SIGN_RSA_SHA512, GNUTLS_PK_RSA, SHA512},
	{GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_PK_RSA_PSS, SHA256},
	{GNUTLS_SIGN_RSA_PSS_SHA384, GNUTLS_PK_RSA_PSS, SHA384},
	{GNUTLS_SIGN_RSA_PSS_SHA512, GNUTLS_PK_RSA_PSS, SHA512},
};

static const struct rule *
find(gnutls_pk_algorithm_t kind, uint32_t algorithm)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].kind == kind && (uint32_t)rules[i].algorithm == algorithm)
			return &rules[i];
	return NULL;
}

static int
check_size(const struct rule *rule, size_t size, struct diag *diag)
{
	if (rule->size == WHOLE && (size < DATA_LEAST || size > SIGNING_DATA_LIMIT))
		return diag_set(diag, "%zu bytes are not what TLS signs with EdDSA", size);
	if (rule->size != WHOLE && rule->size != size)
		return diag_set(diag, "%zu bytes are no hash for the algorithm", size);
	return 0;
}

int
signature_make(gnutls_privkey_t key, gnutls_pk_algorithm_t kind, const struct signature_wish *wish,
	gnutls_datum_t *signature, struct diag *diag)
{
	uint8_t bytes[SIGNING_DATA_LIMIT];
	const gnutls_datum_t data = {.data = bytes, .size = (unsigned)wish->size};
	const struct rule *rule = find(kind, wish->algorithm);

	*signature = (gnutls_datum_t){0};
	if (!rule)
		return diag_set(diag, "algorithm %u is not for a key of the kind %s",
			wish->algorithm, gnutls_pk_get_name(kind));
	if (check_size(rule, wish->size, diag) < 0)
		return -1;
	memcpy(bytes, wish->data, wish->size); /* a datum cannot point to what is const */
	int error = rule->size == WHOLE
		? gnutls_privkey_sign_data2(key, rule->algorithm, 0, &data, signature)
		: gnutls_privkey_sign_hash2(key, rule->algorithm, 0, &data, signature);
	if (error < 0)
		return diag_set(diag, "%s", tls_words(error).text);
	if (signature->size <= SIGNING_ANSWER_LIMIT)
		return 0;
	gnutls_free(signature->data);
	*signature = (gnutls_datum_t){0};
	return diag_set(diag, "the signature is too long");
}
