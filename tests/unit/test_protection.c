/* SPDX-License-Identifier: MIT */
/* The client's end has a protection, the server's is GnuTLS alone. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/defs.h"
#include "tests/unit/forgery.h"
#include "tests/unit/handshake.h"
#include "tests/unit/identities.h"
#include "tunnel/ciphers.h"
#include "tunnel/protection.h"
#include "tunnel/records.h"
#include "tunnel/stream.h"
#include "tunnel/window.h"

enum { DATA_MAX = 16 << 10, WIRE_MAX = 64 << 10, TAG_SIZE = 16, OVERHEAD = 1 + TAG_SIZE };

#define TLS_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+"
#define TLS_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+"

static struct handshake pair;
static struct pki_pair authority, leaf;
static gnutls_certificate_credentials_t credentials[HANDSHAKE_ENDS];
static struct ev_loop *ev;
static struct ciphers *ciphers;
static struct protection protection;
static struct window window; /* what has come to the client */
static uint8_t data[DATA_MAX], wire[WIRE_MAX], got[DATA_MAX + STREAM_SLACK];
static const size_t sizes[] = {1, 2, 15, 16, 17, 255, 1000, DATA_MAX - 1, DATA_MAX};

static gnutls_session_t
client(void)
{
	return protection_session(&protection);
}

static gnutls_session_t
server(void)
{
	return pair.sessions[HANDSHAKE_SERVER];
}

static ssize_t
on_pull(gnutls_transport_ptr_t pointer, void *bytes, size_t size)
{
	size_t taken = window_take(pointer, bytes, size);

	if (taken > 0)
		return (ssize_t)taken;
	gnutls_transport_set_errno(client(), EAGAIN);
	return -1;
}

/* Shake hands as @priority says; from then on the client reads from its window. */
static void
begin(const char *priority)
{
	handshake_start(&pair, priority, 0);
	for (int end = 0; end < HANDSHAKE_ENDS; end++) {
		assert_int_equal(gnutls_credentials_set(pair.sessions[end], GNUTLS_CRD_CERTIFICATE,
					 credentials[end]),
			0);
	}
	handshake_run(&pair);
	assert_int_equal(pair.results[HANDSHAKE_CLIENT], 0);
	assert_int_equal(pair.results[HANDSHAKE_SERVER], 0);
	protection_init(&protection, pair.sessions[HANDSHAKE_CLIENT]);
	gnutls_transport_set_ptr2(
		client(), &window, (gnutls_transport_ptr_t)(intptr_t)pair.fds[HANDSHAKE_CLIENT]);
	gnutls_transport_set_pull_function(client(), on_pull);
	protection_begin(&protection, ciphers);
}

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	window = (struct window){.bytes = wire, .size = sizeof(wire)};
	ev = ev_loop_new(EVFLAG_AUTO);
	ciphers = ciphers_new(ev);
	return ciphers ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	protection_end(&protection);
	assert_null(protection.received.cipher);
	assert_null(protection.sent.cipher);
	ciphers_free(ciphers);
	ev_loop_destroy(ev);
	handshake_end(&pair);
	return 0;
}

static int
make_credentials(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	for (int end = 0; end < HANDSHAKE_ENDS; end++)
		assert_int_equal(gnutls_certificate_allocate_credentials(&credentials[end]), 0);
	return gnutls_certificate_set_x509_key(
		credentials[HANDSHAKE_SERVER], &leaf.crt, 1, leaf.key);
}

static int
free_credentials(void **state)
{
	(void)state;
	for (int end = 0; end < HANDSHAKE_ENDS; end++)
		gnutls_certificate_free_credentials(credentials[end]);
	pki_pair_release(&leaf);
	pki_pair_release(&authority);
	return 0;
}

/* Begin as @priority says, in place of what the row before has left. */
static void
begin_row(void **state, size_t row, const char *priority)
{
	if (row > 0) {
		(void)teardown(state);
		(void)setup(state);
	}
	begin(priority);
}

/* Have what the server has sent in the window. */
static void
fetch(void)
{
	size_t room = window_make_room(&window);
	ssize_t size = recv(pair.fds[HANDSHAKE_CLIENT], window.bytes + window.end, room, 0);

	assert_true(size > 0);
	window_grow(&window, (size_t)size);
}

static void
server_sends(size_t size)
{
	assert_int_equal(gnutls_record_send(server(), data, size), size);
	fetch();
}

