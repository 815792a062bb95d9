/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/config.h"
#include "tunnel/hello.h"

enum { ROOM = 200 << 10 };

/* Bytes in the making. */
struct bytes {
	uint8_t data[ROOM];
	size_t size;
};

static struct bytes extensions, message, wire;

static void
put(struct bytes *bytes, const void *data, size_t size)
{
	assert_true(bytes->size + size <= ROOM);
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void
put_number(struct bytes *bytes, size_t number, int size)
{
	while (size-- > 0) {
		uint8_t byte = (uint8_t)(number >> (8 * size));
		put(bytes, &byte, 1);
	}
}

static void
put_extension(size_t type, const void *data, size_t size)
{
	put_number(&extensions, type, 2);
	put_number(&extensions, size, 2);
	put(&extensions, data, size);
}

static void
put_name(const void *name, size_t size)
{
	static struct bytes list;

	list.size = 0;
	put_number(&list, size + 3, 2);
	put_number(&list, 0, 1);
	put_number(&list, size, 2);
	put(&list, name, size);
	put_extension(0, list.data, list.size);
}

/* A ClientHello with what is in extensions, or without any; never @size bytes short. */
static void
make_message(bool extended)
{
	static const uint8_t zeroes[32];

	message.size = 0;
	put_number(&message, 1, 1);
	put_number(&message, 2 + 32 + 1 + 32 + 2 + 4 + 2 + (extended ? 2 + extensions.size : 0), 3);
	put_number(&message, 0x0303, 2);
	put(&message, zeroes, 32);
	put_number(&message, 32, 1);
	put(&message, zeroes, 32);
	put_number(&message, 4, 2);
	put_number(&message, 0x1301c02b, 4);
	put_number(&message, 0x0100, 2);
	if (extended) {
		put_number(&message, extensions.size, 2);
		put(&message, extensions.data, extensions.size);
	}
}

/* Put the message into records of @piece bytes. */
static void
make_wire(size_t piece)
{
	wire.size = 0;
	for (size_t at = 0; at < message.size; at += piece) {
		size_t size = message.size - at < piece ? message.size - at : piece;
		put_number(&wire, 0x160301, 3);
		put_number(&wire, size, 2);
		put(&wire, message.data + at, size);
	}
}

static int
setup(void **state)
{
	(void)state;
	extensions.size = message.size = wire.size = 0;
	return 0;
}

/* Read from an array of exactly @size bytes, so that a sanitizer sees a byte too far. */
static enum hello_answer
read_exactly(struct hello *hello, const uint8_t *bytes, size_t size, struct diag *diag)
{
	uint8_t *copy = malloc(size + !size);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	enum hello_answer answer = hello_read(hello, copy, size, diag);
	free(copy);
	return answer;
}

/* Read the wire at once, and byte by byte: both must answer the same. */
static enum hello_answer
read_wire(struct hello *hello)
{
	struct hello slow = {.at = 0};
	struct diag diag = {""};
	enum hello_answer answer = HELLO_MORE;

	*hello = (struct hello){.at = 0};
	enum hello_answer all = read_exactly(hello, wire.data, wire.size, &diag);
	assert_int_equal(diag.text[0] != '\0', all == HELLO_BAD);
	for (size_t size = 0; size <= wire.size && answer == HELLO_MORE; size++)
		answer = hello_read(&slow, wire.data, size, &diag);
	assert_int_equal(answer, all);
	assert_int_equal(slow.alert, hello->alert);
	assert_string_equal(slow.name, hello->name);
	assert_int_equal(slow.alpn_length, hello->alpn_length);
	return all;
}

static void
expect_bad(enum hello_alert alert)
{
	struct hello hello;

	assert_int_equal(read_wire(&hello), HELLO_BAD);
	assert_int_equal(hello.alert, alert);
}

static void
expect_bad_extension(size_t type, const char *data, size_t size, enum hello_alert alert)
{
	extensions.size = 0;
	put_extension(type, data, size);
	make_message(true);
	make_wire(1000);
	expect_bad(alert);
}

static void
the_name_is_read_in_lower_case_from_records_of_any_size(void **state)
{
	static const size_t pieces[] = {1, 2, 3, 4, 5, 7, 40, 100, 16384};
	struct hello hello;

	(void)state;
	put_extension(0xff01, "\0", 1);
	put_name("WWW.Example-1.test", 18);
	put_extension(43, "\2\3\4", 3);
	make_message(true);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		make_wire(pieces[i]);
		assert_int_equal(read_wire(&hello), HELLO_WHOLE);
		assert_string_equal(hello.name, "www.example-1.test");
		assert_int_equal(hello.alpn_length, 0);
	}
}

