/* SPDX-License-Identifier: MIT */
/* The numbers of records that a protection keeps, and GnuTLS counts for itself. */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/shield.h"
#include "tunnel/ciphers.h"

static void
set_sequence(gnutls_session_t session, bool read, uint64_t number)
{
	uint8_t sequence[8];

	for (size_t i = 0; i < sizeof(sequence); i++)
		sequence[i] = (uint8_t)(number >> (56 - 8 * i));
	assert_int_equal(gnutls_record_set_state(session, read, sequence), 0);
}

static void
gnutls_renews_the_key_in_time(void **state)
{
	enum { PERIOD = 1 << 24, MARGIN = 1 << 12 };
	gnutls_datum_t key;
	uint8_t sequence[8];
	size_t sent = 0;

	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_gnutls_sends(100);
	set_sequence(shield_client(), false, PERIOD - MARGIN - 1);
	set_sequence(shield_server(), true, PERIOD - MARGIN - 1);
	assert_true(shield_seals(100));
	shield_server_receives(100);
	while (!shield_seals(100)) {
		assert_true(++sent <= MARGIN);
		assert_int_equal(gnutls_record_send(shield_client(), shield.data, 100), 100);
		protection_sent(&shield.protection, 100);
		if (gnutls_record_recv(shield_server(), shield.got, sizeof(shield.got)) ==
			GNUTLS_E_AGAIN)
			shield_server_receives(100);
	}
	shield_server_receives(100);
	assert_int_equal(
		gnutls_record_get_state(shield_client(), 0, NULL, NULL, &key, sequence), 0);
	assert_memory_equal(sequence, "\0\0\0\0\0\0\0\2", sizeof(sequence));
}

static void
a_cipher_that_was_taken_away_is_made_again(void **state)
{
	struct cipher *holders[CIPHERS_MAX] = {NULL};
	uint8_t zeros[16] = {0};
	const struct cipher_secret secret = {
		.algorithm = GNUTLS_CIPHER_AES_128_GCM,
		.key = {zeros, sizeof(zeros)},
		.iv = {zeros, 12},
	};

	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_gnutls_sends(100);
	assert_true(shield_seals(100));
	shield_server_receives(100);
	for (size_t i = 0; i < CIPHERS_MAX; i++)
		assert_int_equal(ciphers_hold(shield.ciphers, &holders[i], &secret), 0);
	assert_null(shield.protection.sent.cipher);
	assert_true(shield_seals(100));
	shield_server_receives(100);
	for (size_t i = 0; i < CIPHERS_MAX; i++)
		cipher_drop(&holders[i]);
}

static uint64_t
number_in_gnutls(bool read)
{
	uint8_t sequence[8];
	uint64_t number = 0;

	assert_int_equal(
		gnutls_record_get_state(shield_client(), read, NULL, NULL, NULL, sequence), 0);
	for (size_t i = 0; i < sizeof(sequence); i++)
		number = number << 8 | sequence[i];
	return number;
}

static void
who_asks_for_the_session_finds_the_numbers_there(void **state)
{
	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_gnutls_sends(100);
	shield_server_sends(1);
	shield_leaves(1);
	const uint64_t sent = number_in_gnutls(false), received = number_in_gnutls(true);
	for (unsigned i = 1; i <= 300; i++) {
		assert_true(shield_seals(1));
		shield_server_receives(1);
		if (i % 3 == 0)
			assert_int_equal(number_in_gnutls(false), sent + i);
		shield_server_sends(1);
		shield_opens(1);
		if (i % 4 == 0)
			assert_int_equal(number_in_gnutls(true), received + i);
	}
	assert_int_equal(number_in_gnutls(false), sent + 300);
	assert_int_equal(number_in_gnutls(true), received + 300);
}

/* Have @session receive @size bytes of data, and whatever comes before them. */
static void
gnutls_receives(gnutls_session_t session, size_t size)
{
	ssize_t length;

	memset(shield.got, 0, sizeof(shield.got));
	do {
		length = gnutls_record_recv(session, shield.got, sizeof(shield.got));
		if (session == shield.pair.sessions[HANDSHAKE_CLIENT])
			protection_received(&shield.protection, length > 0);
	} while (length == GNUTLS_E_AGAIN && window_has_record(&shield.window));
	if (length == GNUTLS_E_AGAIN)
		length = gnutls_record_recv(session, shield.got, sizeof(shield.got));
	assert_int_equal(length, size);
	assert_memory_equal(shield.got, shield.data, size);
}

static void
client_sends(size_t size, bool by_gnutls)
{
	if (by_gnutls || !shield_seals(size)) {
		assert_int_equal(gnutls_record_send(shield_client(), shield.data, size), size);
		protection_sent(&shield.protection, size);
	}
	gnutls_receives(shield_server(), size);
}

static void
client_receives(size_t size, bool by_gnutls)
{
	shield_server_sends(size);
	if (by_gnutls || protection_open(&shield.protection, &shield.window, shield.got) == 0)
		gnutls_receives(shield_client(), size);
	assert_memory_equal(shield.got, shield.data, size);
	assert_false(window_has_record(&shield.window));
}

static void
change_a_key(unsigned number)
{
	static const unsigned flags[] = {0, GNUTLS_KU_PEER};
	gnutls_session_t session = number / 2 % 2 ? shield_client() : shield_server();

	assert_int_equal(gnutls_session_key_update(session, flags[number % 2]), 0);
	if (session == shield_server())
		shield_fetch();
}

/* The server counts for itself: it reads nothing that was protected with another number than the next. */
static void
no_number_is_used_twice_or_left_out_whatever_comes_between(void **state)
{
	enum { STEPS = 20000, PERIOD = STEPS / 6 };
	unsigned seed = 1;

	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	for (unsigned step = 0; step < STEPS; step++) {
		seed = seed * 1103515245 + 12345;
		const unsigned choice = seed >> 16 & 31;
		const size_t size = 1 + (seed >> 21) % 100;

		/* GnuTLS takes eight a second of them. */
		if (step % PERIOD == PERIOD - 1)
			change_a_key(step / PERIOD);
		else if (choice == 0)
			cipher_drop(&shield.protection.sent.cipher);
		else if (choice == 1)
			cipher_drop(&shield.protection.received.cipher);
		else if (choice == 2)
			assert_non_null(shield_client());
		else if (choice % 2)
			client_sends(size, choice < 6);
		else
			client_receives(size, choice < 6);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, shield_setup, shield_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gnutls_renews_the_key_in_time),
		TEST(a_cipher_that_was_taken_away_is_made_again),
		TEST(who_asks_for_the_session_finds_the_numbers_there),
		TEST(no_number_is_used_twice_or_left_out_whatever_comes_between),
	};

	return cmocka_run_group_tests(tests, shield_make_credentials, shield_free_credentials);
}