/* What is in the window must be @size bytes of data for us. */
static void
opens(size_t size)
{
	memset(got, 0, sizeof(got));
	assert_int_equal(protection_open(&protection, &window, got), size);
	assert_memory_equal(got, data, size);
	assert_false(window_has_record(&window));
}

/* It must not be for us, and still there. GnuTLS must make @result of it. */
static void
leaves(ssize_t result)
{
	size_t before = window.start;

	assert_int_equal(protection_open(&protection, &window, got), 0);
	assert_int_equal(window.start, before);
	ssize_t length = gnutls_record_recv(client(), got, sizeof(got));
	assert_int_equal(length, result);
	protection_received(&protection, length > 0);
}

static bool
is_sealed(size_t size)
{
	static uint8_t record[RECORD_HEADER + DATA_MAX + OVERHEAD];
	size_t length = protection_seal(&protection, data, size, record, sizeof(record));

	if (length == 0)
		return false;
	assert_int_equal(length, size + OVERHEAD + RECORD_HEADER);
	assert_int_equal(send(pair.fds[HANDSHAKE_CLIENT], record, length, 0), length);
	return true;
}

static void
server_receives(size_t size)
{
	memset(got, 0, sizeof(got));
	assert_int_equal(gnutls_record_recv(server(), got, sizeof(got)), size);
	assert_memory_equal(got, data, size);
}

/* GnuTLS sends @size bytes for the client, so that as much can be sealed. */
static void
gnutls_sends(size_t size)
{
	assert_int_equal(gnutls_record_send(client(), data, size), size);
	protection_sent(&protection, size);
	server_receives(size);
}

static void
both_ways_work_with(const char *priority)
{
	begin(priority);
	gnutls_sends(DATA_MAX);
	server_sends(1);
	leaves(1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_true(is_sealed(sizes[i]));
		server_receives(sizes[i]);
		server_sends(sizes[i]);
		opens(sizes[i]);
		gnutls_sends(1);
		server_sends(2);
		assert_int_equal(gnutls_record_recv(client(), got, sizeof(got)), 2);
	}
}

static void
data_goes_both_ways_between_records_of_gnutls(void **state)
{
	(void)state;
	both_ways_work_with(TLS_1_3 "AES-128-GCM");
}

static void
a_longer_key_is_as_good(void **state)
{
	(void)state;
	both_ways_work_with(TLS_1_3 "AES-256-GCM");
}

static void
chacha20_is_as_good(void **state)
{
	(void)state;
	both_ways_work_with(TLS_1_3 "CHACHA20-POLY1305");
}

static void
other_ciphers_and_versions_are_left_to_gnutls(void **state)
{
	static const char *const others[] = {
		TLS_1_3 "AES-128-CCM",
		TLS_1_3 "AES-128-CCM-8",
		TLS_1_2 "AES-128-GCM",
		TLS_1_2 "CHACHA20-POLY1305",
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		begin_row(state, i, others[i]);
		gnutls_sends(100);
		assert_false(is_sealed(100));
		for (size_t n = 0; n < 3; n++) {
			server_sends(100);
			leaves(100);
		}
	}
}

static void
no_more_is_sealed_than_gnutls_has_sent_before(void **state)
{
	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	assert_false(is_sealed(1));
	gnutls_sends(100);
	assert_true(is_sealed(100));
	server_receives(100);
	assert_false(is_sealed(101));
	gnutls_sends(10);
	assert_true(is_sealed(100));
	server_receives(100);
}

static void
nothing_is_sealed_without_room(void **state)
{
	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	gnutls_sends(100);
	assert_int_equal(protection_seal(&protection, data, 100, wire, 121), 0);
	assert_int_equal(protection_seal(&protection, data, 100, wire, 122), 122);
}

static void
padding_is_taken_off(void **state)
{
	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	server_sends(1);
	leaves(1);
	assert_int_equal(gnutls_record_send2(server(), data, 10, 500, 0), 10);
	fetch();
	opens(10);
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
		begin_row(state, i, TLS_1_3 "AES-128-GCM");
		server_sends(1);
		leaves(1);
		server_sends(100);
		wire[window.start + rows[i].at] ^= 1;
		leaves(rows[i].result);
	}
}

/* Put a record into the window that holds @size bytes of @inner, which GnuTLS would not send. */
static void
server_forges(const uint8_t *inner, size_t size)
{
	assert_true(window_make_room(&window) >= size + FORGERY_OVERHEAD);
	window_grow(&window, forgery_make(server(), inner, size, window.bytes + window.end));
}

