/* SPDX-License-Identifier: MIT */
#include "tunnel/pairing.h"

#include "common/diag.h"
#include "tunnel/tls_words.h"

/* What TLS 1.3 signs with a key of each kind. */
static const struct {
	gnutls_pk_algorithm_t kind;
	gnutls_sign_algorithm_t algorithm;
} algorithms[] = {
	{GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256},
	{GNUTLS_PK_RSA_PSS, GNUTLS_SIGN_RSA_PSS_SHA256},
	{GNUTLS_PK_ECDSA, GNUTLS_SIGN_ECDSA_SHA256},
	{GNUTLS_PK_EDDSA_ED25519, GNUTLS_SIGN_EDDSA_ED25519},
	{GNUTLS_PK_EDDSA_ED448, GNUTLS_SIGN_EDDSA_ED448},
};

static gnutls_sign_algorithm_t
algorithm_of(int kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if ((int)algorithms[i].kind == kind)
			return algorithms[i].algorithm;
	return GNUTLS_SIGN_UNKNOWN;
}

int
pairing_check(gnutls_privkey_t key, gnutls_pubkey_t public, struct diag *diag)
{
	unsigned char probe[] = "does this key belong to its certificate?";
	const gnutls_datum_t data = {.data = probe, .size = sizeof(probe)};
	int kind = gnutls_pubkey_get_pk_algorithm(public, NULL);
	gnutls_sign_algorithm_t algorithm = algorithm_of(kind);
	gnutls_datum_t signature;

	if (algorithm == GNUTLS_SIGN_UNKNOWN) {
		return diag_set(diag,
			"TLS has no use for a key of the kind %s: make one that is ECDSA, Ed25519 "
			"or RSA",
			gnutls_pk_get_name((gnutls_pk_algorithm_t)kind));
	}
	if (gnutls_privkey_get_pk_algorithm(key, NULL) != kind) {
		return diag_set(diag,
			"the key does not match the certificate: they are not even of the same "
			"kind");
	}
	int error = gnutls_privkey_sign_data2(key, algorithm, 0, &data, &signature);
	if (error < 0)
		return diag_set(diag, "it gives no signature %s: %s",
			gnutls_sign_get_name(algorithm), tls_words(error).text);
	error = gnutls_pubkey_verify_data2(public, algorithm, 0, &data, &signature);
	gnutls_free(signature.data);
	return error < 0 ? diag_set(diag, "the key does not match the certificate") : 0;
}
