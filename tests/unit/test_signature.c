/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "tests/unit/keypairs.h"
#include "tunnel/signature.h"
#include "tunnel/signing.h"

static uint8_t data[SIGNING_DATA_LIMIT + 1];

static int
make(enum keypair which, gnutls_sign_algorithm_t algorithm, size_t size, gnutls_datum_t *signature,
	struct diag *diag)
{
	const struct signature_wish wish = {
		.algorithm = (uint32_t)algorithm, .data = data, .size = size};

	return signature_make(
		keypairs_private(which), keypairs_spki(which)->kind, &wish, signature, diag);
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
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 64},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA256, 32},
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
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_tls_signs_is_signed),
		cmocka_unit_test(what_tls_does_not_sign_is_refused),
	};

	return cmocka_run_group_tests(tests, keypairs_make, keypairs_release);
}
