/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "common/defs.h"
#include "tests/unit/forgery.h"
#include "tests/unit/shield.h"
#include "tunnel/records.h"

static const size_t sizes[] = {1, 2, 15, 16, 17, 255, 1000, SHIELD_DATA - 1, SHIELD_DATA};

/* Begin as @priority says, in place of what the row before has left. */
static void
begin_row(void **state, size_t row, const char *priority)
{
	if (row > 0) {
		(void)shield_teardown(state);
		(void)shield_setup(state);
	}
	shield_begin(priority);
}

static void
both_ways_work_with(const char *priority)
{
	shield_begin(priority);
	shield_gnutls_sends(SHIELD_DATA);
	shield_server_sends(1);
	shield_leaves(1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_true(shield_seals(sizes[i]));
		shield_server_receives(sizes[i]);
		shield_server_sends(sizes[i]);
		shield_opens(sizes[i]);
		shield_gnutls_sends(1);
		shield_server_sends(2);
		assert_int_equal(
			gnutls_record_recv(shield_client(), shield.got, sizeof(shield.got)), 2);
	}
}

static void
data_goes_both_ways_between_records_of_gnutls(void **state)
{
	(void)state;
	both_ways_work_with(SHIELD_TLS_1_3 "AES-128-GCM");
}

static void
a_longer_key_is_as_good(void **state)
{
	(void)state;
	both_ways_work_with(SHIELD_TLS_1_3 "AES-256-GCM");
}

static void
chacha20_is_as_good(void **state)
{
	(void)state;
	both_ways_work_with(SHIELD_TLS_1_3 "CHACHA20-POLY1305");
}

static void
other_ciphers_and_versions_are_left_to_gnutls(void **state)
{
	static const char *const others[] = {
		SHIELD_TLS_1_3 "AES-128-CCM",
		SHIELD_TLS_1_3 "AES-128-CCM-8",
		SHIELD_TLS_1_2 "AES-128-GCM",
		SHIELD_TLS_1_2 "CHACHA20-POLY1305",
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		begin_row(state, i, others[i]);
		shield_gnutls_sends(100);
		assert_false(shield_seals(100));
		for (size_t n = 0; n < 3; n++) {
			shield_server_sends(100);
			shield_leaves(100);
		}
	}
}

static void
no_more_is_sealed_than_gnutls_has_sent_before(void **state)
{
	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	assert_false(shield_seals(1));
	shield_gnutls_sends(100);
	assert_true(shield_seals(100));
	shield_server_receives(100);
	assert_false(shield_seals(101));
	shield_gnutls_sends(10);
	assert_true(shield_seals(100));
	shield_server_receives(100);
}

static void
nothing_is_sealed_without_room(void **state)
{
	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_gnutls_sends(100);
	assert_int_equal(
		protection_seal(&shield.protection, shield.data, 100, shield.wire, 121), 0);
	assert_int_equal(
		protection_seal(&shield.protection, shield.data, 100, shield.wire, 122), 122);
}

static void
padding_is_taken_off(void **state)
{
	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_server_sends(1);
	shield_leaves(1);
	assert_int_equal(gnutls_record_send2(shield_server(), shield.data, 10, 500, 0), 10);
	shield_fetch();
	shield_opens(10);
}

/* A bit of a record that is on its way is turned: GnuTLS must be who sees it. */
static void
a_changed_record_is_left_to_gnutls(void **state)
{
	static const struct {
		size_t at;
		ssize_t result;
	} rows[] = {
		{0, 100},				     /* its type, which GnuTLS overlooks */
		{2, GNUTLS_E_UNSUPPORTED_VERSION_PACKET},    /* its version */
		{RECORD_HEADER, GNUTLS_E_DECRYPTION_FAILED}, /* its data */
		{RECORD_HEADER + 100, GNUTLS_E_DECRYPTION_FAILED},	/* its type inside */
		{RECORD_HEADER + 100 + 16, GNUTLS_E_DECRYPTION_FAILED}, /* its tag */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_row(state, i, SHIELD_TLS_1_3 "AES-128-GCM");
		shield_server_sends(1);
		shield_leaves(1);
		shield_server_sends(100);
		shield.wire[shield.window.start + rows[i].at] ^= 1;
		shield_leaves(rows[i].result);
	}
}

/* Put a record into the window that holds @size bytes of @inner, which GnuTLS would not send. */
static void
server_forges(const uint8_t *inner, size_t size)
{
	assert_true(window_make_room(&shield.window) >= size + FORGERY_OVERHEAD);
	window_grow(&shield.window,
		forgery_make(
			shield_server(), inner, size, shield.window.bytes + shield.window.end));
}