static void
a_hello_without_a_name_or_extensions_is_whole(void **state)
{
	struct hello hello;

	(void)state;
	make_message(false);
	make_wire(1000);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	assert_string_equal(hello.name, "");
	make_message(true);
	make_wire(1000);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	assert_string_equal(hello.name, "");
}

static void
what_follows_in_further_records_is_left_alone(void **state)
{
	struct hello hello;

	(void)state;
	put_name("a.test", 6);
	make_message(true);
	make_wire(1000);
	put(&wire, "\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00", 10);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	assert_string_equal(hello.name, "a.test");
}

static void
a_name_has_1_to_255_bytes_and_no_nul(void **state)
{
	char longest[257];
	struct hello hello;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	put_name(longest, 255);
	make_message(true);
	make_wire(1000);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	assert_int_equal(strlen(hello.name), 255);
	extensions.size = 0;
	put_name(longest, 256);
	make_message(true);
	make_wire(1000);
	expect_bad(HELLO_DECODE_ERROR);
	expect_bad_extension(0, "\0\3\0\0\0", 5, HELLO_DECODE_ERROR);
	expect_bad_extension(0, "\0\6\0\0\3a\0b", 8, HELLO_ILLEGAL_PARAMETER);
}

static void
a_peer_with_small_records_is_known(void **state)
{
	static const struct {
		size_t type;
		const char *data;
		bool small;
	} rows[] = {
		{1, "\1", true},
		{28, "\2\0", true},
		{28, "\x3f\xff", true},
		{28, "\x40\0", false},
		{28, "\x40\1", false},
		{11, "\1\0", false},
	};
	struct hello hello;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		extensions.size = 0;
		put_extension(rows[i].type, rows[i].data, rows[i].type == 1 ? 1 : 2);
		make_message(true);
		make_wire(1000);
		assert_int_equal(read_wire(&hello), HELLO_WHOLE);
		assert_int_equal(hello.small_records, rows[i].small);
	}
}

static void
there_is_one_name_in_one_list(void **state)
{
	(void)state;
	expect_bad_extension(0, "\0\10\0\0\1a\0\0\1b", 10, HELLO_ILLEGAL_PARAMETER);
	expect_bad_extension(0, "\0\4\1\0\1a", 6, HELLO_ILLEGAL_PARAMETER);
	expect_bad_extension(0, "", 0, HELLO_DECODE_ERROR);
	expect_bad_extension(0, "\0\0", 2, HELLO_DECODE_ERROR);
	expect_bad_extension(0, "\0\4\0\0\2a", 6, HELLO_DECODE_ERROR);
	expect_bad_extension(0, "\0\5\0\0\1a", 6, HELLO_DECODE_ERROR);
	expect_bad_extension(0, "\0\4\0\0\1ab", 7, HELLO_DECODE_ERROR);
	extensions.size = 0;
	put_name("a", 1);
	put_name("a", 1);
	make_message(true);
	make_wire(1000);
	expect_bad(HELLO_ILLEGAL_PARAMETER);
}

static void
the_offered_protocols_are_kept(void **state)
{
	static const char *const names[] = {"smtp", "h2"}, *const others[] = {"h", "http/1.1"};
	const struct texts ours = {names, 2}, theirs = {others, 2};
	char words[100];
	struct hello hello;
	struct text text;

	(void)state;
	put_extension(16, "\0\11\2h2\5x\"\n--", 11);
	make_message(true);
	make_wire(30);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	assert_true(hello_offers(&hello, &ours));
	assert_false(hello_offers(&hello, &theirs));
	text_init(&text, words, sizeof(words));
	hello_print_alpn(&hello, &text);
	assert_string_equal(words, "\"h2\", \"x\\\"\\x0a--\"");

	make_message(false);
	make_wire(1000);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	assert_false(hello_offers(&hello, &ours));
	text_init(&text, words, sizeof(words));
	hello_print_alpn(&hello, &text);
	assert_string_equal(words, "");
}