static void
a_record_that_is_odd_is_left_to_gnutls(void **state)
{
	static uint8_t inner[DATA_MAX + 2];
	const struct {
		size_t type_at, size;
		ssize_t result;
	} rows[] = {
		{DATA_MAX + 1, DATA_MAX + 2, GNUTLS_E_RECORD_OVERFLOW},
		{DATA_MAX, DATA_MAX + 2, GNUTLS_E_RECORD_OVERFLOW},
		{DATA_MAX, DATA_MAX, GNUTLS_E_DECRYPTION_FAILED}, /* nothing but padding */
		{0, 1, GNUTLS_E_AGAIN},				  /* no data */
		{0, 100, GNUTLS_E_AGAIN},			  /* no data, and padding */
		{0, 0, GNUTLS_E_DECRYPTION_FAILED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_row(state, i, TLS_1_3 "AES-128-GCM");
		server_sends(1);
		leaves(1);
		inner[rows[i].type_at] = 23;
		server_forges(inner, rows[i].size);
		inner[rows[i].type_at] = 0;
		leaves(rows[i].result);
	}
}

static void
the_longest_record_is_opened(void **state)
{
	uint8_t inner[DATA_MAX + 1];

	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	server_sends(1);
	leaves(1);
	memcpy(inner, data, DATA_MAX);
	inner[DATA_MAX] = 23;
	server_forges(inner, sizeof(inner));
	opens(DATA_MAX);
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
	begin(TLS_1_3 "AES-128-GCM");
	server_sends(1);
	leaves(1);
	for (size_t size = 1; size <= sizeof(bytes); size++) {
		struct window tight = {.bytes = edge - size, .size = size};

		memcpy(tight.bytes, bytes, size);
		window_grow(&tight, size);
		assert_int_equal(protection_open(&protection, &tight, got), 0);
	}
	assert_int_equal(munmap(edge - EDGE, (size_t)2 * EDGE), 0);
}

static void
data_that_gnutls_holds_comes_first(void **state)
{
	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	server_sends(100);
	assert_int_equal(gnutls_record_recv(client(), got, 60), 60);
	protection_received(&protection, true);
	server_sends(100);
	leaves(40);
	opens(100);
}

static void
an_alert_is_left_to_gnutls(void **state)
{
	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	server_sends(1);
	leaves(1);
	assert_int_equal(gnutls_bye(server(), GNUTLS_SHUT_WR), 0);
	fetch();
	leaves(0);
}

static void
a_record_is_opened_in_its_turn_only(void **state)
{
	uint8_t first[RECORD_HEADER + OVERHEAD + 100];

	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	server_sends(1);
	leaves(1);
	server_sends(100);
	memcpy(first, wire + window.start, sizeof(first));
	opens(100);
	memcpy(wire, first, sizeof(first));
	window = (struct window){.bytes = wire, .size = sizeof(wire)};
	window_grow(&window, sizeof(first));
	leaves(GNUTLS_E_DECRYPTION_FAILED);
}

static void
after_a_new_key_gnutls_has_the_next(void **state)
{
	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	gnutls_sends(100);
	server_sends(100);
	leaves(100);
	assert_int_equal(gnutls_session_key_update(server(), GNUTLS_KU_PEER), 0);
	fetch();
	leaves(GNUTLS_E_AGAIN);
	server_sends(100);
	leaves(100);
	server_sends(100);
	opens(100);
	/* It was asked for one of ours, which GnuTLS sends before its next data. */
	assert_false(is_sealed(100));
	assert_int_equal(gnutls_record_send(client(), data, 100), 100);
	protection_sent(&protection, 100);
	assert_int_equal(gnutls_record_recv(server(), got, sizeof(got)), GNUTLS_E_AGAIN);
	server_receives(100);
	assert_true(is_sealed(100));
	server_receives(100);
}

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
	begin(TLS_1_3 "AES-128-GCM");
	gnutls_sends(100);
	set_sequence(client(), false, PERIOD - MARGIN - 1);
	set_sequence(server(), true, PERIOD - MARGIN - 1);
	assert_true(is_sealed(100));
	server_receives(100);
	while (!is_sealed(100)) {
		assert_true(++sent <= MARGIN);
		assert_int_equal(gnutls_record_send(client(), data, 100), 100);
		protection_sent(&protection, 100);
		if (gnutls_record_recv(server(), got, sizeof(got)) == GNUTLS_E_AGAIN)
			server_receives(100);
	}
	server_receives(100);
	assert_int_equal(gnutls_record_get_state(client(), 0, NULL, NULL, &key, sequence), 0);
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
	begin(TLS_1_3 "AES-128-GCM");
	gnutls_sends(100);
	assert_true(is_sealed(100));
	server_receives(100);
	for (size_t i = 0; i < CIPHERS_MAX; i++)
		assert_int_equal(ciphers_hold(ciphers, &holders[i], &secret), 0);
	assert_null(protection.sent.cipher);
	assert_true(is_sealed(100));
	server_receives(100);
	for (size_t i = 0; i < CIPHERS_MAX; i++)
		cipher_drop(&holders[i]);
}