static void
a_record_that_is_odd_is_left_to_gnutls(void **state)
{
	static uint8_t inner[SHIELD_DATA + 2];
	const struct {
		size_t type_at, size;
		ssize_t result;
	} rows[] = {
		{SHIELD_DATA + 1, SHIELD_DATA + 2, GNUTLS_E_RECORD_OVERFLOW},
		{SHIELD_DATA, SHIELD_DATA + 2, GNUTLS_E_RECORD_OVERFLOW},
		{SHIELD_DATA, SHIELD_DATA, GNUTLS_E_DECRYPTION_FAILED}, /* nothing but padding */
		{0, 1, GNUTLS_E_AGAIN},					/* no data */
		{0, 100, GNUTLS_E_AGAIN},				/* no data, and padding */
		{0, 0, GNUTLS_E_DECRYPTION_FAILED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_row(state, i, SHIELD_TLS_1_3 "AES-128-GCM");
		shield_server_sends(1);
		shield_leaves(1);
		inner[rows[i].type_at] = 23;
		server_forges(inner, rows[i].size);
		inner[rows[i].type_at] = 0;
		shield_leaves(rows[i].result);
	}
}

static void
the_longest_record_is_opened(void **state)
{
	uint8_t inner[SHIELD_DATA + 1];

	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_server_sends(1);
	shield_leaves(1);
	memcpy(inner, shield.data, SHIELD_DATA);
	inner[SHIELD_DATA] = 23;
	server_forges(inner, sizeof(inner));
	shield_opens(SHIELD_DATA);
}

/* An impossible one is handed out at once. Nothing may be read behind it, where there is no memory. */
static void
what_is_no_whole_record_is_left_to_gnutls(void **state)
{
	enum { EDGE = 64 << 10 };
	static const uint8_t bytes[] = {23, 4, 3, 64, 0, 'x'};
	uint8_t *edge = mmap(
		NULL, (size_t)2 * EDGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(edge, MAP_FAILED);
	edge += EDGE;
	assert_int_equal(mprotect(edge, EDGE, PROT_NONE), 0);
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_server_sends(1);
	shield_leaves(1);
	for (size_t size = 1; size <= sizeof(bytes); size++) {
		struct window tight = {.bytes = edge - size, .size = size};

		memcpy(tight.bytes, bytes, size);
		window_grow(&tight, size);
		assert_int_equal(protection_open(&shield.protection, &tight, shield.got), 0);
	}
	assert_int_equal(munmap(edge - EDGE, (size_t)2 * EDGE), 0);
}

static void
data_that_gnutls_holds_comes_first(void **state)
{
	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_server_sends(100);
	assert_int_equal(gnutls_record_recv(shield_client(), shield.got, 60), 60);
	protection_received(&shield.protection, true);
	shield_server_sends(100);
	shield_leaves(40);
	shield_opens(100);
}

static void
an_alert_is_left_to_gnutls(void **state)
{
	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_server_sends(1);
	shield_leaves(1);
	assert_int_equal(gnutls_bye(shield_server(), GNUTLS_SHUT_WR), 0);
	shield_fetch();
	shield_leaves(0);
}

static void
a_record_is_opened_in_its_turn_only(void **state)
{
	uint8_t first[RECORD_HEADER + SHIELD_OVERHEAD + 100];

	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_server_sends(1);
	shield_leaves(1);
	shield_server_sends(100);
	memcpy(first, shield.wire + shield.window.start, sizeof(first));
	shield_opens(100);
	memcpy(shield.wire, first, sizeof(first));
	shield.window = (struct window){.bytes = shield.wire, .size = sizeof(shield.wire)};
	window_grow(&shield.window, sizeof(first));
	shield_leaves(GNUTLS_E_DECRYPTION_FAILED);
}

static void
after_a_new_key_gnutls_has_the_next(void **state)
{
	(void)state;
	shield_begin(SHIELD_TLS_1_3 "AES-128-GCM");
	shield_gnutls_sends(100);
	shield_server_sends(100);
	shield_leaves(100);
	assert_int_equal(gnutls_session_key_update(shield_server(), GNUTLS_KU_PEER), 0);
	shield_fetch();
	shield_leaves(GNUTLS_E_AGAIN);
	shield_server_sends(100);
	shield_leaves(100);
	shield_server_sends(100);
	shield_opens(100);
	/* It was asked for one of ours, which GnuTLS sends before its next data. */
	assert_false(shield_seals(100));
	assert_int_equal(gnutls_record_send(shield_client(), shield.data, 100), 100);
	protection_sent(&shield.protection, 100);
	assert_int_equal(gnutls_record_recv(shield_server(), shield.got, sizeof(shield.got)),
		GNUTLS_E_AGAIN);
	shield_server_receives(100);
	assert_true(shield_seals(100));
	shield_server_receives(100);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, shield_setup, shield_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_goes_both_ways_between_records_of_gnutls),
		TEST(a_longer_key_is_as_good),
		TEST(chacha20_is_as_good),
		TEST(other_ciphers_and_versions_are_left_to_gnutls),
		TEST(no_more_is_sealed_than_gnutls_has_sent_before),
		TEST(nothing_is_sealed_without_room),
		TEST(padding_is_taken_off),
		TEST(a_changed_record_is_left_to_gnutls),
		TEST(a_record_that_is_odd_is_left_to_gnutls),
		TEST(the_longest_record_is_opened),
		TEST(what_is_no_whole_record_is_left_to_gnutls),
		TEST(data_that_gnutls_holds_comes_first),
		TEST(an_alert_is_left_to_gnutls),
		TEST(a_record_is_opened_in_its_turn_only),
		TEST(after_a_new_key_gnutls_has_the_next),
	};

	return cmocka_run_group_tests(tests, shield_make_credentials, shield_free_credentials);
}