static void
protocols_that_do_not_fit_may_be_any(void **state)
{
	static const char *const names[] = {"h2"};
	const struct texts ours = {names, 1};
	struct hello hello;
	char list[602];

	(void)state;
	memset(list, 'x', sizeof(list));
	list[0] = 600 >> 8;
	list[1] = (char)(600 & 0xff);
	for (size_t at = 2; at < sizeof(list); at += 150)
		list[at] = (char)149;
	put_extension(16, list, sizeof(list));
	make_message(true);
	make_wire(1000);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	assert_true(hello.alpn_cut);
	assert_int_equal(hello.alpn_length, 150);
	assert_true(hello_offers(&hello, &ours));
}

static void
a_malformed_list_of_protocols_is_refused(void **state)
{
	(void)state;
	expect_bad_extension(16, "", 0, HELLO_DECODE_ERROR);
	expect_bad_extension(16, "\0\0", 2, HELLO_DECODE_ERROR);
	expect_bad_extension(16, "\0\1\0", 3, HELLO_DECODE_ERROR);
	expect_bad_extension(16, "\0\4\2h2\0", 6, HELLO_DECODE_ERROR);
	expect_bad_extension(16, "\0\3\3h2", 5, HELLO_DECODE_ERROR);
	expect_bad_extension(16, "\0\3\2h2x", 6, HELLO_DECODE_ERROR);
	extensions.size = 0;
	put_extension(16, "\0\3\2h2", 5);
	put_extension(16, "\0\3\2h2", 5);
	make_message(true);
	make_wire(1000);
	expect_bad(HELLO_ILLEGAL_PARAMETER);
}

/* Of a hello that is cut anywhere, its length told rightly, nothing is taken. */
static void
a_message_that_ends_too_early_is_refused(void **state)
{
	(void)state;
	put_name("a.test", 6);
	make_message(true);
	size_t full = message.size, bare = full - extensions.size - 2;
	for (size_t size = 5; size < full; size++) {
		struct hello hello;
		message.size = size;
		message.data[3] = (uint8_t)(size - 4);
		make_wire(1000);
		if (size == bare)
			assert_int_equal(read_wire(&hello), HELLO_WHOLE);
		else
			expect_bad(HELLO_DECODE_ERROR);
	}
}

static void
expect_bad_bytes(const char *bytes, size_t size, enum hello_alert alert)
{
	wire.size = 0;
	put(&wire, bytes, size);
	expect_bad(alert);
}