static uint64_t
number_in_gnutls(bool read)
{
	uint8_t sequence[8];
	uint64_t number = 0;

	assert_int_equal(gnutls_record_get_state(client(), read, NULL, NULL, NULL, sequence), 0);
	for (size_t i = 0; i < sizeof(sequence); i++)
		number = number << 8 | sequence[i];
	return number;
}

static void
who_asks_for_the_session_finds_the_numbers_there(void **state)
{
	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	gnutls_sends(100);
	server_sends(1);
	leaves(1);
	const uint64_t sent = number_in_gnutls(false), received = number_in_gnutls(true);
	for (unsigned i = 1; i <= 300; i++) {
		assert_true(is_sealed(1));
		server_receives(1);
		if (i % 3 == 0)
			assert_int_equal(number_in_gnutls(false), sent + i);
		server_sends(1);
		opens(1);
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

	memset(got, 0, sizeof(got));
	do {
		length = gnutls_record_recv(session, got, sizeof(got));
		if (session == pair.sessions[HANDSHAKE_CLIENT])
			protection_received(&protection, length > 0);
	} while (length == GNUTLS_E_AGAIN && window_has_record(&window));
	if (length == GNUTLS_E_AGAIN)
		length = gnutls_record_recv(session, got, sizeof(got));
	assert_int_equal(length, size);
	assert_memory_equal(got, data, size);
}

static void
client_sends(size_t size, bool by_gnutls)
{
	if (by_gnutls || !is_sealed(size)) {
		assert_int_equal(gnutls_record_send(client(), data, size), size);
		protection_sent(&protection, size);
	}
	gnutls_receives(server(), size);
}

static void
client_receives(size_t size, bool by_gnutls)
{
	server_sends(size);
	if (by_gnutls || protection_open(&protection, &window, got) == 0)
		gnutls_receives(client(), size);
	assert_memory_equal(got, data, size);
	assert_false(window_has_record(&window));
}

static void
change_a_key(unsigned number)
{
	static const unsigned flags[] = {0, GNUTLS_KU_PEER};
	gnutls_session_t session = number / 2 % 2 ? client() : server();

	assert_int_equal(gnutls_session_key_update(session, flags[number % 2]), 0);
	if (session == server())
		fetch();
}

/* The server counts for itself: it reads nothing that was protected with another number than the next. */
static void
no_number_is_used_twice_or_left_out_whatever_comes_between(void **state)
{
	enum { STEPS = 20000, PERIOD = STEPS / 6 };
	unsigned seed = 1;

	(void)state;
	begin(TLS_1_3 "AES-128-GCM");
	for (unsigned step = 0; step < STEPS; step++) {
		seed = seed * 1103515245 + 12345;
		const unsigned choice = seed >> 16 & 31;
		const size_t size = 1 + (seed >> 21) % 100;

		/* GnuTLS takes eight a second of them. */
		if (step % PERIOD == PERIOD - 1)
			change_a_key(step / PERIOD);
		else if (choice == 0)
			cipher_drop(&protection.sent.cipher);
		else if (choice == 1)
			cipher_drop(&protection.received.cipher);
		else if (choice == 2)
			assert_non_null(client());
		else if (choice % 2)
			client_sends(size, choice < 6);
		else
			client_receives(size, choice < 6);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

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
		TEST(gnutls_renews_the_key_in_time),
		TEST(a_cipher_that_was_taken_away_is_made_again),
		TEST(who_asks_for_the_session_finds_the_numbers_there),
		TEST(no_number_is_used_twice_or_left_out_whatever_comes_between),
	};

	return cmocka_run_group_tests(tests, make_credentials, free_credentials);
}
