/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/defs.h"
#include "tunnel/aead.h"
#include "tunnel/ciphers.h"

enum { KEY_SIZE = 16, TEXT_SIZE = 4 };

static struct ciphers *ciphers;
static struct cipher *one, *other, *holders[CIPHERS_MAX + 2];

static int
setup(void **state)
{
	(void)state;
	ciphers = ciphers_new();
	return ciphers ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	ciphers_free(ciphers);
	return 0;
}

static struct aead *
get(struct cipher **holder, uint8_t number)
{
	uint8_t bytes[KEY_SIZE] = {number};
	const gnutls_datum_t key = {bytes, sizeof(bytes)};
	struct aead *aead = ciphers_get(ciphers, holder, GNUTLS_CIPHER_AES_128_GCM, &key);

	assert_non_null(aead);
	assert_non_null(*holder);
	return aead;
}

static void
seal(const struct aead *aead, uint8_t *sealed)
{
	static const uint8_t nonce[AEAD_NONCE];
	const struct aead_frame frame = {.nonce = nonce, .header = nonce};

	assert_int_equal(aead_seal(aead, &frame, "text", TEXT_SIZE, 0, sealed), 0);
}

static void
it_has_the_key_that_is_asked_for(void **state)
{
	uint8_t sealed[4][TEXT_SIZE + 1 + AEAD_TAG];

	(void)state;
	seal(get(&one, 1), sealed[0]);
	seal(get(&other, 2), sealed[1]);
	seal(get(&one, 1), sealed[2]);
	seal(get(&one, 2), sealed[3]);
	assert_memory_not_equal(sealed[0], sealed[1], sizeof(sealed[0]));
	assert_memory_equal(sealed[0], sealed[2], sizeof(sealed[0]));
	assert_memory_equal(sealed[1], sealed[3], sizeof(sealed[1]));
}

static void
it_stays_with_its_holder_while_the_key_is_the_same(void **state)
{
	(void)state;
	const struct aead *aead = get(&one, 1);
	struct cipher *held = one;
	assert_ptr_equal(get(&one, 1), aead);
	assert_ptr_equal(one, held);
}

static void
the_oldest_is_taken_from_its_holder(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		(void)get(&holders[i], (uint8_t)i);
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		assert_int_equal(!holders[i], i < 2);
}

static void
a_holder_with_a_new_key_has_left_the_place_of_the_old_one(void **state)
{
	(void)state;
	(void)get(&one, 1);
	(void)get(&one, 2);
	for (size_t i = 0; i < CIPHERS_MAX - 1; i++)
		(void)get(&holders[i], 3);
	assert_non_null(one);
}

static void
what_is_dropped_is_gone(void **state)
{
	(void)state;
	cipher_drop(&one);
	(void)get(&one, 1);
	cipher_drop(&one);
	assert_null(one);
}

static void
all_are_taken_at_the_end(void **state)
{
	(void)state;
	(void)get(&one, 1);
	(void)get(&other, 2);
	ciphers_free(ciphers);
	ciphers = NULL;
	assert_null(one);
	assert_null(other);
}

static void
no_key_is_too_long(void **state)
{
	uint8_t bytes[33] = {0};
	const gnutls_datum_t key = {bytes, sizeof(bytes)};

	(void)state;
	assert_null(ciphers_get(ciphers, &one, GNUTLS_CIPHER_AES_256_GCM, &key));
	assert_null(one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_has_the_key_that_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_stays_with_its_holder_while_the_key_is_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_oldest_is_taken_from_its_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_holder_with_a_new_key_has_left_the_place_of_the_old_one, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_dropped_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(all_are_taken_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(no_key_is_too_long, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
