/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/defs.h"
#include "tunnel/aead.h"
#include "tunnel/ciphers.h"

enum { KEY_SIZE = 16, TEXT_SIZE = 4 };

static uint8_t iv[AEAD_NONCE] = {
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab};

static struct ev_loop *ev;
static struct ciphers *ciphers;
static struct cipher *one, *other, *holders[CIPHERS_MAX + 2];

static int
setup(void **state)
{
	(void)state;
	ev = ev_loop_new(EVFLAG_AUTO);
	ciphers = ciphers_new(ev);
	return ciphers ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	ciphers_free(ciphers);
	ev_loop_destroy(ev);
	return 0;
}

static void
hold(struct cipher **holder, uint8_t number)
{
	uint8_t bytes[KEY_SIZE] = {number};
	const struct cipher_secret secret = {
		.algorithm = GNUTLS_CIPHER_AES_128_GCM,
		.key = {bytes, sizeof(bytes)},
		.iv = {iv, AEAD_NONCE},
	};

	assert_int_equal(ciphers_hold(ciphers, holder, &secret), 0);
	assert_non_null(*holder);
}

/* Seal with what @holder holds after it was to hold the key of @number. */
static void
seal(struct cipher **holder, uint8_t number, uint8_t *sealed)
{
	uint8_t nonce[AEAD_NONCE];

	hold(holder, number);
	const struct aead *aead = cipher_use(*holder, 0, nonce);
	const struct aead_frame frame = {.nonce = nonce, .header = nonce};
	assert_int_equal(aead_seal(aead, &frame, "text", TEXT_SIZE, 0, sealed), 0);
}

static void
it_has_the_key_that_is_asked_for(void **state)
{
	uint8_t sealed[4][TEXT_SIZE + 1 + AEAD_TAG];

	(void)state;
	seal(&one, 1, sealed[0]);
	seal(&other, 2, sealed[1]);
	seal(&one, 1, sealed[2]);
	seal(&one, 2, sealed[3]);
	assert_memory_not_equal(sealed[0], sealed[1], sizeof(sealed[0]));
	assert_memory_equal(sealed[0], sealed[2], sizeof(sealed[0]));
	assert_memory_equal(sealed[1], sealed[3], sizeof(sealed[1]));
}

static void
it_stays_with_its_holder_while_the_key_is_the_same(void **state)
{
	(void)state;
	hold(&one, 1);
	const struct cipher *held = one;
	hold(&one, 1);
	assert_ptr_equal(one, held);
}

static void
a_nonce_is_made_of_the_iv_and_the_number(void **state)
{
	static const uint8_t expected[AEAD_NONCE] = {
		0xa0, 0xa1, 0xa2, 0xa3, 0xa5, 0xa7, 0xa5, 0xa3, 0xad, 0xaf, 0xad, 0xa3};
	uint8_t nonce[AEAD_NONCE];

	(void)state;
	hold(&one, 1);
	(void)cipher_use(one, 0, nonce);
	assert_memory_equal(nonce, iv, AEAD_NONCE);
	(void)cipher_use(one, UINT64_C(0x0102030405060708), nonce);
	assert_memory_equal(nonce, expected, AEAD_NONCE);
}

static void
the_oldest_is_taken_from_its_holder(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		hold(&holders[i], (uint8_t)i);
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		assert_int_equal(!holders[i], i < 2);
}

static void
a_holder_with_a_new_key_has_left_the_place_of_the_old_one(void **state)
{
	(void)state;
	hold(&one, 1);
	hold(&one, 2);
	for (size_t i = 0; i < CIPHERS_MAX - 1; i++)
		hold(&holders[i], 3);
	assert_non_null(one);
}

static void
what_is_dropped_is_gone(void **state)
{
	(void)state;
	cipher_drop(&one);
	hold(&one, 1);
	cipher_drop(&one);
	assert_null(one);
}

static void
all_are_taken_at_the_end(void **state)
{
	(void)state;
	hold(&one, 1);
	hold(&other, 2);
	ciphers_free(ciphers);
	ciphers = NULL;
	assert_null(one);
	assert_null(other);
	assert_int_equal(ev_run(ev, EVRUN_NOWAIT), 0);
}

static void
only_a_key_and_an_iv_that_fit_are_taken(void **state)
{
	static const struct {
		unsigned key, iv;
		int result;
	} rows[] = {{32, 12, 0}, {33, 12, -1}, {31, 12, -1}, {32, 11, -1}, {32, 13, -1}};
	uint8_t bytes[33] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cipher_secret secret = {
			.algorithm = GNUTLS_CIPHER_AES_256_GCM,
			.key = {bytes, rows[i].key},
			.iv = {bytes, rows[i].iv},
		};

		hold(&one, 1);
		assert_int_equal(ciphers_hold(ciphers, &one, &secret), rows[i].result);
		assert_int_equal(!one, rows[i].result != 0);
	}
}

/* Let @tenths of seconds pass, in which @cipher, if there is one, is used, and each time something new is held. */
static void
pass(unsigned tenths, struct cipher *cipher)
{
	enum { STEP = 2 };
	static uint8_t number = 100;
	uint8_t nonce[AEAD_NONCE];

	for (unsigned passed = 0; passed < tenths; passed += STEP) {
		if (cipher)
			(void)cipher_use(cipher, 0, nonce);
		hold(&holders[0], number++);
		ev_sleep(STEP / 10.0);
		ev_run(ev, EVRUN_NOWAIT);
	}
}

static void
nobody_keeps_what_is_not_used(void **state)
{
	(void)state;
	hold(&one, 1);
	hold(&other, 2);
	pass(1, one);
	pass(4, other);
	assert_non_null(one);
	assert_non_null(other);
	pass(24, one);
	assert_non_null(one);
	assert_null(other);
	pass(24, NULL);
	assert_null(one);
}

/* A loop with nothing else to watch says so. */
static void
nothing_wakes_who_holds_none(void **state)
{
	(void)state;
	assert_int_equal(ev_run(ev, EVRUN_NOWAIT), 0);
	hold(&one, 1);
	assert_int_not_equal(ev_run(ev, EVRUN_NOWAIT), 0);
	ev_sleep(1.1);
	(void)ev_run(ev, EVRUN_NOWAIT);
	assert_null(one);
	assert_int_equal(ev_run(ev, EVRUN_NOWAIT), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_has_the_key_that_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_stays_with_its_holder_while_the_key_is_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_nonce_is_made_of_the_iv_and_the_number, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_oldest_is_taken_from_its_holder, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_holder_with_a_new_key_has_left_the_place_of_the_old_one, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_dropped_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(all_are_taken_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(
			only_a_key_and_an_iv_that_fit_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_keeps_what_is_not_used, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_wakes_who_holds_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
