/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/big_key.h"
#include "tests/unit/encounter.h"
#include "tests/unit/identities.h"
#include "tunnel/credentials.h"
#include "tunnel/peer_key.h"
#include "tunnel/service.h"

#define PINNED "ca = none\npin = sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static const char words[] = "the peer's key is beyond RSA of 8192 bits with an exponent of 32";

/* Those at the bounds, which are let through, and those beyond. */
static const struct big_key largest = {PEER_KEY_BITS, PEER_KEY_EXPONENT_BITS};
static const struct big_key too_large[] = {
	{PEER_KEY_BITS + 8, 24},
	{2048, PEER_KEY_EXPONENT_BITS + 8},
	{2048, 2048},
	{32768, 32768},
};

static bool
is_bounded(const struct big_key *key, gnutls_certificate_type_t type)
{
	gnutls_datum_t shown =
		type == GNUTLS_CRT_RAWPK ? big_key_public(key) : big_key_certificate(key);
	const char *refusal = peer_key_refusal(&shown, type);

	gnutls_free(shown.data);
	if (refusal)
		assert_string_equal(refusal, words);
	return !refusal;
}

static void
an_rsa_key_is_bounded_in_both_its_numbers(void **state)
{
	static const gnutls_certificate_type_t types[] = {GNUTLS_CRT_X509, GNUTLS_CRT_RAWPK};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		assert_true(is_bounded(&largest, types[i]));
		for (size_t j = 0; j < ARRAY_SIZE(too_large); j++)
			assert_false(is_bounded(&too_large[j], types[i]));
	}
}

static void
what_cannot_be_read_is_refused_as_such(void **state)
{
	static const char unreadable[] = "the peer's certificate, or the key in it, cannot be read";
	gnutls_datum_t garbage = {.data = (unsigned char[]){0x30, 0x01, 0x00}, .size = 3};

	(void)state;
	assert_string_equal(peer_key_refusal(&garbage, GNUTLS_CRT_X509), unreadable);
	assert_string_equal(peer_key_refusal(&garbage, GNUTLS_CRT_RAWPK), unreadable);
}

/* Shake hands, where @end shows @key, and @options are of both. */
static void
meet(int end, const struct big_key *key, const char *options, gnutls_certificate_type_t type)
{
	struct big_key signing = *key;
	gnutls_datum_t shown =
		type == GNUTLS_CRT_RAWPK ? big_key_public(key) : big_key_certificate(key);
	gnutls_certificate_credentials_t hostile = big_key_credentials(&signing, &shown, type);
	char all[256];

	(void)encounter_setup(NULL);
	(void)snprintf(all, sizeof(all), "%s%s", good_pair, options);
	encounter_make(all, all, "localhost");
	assert_int_equal(
		gnutls_credentials_set(encounter.sessions[end], GNUTLS_CRD_CERTIFICATE, hostile),
		0);
	encounter_shake_hands();
	gnutls_free(shown.data);
	gnutls_deinit(encounter.sessions[end]);
	encounter.sessions[end] = NULL;
	gnutls_certificate_free_credentials(hostile);
}

static int
peer_of(int end)
{
	return end == CLIENT ? SERVER : CLIENT;
}

/* The one that met the @hostile end has refused its key, before it checked a signature by it. */
static void
assert_key_refused(int hostile)
{
	int end = peer_of(hostile);

	assert_int_equal(encounter.results[end], GNUTLS_E_CERTIFICATE_ERROR);
	encounter_assert_refused(end, GNUTLS_A_BAD_CERTIFICATE, words);
}

static void
a_strangers_signature_is_not_checked_by_a_key_that_takes_long(void **state)
{
	(void)state;
	for (int end = 0; end < ENDS; end++) {
		for (size_t i = 0; i < ARRAY_SIZE(too_large); i++) {
			meet(end, &too_large[i], "", GNUTLS_CRT_X509);
			assert_key_refused(end);
		}
		meet(end, &largest, "", GNUTLS_CRT_X509);
		assert_int_equal(encounter.results[peer_of(end)], GNUTLS_E_PK_SIG_VERIFY_FAILED);
	}
}

static void
nor_in_tls_1_2_where_nobody_is_verified(void **state)
{
	static const char unverified[] = "verify = no\ntls-max-version = 1.2\n";

	(void)state;
	meet(SERVER, &too_large[0], unverified, GNUTLS_CRT_X509);
	assert_key_refused(SERVER);
	meet(SERVER, &largest, unverified, GNUTLS_CRT_X509);
	assert_int_equal(encounter.results[CLIENT], GNUTLS_E_PK_SIG_VERIFY_FAILED);
}

static void
nor_by_a_raw_one(void **state)
{
	static const char pinned[] = PINNED, pinned_1_2[] = PINNED "tls-max-version = 1.2\n";

	(void)state;
	for (int end = 0; end < ENDS; end++) {
		meet(end, &too_large[0], pinned_1_2, GNUTLS_CRT_RAWPK);
		assert_key_refused(end);
		meet(end, &too_large[0], pinned, GNUTLS_CRT_RAWPK);
		assert_key_refused(end);
		meet(end, &largest, pinned, GNUTLS_CRT_RAWPK);
		assert_int_equal(encounter.results[peer_of(end)], GNUTLS_E_PK_SIG_VERIFY_FAILED);
	}
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, encounter_setup, encounter_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_rsa_key_is_bounded_in_both_its_numbers),
		cmocka_unit_test(what_cannot_be_read_is_refused_as_such),
		TEST(a_strangers_signature_is_not_checked_by_a_key_that_takes_long),
		TEST(nor_in_tls_1_2_where_nobody_is_verified),
		TEST(nor_by_a_raw_one),
	};

	return cmocka_run_group_tests(tests, encounter_begin, encounter_end);
}
