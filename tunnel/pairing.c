/* SPDX-License-Identifier: MIT */
#include "tunnel/pairing.h"

#include <stdbool.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/spki.h"
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
algorithm_of(gnutls_pk_algorithm_t kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (algorithms[i].kind == kind)
			return algorithms[i].algorithm;
	return GNUTLS_SIGN_UNKNOWN;
}

static void
wipe(gnutls_datum_t *number)
{
	if (number->data)
		explicit_bzero(number->data, number->size);
	gnutls_free(number->data);
}

/* The numbers of an RSA key that say something about its private exponent. */
struct rsa_numbers {
	gnutls_datum_t modulus, public_exponent, private_exponent, primes[2], coefficient;
	gnutls_datum_t remainders[2]; /* of the private exponent, by each prime less one */
};

static int
export_rsa(gnutls_privkey_t key, struct rsa_numbers *numbers)
{
	return gnutls_privkey_export_rsa_raw2(key, &numbers->modulus, &numbers->public_exponent,
		&numbers->private_exponent, &numbers->primes[0], &numbers->primes[1],
		&numbers->coefficient, &numbers->remainders[0], &numbers->remainders[1], 0);
}

static void
wipe_rsa(struct rsa_numbers *numbers)
{
	wipe(&numbers->modulus);
	wipe(&numbers->public_exponent);
	wipe(&numbers->private_exponent);
	wipe(&numbers->coefficient);
	for (size_t i = 0; i < 2; i++) {
		wipe(&numbers->primes[i]);
		wipe(&numbers->remainders[i]);
	}
}

static bool
is_same(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* Has @key the private exponent that follows from the rest of it? GnuTLS finds one where none is given. */
static bool
exponents_fit(gnutls_privkey_t key)
{
	struct rsa_numbers given = {0}, found = {0};
	gnutls_privkey_t made;
	bool fit = false;

	if (gnutls_privkey_init(&made) < 0)
		return false;
	if (export_rsa(key, &given) == 0 &&
		gnutls_privkey_import_rsa_raw(made, &given.modulus, &given.public_exponent, NULL,
			&given.primes[0], &given.primes[1], NULL, NULL, NULL) == 0 &&
		export_rsa(made, &found) == 0)
		fit = is_same(&given.remainders[0], &found.remainders[0]) &&
			is_same(&given.remainders[1], &found.remainders[1]);
	gnutls_privkey_deinit(made);
	wipe_rsa(&given);
	wipe_rsa(&found);
	return fit;
}

/*
 * Are the numbers of @key to be had, and do they say all? RSA-PSS keys have parameters besides, which a key
 * may leave out and its certificate have.
 */
static bool
is_open(gnutls_privkey_t key, const struct spki *public)
{
	return gnutls_privkey_get_type(key) == GNUTLS_PRIVKEY_X509 &&
		public->kind != GNUTLS_PK_RSA_PSS;
}

/* For ECDSA and EdDSA GnuTLS computes the public half; for RSA it looks at all but the private exponent. */
static int
check_numbers(gnutls_privkey_t key, const struct spki *public, struct diag *diag)
{
	struct spki own;

	if (spki_of_key(&own, key, diag) < 0)
		return -1;
	if (memcmp(own.id, public->id, SPKI_ID_SIZE) != 0)
		return diag_set(diag, "the key does not match the certificate");
	if (gnutls_privkey_verify_params(key) < 0 ||
		(public->kind == GNUTLS_PK_RSA && !exponents_fit(key)))
		return diag_set(diag, "the key is damaged: its parts do not belong together");
	return 0;
}

static int
check_signature(gnutls_privkey_t key, gnutls_pubkey_t public, gnutls_sign_algorithm_t algorithm,
	struct diag *diag)
{
	unsigned char probe[] = "does this key belong to its certificate?";
	const gnutls_datum_t data = {.data = probe, .size = sizeof(probe)};
	gnutls_datum_t signature;
	int error = gnutls_privkey_sign_data2(key, algorithm, 0, &data, &signature);

	if (error < 0)
		return diag_set(diag, "it gives no signature %s: %s",
			gnutls_sign_get_name(algorithm), tls_words(error).text);
	error = gnutls_pubkey_verify_data2(public, algorithm, 0, &data, &signature);
	gnutls_free(signature.data);
	return error < 0 ? diag_set(diag, "the key does not match the certificate") : 0;
}

int
pairing_check(gnutls_privkey_t key, gnutls_pubkey_t public, struct diag *diag)
{
	struct spki spki;

	if (spki_describe(&spki, public, diag) < 0)
		return -1;
	gnutls_sign_algorithm_t algorithm = algorithm_of(spki.kind);
	if (algorithm == GNUTLS_SIGN_UNKNOWN) {
		return diag_set(diag,
			"TLS has no use for a key of the kind %s: make one that is ECDSA, Ed25519 "
			"or RSA",
			gnutls_pk_get_name(spki.kind));
	}
	if (gnutls_privkey_get_pk_algorithm(key, NULL) != (int)spki.kind) {
		return diag_set(diag,
			"the key does not match the certificate: they are not even of the same "
			"kind");
	}
	return is_open(key, &spki) ? check_numbers(key, &spki, diag)
				   : check_signature(key, public, algorithm, diag);
}
