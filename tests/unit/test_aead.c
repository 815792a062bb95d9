/* SPDX-License-Identifier: MIT */
/* Each cipher against GnuTLS's, whichever it is on this machine. */
#include "tests/unit/unit.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "tunnel/aead.h"

enum { SIZE_MAX_TRIED = (16 << 10) + 1, SHORT = 600, HEADER = 5, LAST = 23 };

static const struct {
	gnutls_cipher_algorithm_t algorithm;
	unsigned key_size;
} kinds[] = {
	{GNUTLS_CIPHER_AES_128_GCM, 16},
	{GNUTLS_CIPHER_AES_256_GCM, 32},
	{GNUTLS_CIPHER_CHACHA20_POLY1305, 32},
};

static uint8_t data[SIZE_MAX_TRIED], sealed[SIZE_MAX_TRIED + 1 + AEAD_TAG],
	expected[sizeof(sealed)], opened[sizeof(sealed)], nonce[AEAD_NONCE], header[HEADER];
static uint8_t key_bytes[32];
static const struct aead_frame frame = {nonce, header, sizeof(header)};
static struct aead *aead;
static gnutls_aead_cipher_hd_t reference;

static void
fill(uint8_t *bytes, size_t size)
{
	assert_int_equal(gnutls_rnd(GNUTLS_RND_NONCE, bytes, size), 0);
}

static void
begin(size_t kind)
{
	const gnutls_datum_t key = {key_bytes, kinds[kind].key_size};

	fill(key_bytes, sizeof(key_bytes));
	fill(data, sizeof(data));
	aead = aead_new(kinds[kind].algorithm, &key);
	assert_non_null(aead);
	assert_int_equal(gnutls_aead_cipher_init(&reference, kinds[kind].algorithm, &key), 0);
}

static void
end(void)
{
	aead_free(aead);
	gnutls_aead_cipher_deinit(reference);
}

/* Seal @size bytes with LAST behind them, and see that GnuTLS would have, and that they can be opened. */
static void
both_ways(size_t size)
{
	size_t length = sizeof(expected);
	const uint8_t last = LAST;

	fill(nonce, sizeof(nonce));
	fill(header, sizeof(header));
	const giovec_t plain[] = {{data, size}, {(void *)(uintptr_t)&last, 1}};
	const giovec_t authentic = {header, sizeof(header)};
	assert_int_equal(gnutls_aead_cipher_encryptv(reference, nonce, sizeof(nonce), &authentic, 1,
				 AEAD_TAG, plain, 2, expected, &length),
		0);
	assert_int_equal(length, size + 1 + AEAD_TAG);
	assert_int_equal(aead_seal(aead, &frame, data, size, LAST, sealed), 0);
	assert_memory_equal(sealed, expected, length);
	memset(opened, 0, size + 1);
	assert_int_equal(aead_open(aead, &frame, sealed, length, opened), 0);
	assert_memory_equal(opened, data, size);
	assert_int_equal(opened[size], LAST);
}

static void
every_length_is_as_gnutls_would_have_it(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		begin(kind);
		for (size_t size = 0; size < SHORT; size++)
			both_ways(size);
		for (size_t size = SIZE_MAX_TRIED - 64; size <= SIZE_MAX_TRIED; size++)
			both_ways(size);
		for (size_t size = SHORT; size < SIZE_MAX_TRIED; size += 997)
			both_ways(size);
		end();
	}
}

static void
refuses(size_t size)
{
	assert_int_not_equal(aead_open(aead, &frame, sealed, size + AEAD_TAG, opened), 0);
}

static void
nothing_is_opened_that_was_changed_in_one_bit(void **state)
{
	enum { SIZE = 50 };

	(void)state;
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		begin(kind);
		both_ways(SIZE - 1);
		for (size_t bit = 0; bit < 8 * (size_t)(SIZE + AEAD_TAG); bit++) {
			sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
			refuses(SIZE);
			sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		header[HEADER - 1] ^= 1;
		refuses(SIZE);
		header[HEADER - 1] ^= 1;
		nonce[AEAD_NONCE - 1] ^= 1;
		refuses(SIZE);
		nonce[AEAD_NONCE - 1] ^= 1;
		refuses(SIZE - 1);
		assert_int_equal(aead_open(aead, &frame, sealed, SIZE + AEAD_TAG, opened), 0);
		end();
	}
}

static void
an_empty_message_is_authenticated(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		size_t length = sizeof(sealed);

		begin(kind);
		assert_int_equal(gnutls_aead_cipher_encrypt(reference, nonce, sizeof(nonce), header,
					 sizeof(header), AEAD_TAG, data, 0, sealed, &length),
			0);
		assert_int_equal(aead_open(aead, &frame, sealed, length, opened), 0);
		sealed[0] ^= 1;
		assert_int_not_equal(aead_open(aead, &frame, sealed, length, opened), 0);
		end();
	}
}

static void
both_ways_stay_within(size_t size)
{
	enum { GUARD = 64, UNTOUCHED = 0xa5 };
	const size_t length = size + 1 + AEAD_TAG;

	memset(sealed, UNTOUCHED, length + GUARD);
	memset(opened, UNTOUCHED, length + GUARD);
	assert_int_equal(aead_seal(aead, &frame, data, size, LAST, sealed), 0);
	assert_int_equal(aead_open(aead, &frame, sealed, length, opened), 0);
	for (size_t i = 0; i < GUARD; i++) {
		assert_int_equal(sealed[length + i], UNTOUCHED);
		assert_int_equal(opened[size + 1 + i], UNTOUCHED);
	}
}

static void
no_more_is_written_than_is_told(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		begin(kind);
		for (size_t size = 0; size < SHORT; size++)
			both_ways_stay_within(size);
		end();
	}
}

static void
a_key_of_another_length_makes_none(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		const gnutls_datum_t key = {key_bytes, kinds[kind].key_size - 1};

		assert_true(aead_knows(kinds[kind].algorithm));
		assert_null(aead_new(kinds[kind].algorithm, &key));
	}
	assert_false(aead_knows(GNUTLS_CIPHER_AES_128_CCM));
	assert_false(aead_knows(GNUTLS_CIPHER_AES_128_CBC));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_is_as_gnutls_would_have_it),
		cmocka_unit_test(nothing_is_opened_that_was_changed_in_one_bit),
		cmocka_unit_test(an_empty_message_is_authenticated),
		cmocka_unit_test(no_more_is_written_than_is_told),
		cmocka_unit_test(a_key_of_another_length_makes_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