static void
what_is_no_hello_is_refused_as_soon_as_that_is_certain(void **state)
{
	(void)state;
	expect_bad_bytes("G", 1, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\0", 1, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\x17", 1, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\x15\x03\x03\x00\x02\x02\x28", 7, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\x80\x2e\x01", 3, HELLO_PROTOCOL_VERSION);
	expect_bad_bytes("\x80\x2e\x02", 3, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\x16\x02", 2, HELLO_PROTOCOL_VERSION);
	expect_bad_bytes("\x16\x03\x01\x00\x00", 5, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\x16\x03\x01\x40\x01", 5, HELLO_RECORD_OVERFLOW);
	expect_bad_bytes("\x16\x03\x01\x40\x00\x02", 6, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\x16\x03\x01\x00\x04\x01\x00\xff\xfd", 9, HELLO_ILLEGAL_PARAMETER);
	expect_bad_bytes("\x16\x03\x01\x00\x05\x01\x00\x00\x00\x00", 10, HELLO_UNEXPECTED_MESSAGE);
	expect_bad_bytes("\x16\x03\x01\x00\x01\x01\x17", 7, HELLO_UNEXPECTED_MESSAGE);
}

static void
unknown_versions_and_impossible_lists_are_refused(void **state)
{
	(void)state;
	make_message(true);
	message.data[4] = 2;
	make_wire(1000);
	expect_bad(HELLO_PROTOCOL_VERSION);
	make_message(true);
	message.data[38] = 33; /* session identifier */
	make_wire(1000);
	expect_bad(HELLO_DECODE_ERROR);
	make_message(true);
	message.data[72] = 3; /* cipher suites */
	make_wire(1000);
	expect_bad(HELLO_DECODE_ERROR);
	make_message(true);
	message.data[77] = 0; /* compression methods */
	make_wire(1000);
	expect_bad(HELLO_DECODE_ERROR);
}

/* A padding of @size bytes (RFC 7685), in records of @piece bytes. */
static void
make_large(size_t size, size_t piece)
{
	static char padding[ROOM];

	extensions.size = 0;
	put_extension(21, padding, size);
	make_message(true);
	make_wire(piece);
}

static void
a_hello_may_take_64_kib_and_no_byte_more(void **state)
{
	const size_t others = 4 + 2 + 32 + 33 + 6 + 2 + 2 + 4 + 4 * 5;
	struct hello hello;

	(void)state;
	make_large(HELLO_LIMIT - others, 16384);
	assert_int_equal(wire.size, HELLO_LIMIT);
	assert_int_equal(read_wire(&hello), HELLO_WHOLE);
	make_large(HELLO_LIMIT - others + 1, 16384);
	assert_int_equal(read_wire(&hello), HELLO_BAD);
	assert_int_equal(hello.alert, HELLO_ILLEGAL_PARAMETER);
	make_large(12000, 1);
	assert_int_equal(read_wire(&hello), HELLO_BAD);
	assert_int_equal(hello.alert, HELLO_ILLEGAL_PARAMETER);
}

static ssize_t
on_push(gnutls_transport_ptr_t pointer, const void *data, size_t size)
{
	put(pointer, data, size);
	return (ssize_t)size;
}

static ssize_t
on_pull(gnutls_transport_ptr_t pointer, void *data, size_t size)
{
	(void)pointer;
	(void)data;
	(void)size;
	return 0;
}

static void
the_hello_of_gnutls_is_read(void **state)
{
	static const char *const priorities[] = {"NORMAL", "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
	static const char *const names[] = {"smtp"};
	unsigned char smtp[] = "smtp";
	const gnutls_datum_t protocol = {smtp, 4};
	const struct texts ours = {names, 1};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		gnutls_certificate_credentials_t credentials;
		gnutls_session_t session;
		struct hello hello;

		wire.size = 0;
		assert_int_equal(gnutls_init(&session, GNUTLS_CLIENT), 0);
		assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
		assert_int_equal(
			gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials), 0);
		assert_int_equal(gnutls_priority_set_direct(session, priorities[i], NULL), 0);
		assert_int_equal(
			gnutls_server_name_set(session, GNUTLS_NAME_DNS, "Real.test", 9), 0);
		assert_int_equal(gnutls_alpn_set_protocols(session, &protocol, 1, 0), 0);
		gnutls_transport_set_ptr(session, &wire);
		gnutls_transport_set_push_function(session, on_push);
		gnutls_transport_set_pull_function(session, on_pull);
		assert_true(gnutls_handshake(session) < 0);
		gnutls_deinit(session);
		gnutls_certificate_free_credentials(credentials);
		assert_int_equal(read_wire(&hello), HELLO_WHOLE);
		assert_string_equal(hello.name, "real.test");
		assert_true(hello_offers(&hello, &ours));
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_name_is_read_in_lower_case_from_records_of_any_size),
		TEST(a_hello_without_a_name_or_extensions_is_whole),
		TEST(what_follows_in_further_records_is_left_alone),
		TEST(a_name_has_1_to_255_bytes_and_no_nul),
		TEST(a_peer_with_small_records_is_known),
		TEST(there_is_one_name_in_one_list),
		TEST(the_offered_protocols_are_kept),
		TEST(protocols_that_do_not_fit_may_be_any),
		TEST(a_malformed_list_of_protocols_is_refused),
		TEST(a_message_that_ends_too_early_is_refused),
		TEST(what_is_no_hello_is_refused_as_soon_as_that_is_certain),
		TEST(unknown_versions_and_impossible_lists_are_refused),
		TEST(a_hello_may_take_64_kib_and_no_byte_more),
		TEST(the_hello_of_gnutls_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
