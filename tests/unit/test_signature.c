/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/abstract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tests/unit/keypairs.h"
#include "tunnel/keyset.h"
#include "tunnel/signature.h"
#include "tunnel/signing.h"

static uint8_t data[SIGNING_DATA_LIMIT + 1];

static struct keyset *keyset;

static int
make_keyset(void **state)
{
	struct keyring keyring = {0};
	char *words;
	size_t size;
	FILE *errors = open_memstream(&words, &size);

	keypairs_make(state);
	for (enum keypair i = KEYPAIR_ECDSA; i < KEYPAIRS; i++)
		keypairs_add(&keyring, i, i);
	keyset = keyset_new(&keyring, NULL, errors);
	assert_int_equal(fclose(errors), 0);
	free(words);
	return keyset ? 0 : -1;
}

static int
release_keyset(void **state)
{
	keyset_unref(keyset);
	return keypairs_release(state);
}

/* With the key as the key process has it, which may be another library's. */
static int
make(enum keypair which, gnutls_sign_algorithm_t algorithm, size_t size, gnutls_datum_t *signature,
	struct diag *diag)
{
	const struct signature_wish wish = {
		.algorithm = (uint32_t)algorithm, .data = data, .size = size};
	const struct keyset_key *key = keyset_find(keyset, keypairs_spki(which)->id);

	return signature_make(key->key, key->public.kind, &wish, signature, diag);
}

static void
what_tls_signs_is_signed(void **state)
{
	static const struct {
		enum keypair which;
		gnutls_sign_algorithm_t algorithm;
		unsigned size;
	} good[] = {
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 32},
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 32},
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA384, 48},
		{KEYPAIR_ED25519, GNUTLS_SIGN_EDDSA_ED25519, 130},
		{KEYPAIR_ED25519, GNUTLS_SIGN_EDDSA_ED25519, SIGNING_DATA_LIMIT},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 32},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, 48},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 64},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA256, 32},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA384, 48},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA512, 64},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const gnutls_datum_t signed_data = {data, good[i].size};
		gnutls_datum_t signature;
		struct diag diag;
		assert_int_equal(
			make(good[i].which, good[i].algorithm, good[i].size, &signature, &diag), 0);
		keypairs_verify(good[i].which, good[i].algorithm, &signed_data, &signature);
		gnutls_free(signature.data);
	}
}

static void
what_tls_does_not_sign_is_refused(void **state)
{
	static const struct {
		enum keypair which;
		gnutls_sign_algorithm_t algorithm;
		unsigned size;
		const char *words;
	} bad[] = {
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 31, "31 bytes are no hash"},
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 48, "48 bytes are no hash"},
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 0, "0 bytes are no hash"},
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA1, 20, "is not for a key"},
		{KEYPAIR_ECDSA, GNUTLS_SIGN_RSA_SHA256, 32, "is not for a key"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 31, "31 bytes are no hash"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 32, "32 bytes are no hash"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA256, 64, "64 bytes are no hash"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA512, 0, "0 bytes are no hash"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_SHA256, 32, "is not for a key"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_RAW, 32, "is not for a key"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA1, 20, "is not for a key"},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_MD5, 16, "is not for a key"},
		{KEYPAIR_RSA, GNUTLS_SIGN_ECDSA_SHA256, 32, "is not for a key"},
		{KEYPAIR_RSA, GNUTLS_SIGN_UNKNOWN, 32, "is not for a key"},
		{KEYPAIR_ED25519, GNUTLS_SIGN_EDDSA_ED25519, 63, "not what TLS signs"},
		{KEYPAIR_ED25519, GNUTLS_SIGN_EDDSA_ED25519, sizeof(data), "not what TLS signs"},
		{KEYPAIR_ED25519, GNUTLS_SIGN_ECDSA_SHA256, 32, "is not for a key"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		gnutls_datum_t signature;
		struct diag diag;
		assert_int_equal(
			make(bad[i].which, bad[i].algorithm, bad[i].size, &signature, &diag), -1);
		assert_non_null(strstr(diag.text, bad[i].words));
		assert_null(signature.data);
	}
}

static int
sign_at_length(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata,
	unsigned flags, const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	(void)key;
	(void)algorithm;
	(void)userdata;
	(void)flags;
	(void)hash;
	signature->size = SIGNING_ANSWER_LIMIT + 1;
	signature->data = gnutls_calloc(1, signature->size);
	return signature->data ? 0 : GNUTLS_E_MEMORY_ERROR;
}

static int
inform(gnutls_privkey_t key, unsigned flags, void *userdata)
{
	(void)key;
	(void)userdata;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_RSA;
	return flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS ? 8 * (SIGNING_ANSWER_LIMIT + 1) : 1;
}

static void
a_signature_that_fits_no_answer_is_refused(void **state)
{
	const struct signature_wish wish = {
		.algorithm = GNUTLS_SIGN_RSA_SHA256, .data = data, .size = 32};
	gnutls_datum_t signature;
	gnutls_privkey_t key;
	struct diag diag;

	(void)state;
	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_privkey_import_ext4(key, NULL, NULL, sign_at_length, NULL, NULL, inform, 0),
		0);
	assert_int_equal(signature_make(key, GNUTLS_PK_RSA, &wish, &signature, &diag), -1);
	assert_string_equal(diag.text, "the signature is too long");
	assert_null(signature.data);
	gnutls_privkey_deinit(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_tls_signs_is_signed),
		cmocka_unit_test(what_tls_does_not_sign_is_refused),
		cmocka_unit_test(a_signature_that_fits_no_answer_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keyset, release_keyset);
}
