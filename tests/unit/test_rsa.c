/* SPDX-License-Identifier: MIT */
/* Keys as libcrypto has them, each judged by GnuTLS with the public one. */
#include "tests/unit/unit.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tests/unit/keypairs.h"
#include "tunnel/pairing.h"
#include "tunnel/rsa.h"
#include "tunnel/signature.h"

enum { HASH_LIMIT = 64, THREADS = 4, ROUNDS = 30 };

static const struct {
	gnutls_sign_algorithm_t algorithm;
	gnutls_pk_algorithm_t kind;
	unsigned size;
} rules[] = {
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_PK_RSA, 32},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, GNUTLS_PK_RSA, 48},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, GNUTLS_PK_RSA, 64},
	{GNUTLS_SIGN_RSA_SHA256, GNUTLS_PK_RSA, 32},
	{GNUTLS_SIGN_RSA_SHA384, GNUTLS_PK_RSA, 48},
	{GNUTLS_SIGN_RSA_SHA512, GNUTLS_PK_RSA, 64},
	{GNUTLS_SIGN_RSA_PSS_SHA256, GNUTLS_PK_RSA_PSS, 32},
	{GNUTLS_SIGN_RSA_PSS_SHA384, GNUTLS_PK_RSA_PSS, 48},
	{GNUTLS_SIGN_RSA_PSS_SHA512, GNUTLS_PK_RSA_PSS, 64},
};

/* A key of each library, and the public one. */
struct pair {
	gnutls_x509_privkey_t theirs;
	gnutls_pubkey_t public;
	gnutls_privkey_t ours;
	gnutls_pk_algorithm_t kind;
};

static gnutls_datum_t
encode(gnutls_x509_privkey_t key, gnutls_x509_crt_fmt_t form, const char *password, unsigned flags)
{
	gnutls_datum_t encoded;

	assert_int_equal(
		gnutls_x509_privkey_export2_pkcs8(key, form, password, flags, &encoded), 0);
	return encoded;
}

static gnutls_x509_privkey_t
generate(gnutls_pk_algorithm_t kind, unsigned bits)
{
	gnutls_x509_privkey_t key;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, kind, bits, 0), 0);
	return key;
}

static gnutls_privkey_t
open_pem(const gnutls_datum_t *pem, gnutls_pk_algorithm_t kind)
{
	gnutls_privkey_t key;
	struct diag diag;

	assert_int_equal(rsa_key(pem, kind, &key, &diag), 0);
	assert_non_null(key);
	return key;
}

static void
pair_make(struct pair *pair, gnutls_pk_algorithm_t kind, unsigned bits)
{
	gnutls_privkey_t key;

	pair->kind = kind;
	pair->theirs = generate(kind, bits);
	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_import_x509(key, pair->theirs, 0), 0);
	assert_int_equal(gnutls_pubkey_init(&pair->public), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(pair->public, key, 0, 0), 0);
	gnutls_privkey_deinit(key);

	gnutls_datum_t pem = encode(pair->theirs, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
	pair->ours = open_pem(&pem, kind);
	gnutls_free(pem.data);
}

static void
pair_release(struct pair *pair)
{
	gnutls_x509_privkey_deinit(pair->theirs);
	gnutls_pubkey_deinit(pair->public);
	gnutls_privkey_deinit(pair->ours);
}

/* Whatever @key signs, GnuTLS must take it for a signature of @pair. 0, or -1 when @key signs nothing. */
static int
try_rule(const struct pair *pair, gnutls_privkey_t key, size_t rule)
{
	uint8_t hash[HASH_LIMIT];
	const gnutls_datum_t hashed = {hash, rules[rule].size};
	const struct signature_wish wish = {(uint32_t)rules[rule].algorithm, hash, hashed.size};
	gnutls_datum_t signature;
	struct diag diag;

	memset(hash, (int)rule + 1, sizeof(hash));
	if (signature_make(key, pair->kind, &wish, &signature, &diag) < 0) {
		assert_null(signature.data);
		return -1;
	}
	assert_true(gnutls_pubkey_verify_hash2(
			    pair->public, rules[rule].algorithm, 0, &hashed, &signature) >= 0);
	hash[0] ^= 1;
	assert_true(gnutls_pubkey_verify_hash2(
			    pair->public, rules[rule].algorithm, 0, &hashed, &signature) < 0);
	gnutls_free(signature.data);
	return 0;
}

static size_t
try_rules(const struct pair *pair)
{
	size_t good = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].kind == pair->kind && try_rule(pair, pair->ours, i) == 0)
			good++;
	return good;
}

static void
keys_of_every_size_sign_with_every_algorithm(void **state)
{
	static const struct {
		gnutls_pk_algorithm_t kind;
		unsigned bits;
		size_t rules;
	} keys[] = {
		{GNUTLS_PK_RSA, 1024, 5}, /* too short for PSS with a hash and a salt of 64 bytes */
		{GNUTLS_PK_RSA, 2048, 6},
		{GNUTLS_PK_RSA, 2047, 6},
		{GNUTLS_PK_RSA, 3072, 6},
		{GNUTLS_PK_RSA, 4096, 6},
		{GNUTLS_PK_RSA_PSS, 2048, 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct pair pair;

		pair_make(&pair, keys[i].kind, keys[i].bits);
		assert_int_equal(try_rules(&pair), keys[i].rules);
		pair_release(&pair);
	}
}

static void
refused(const gnutls_datum_t *pem, const char *words)
{
	gnutls_privkey_t key;
	struct diag diag;

	assert_int_equal(rsa_key(pem, GNUTLS_PK_RSA, &key, &diag), -1);
	assert_null(key);
	assert_string_equal(diag.text, words);
}

static void
what_is_no_plain_rsa_key_is_refused(void **state)
{
	static const char none[] = "the key is no PKCS#8 in PEM: Base64 unexpected header error",
			  bad[] = "the key cannot be read: ";
	gnutls_x509_privkey_t rsa = generate(GNUTLS_PK_RSA, 1024);
	gnutls_x509_privkey_t other = generate(GNUTLS_PK_ECDSA, 256);
	gnutls_datum_t der = encode(rsa, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
	gnutls_datum_t pems[] = {
		encode(other, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN),
		encode(rsa, GNUTLS_X509_FMT_PEM, "password", GNUTLS_PKCS_PBES2_AES_256),
		encode(rsa, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN),
	};

	(void)state;
	refused(&pems[0], "the key is not RSA, as the certificate says");
	refused(&pems[1], none);
	refused(&der, none);
	for (unsigned size = 0; size < der.size; size += size < 64 ? 1 : 61) {
		const gnutls_datum_t part = {der.data, size};
		gnutls_privkey_t key;
		struct diag diag;

		gnutls_free(pems[2].data);
		assert_int_equal(gnutls_pem_base64_encode2("PRIVATE KEY", &part, &pems[2]), 0);
		assert_int_equal(rsa_key(&pems[2], GNUTLS_PK_RSA, &key, &diag), -1);
		assert_true(size == 0 || strncmp(diag.text, bad, strlen(bad)) == 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pems); i++)
		gnutls_free(pems[i].data);
	gnutls_free(der.data);
	gnutls_x509_privkey_deinit(rsa);
	gnutls_x509_privkey_deinit(other);
}

static void
a_key_of_another_kind_is_left_to_gnutls(void **state)
{
	static const gnutls_pk_algorithm_t kinds[] = {
		GNUTLS_PK_ECDSA, GNUTLS_PK_EDDSA_ED25519, GNUTLS_PK_DSA, GNUTLS_PK_UNKNOWN};
	const gnutls_datum_t nothing = {NULL, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		gnutls_privkey_t key = keypairs_private(KEYPAIR_RSA);
		struct diag diag;

		assert_int_equal(rsa_key(&nothing, kinds[i], &key, &diag), 0);
		assert_null(key);
	}
}

/* A part of the CRT that is wrong gives signatures of which one alone tells the key (Boneh, 1997). */
static void
a_fault_in_the_key_does_not_come_out(void **state)
{
	gnutls_datum_t m, e, d, p, q, u, e1, e2, pem;
	struct pair pair;

	(void)state;
	pair_make(&pair, GNUTLS_PK_RSA, 2048);
	gnutls_datum_t der = encode(pair.theirs, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN);
	assert_int_equal(
		gnutls_x509_privkey_export_rsa_raw2(pair.theirs, &m, &e, &d, &p, &q, &u, &e1, &e2),
		0);
	uint8_t *part = memmem(der.data, der.size, e1.data, e1.size);
	assert_non_null(part);
	part[e1.size / 2] ^= 0x10;
	assert_int_equal(gnutls_pem_base64_encode2("PRIVATE KEY", &der, &pem), 0);
	gnutls_privkey_t faulty = open_pem(&pem, GNUTLS_PK_RSA);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].kind == GNUTLS_PK_RSA)
			(void)try_rule(&pair, faulty, i);
	gnutls_privkey_deinit(faulty);
	const gnutls_datum_t all[] = {m, e, d, p, q, u, e1, e2, der, pem};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		gnutls_free(all[i].data);
	pair_release(&pair);
}

static void
only_what_the_table_has_is_signed(void **state)
{
	static const gnutls_sign_algorithm_t algorithms[] = {GNUTLS_SIGN_ECDSA_SHA256,
		GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512};
	uint8_t hash[HASH_LIMIT] = {0};
	const gnutls_datum_t hashed = {hash, 31};
	struct pair pair;

	(void)state;
	pair_make(&pair, GNUTLS_PK_RSA, 2048);
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		gnutls_datum_t signature;
		assert_true(gnutls_privkey_sign_hash2(
				    pair.ours, algorithms[i], 0, &hashed, &signature) < 0);
	}
	pair_release(&pair);
}

static void
a_key_belongs_to_its_own_public_half_only(void **state)
{
	struct pair pair, other;
	struct diag diag;

	(void)state;
	pair_make(&pair, GNUTLS_PK_RSA, 2048);
	pair_make(&other, GNUTLS_PK_RSA, 2048);
	assert_int_equal(pairing_check(pair.ours, pair.public, &diag), 0);
	assert_int_equal(pairing_check(pair.ours, other.public, &diag), -1);
	assert_string_equal(diag.text, "the key does not match the certificate");
	pair_release(&pair);
	pair_release(&other);
}

static void *
sign_often(void *opaque)
{
	const struct pair *pair = opaque;

	for (size_t i = 0; i < ROUNDS; i++)
		assert_int_equal(try_rule(pair, pair->ours, i % 6), 0);
	return NULL;
}

static void
several_threads_sign_with_one_key(void **state)
{
	pthread_t threads[THREADS];
	struct pair pair;

	(void)state;
	pair_make(&pair, GNUTLS_PK_RSA, 2048);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &pair), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	pair_release(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_every_size_sign_with_every_algorithm),
		cmocka_unit_test(what_is_no_plain_rsa_key_is_refused),
		cmocka_unit_test(a_key_of_another_kind_is_left_to_gnutls),
		cmocka_unit_test(a_fault_in_the_key_does_not_come_out),
		cmocka_unit_test(only_what_the_table_has_is_signed),
		cmocka_unit_test(a_key_belongs_to_its_own_public_half_only),
		cmocka_unit_test(several_threads_sign_with_one_key),
	};

	return cmocka_run_group_tests(tests, keypairs_make, keypairs_release);
}
