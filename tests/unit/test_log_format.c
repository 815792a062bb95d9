/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "common/log_format.h"
#include "common/text.h"

/* 2026-11-21T12:00:00.123Z */
static const struct timespec noon = {.tv_sec = 1795262400, .tv_nsec = 123999999};

/* Format @line and see what holds for every line: it is whole, printable, and ends once. */
static const char *
format(const struct log_line *line, enum log_format format_wanted)
{
	static char array[LOG_FORMAT_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	log_format_line(line, format_wanted, &text);
	assert_false(text.cut);
	assert_int_equal(strlen(array), text.length);
	for (size_t i = 0; i + 1 < text.length; i++)
		assert_in_range(array[i], ' ', '~');
	assert_int_equal(array[text.length - 1], '\n');
	return array;
}

static void
the_three_formats_are_as_documented(void **state)
{
	const struct log_field fields[] = {
		{.key = "peer", .text = "192.0.2.1:5555"},
		{.key = "service", .text = "orders-db"},
		{.key = "sent", .number = 10},
	};
	struct log_line line = {.time = noon,
		.level = LOG_LEVEL_INFO,
		.words = "tunnel ended",
		.fields = fields,
		.count = ARRAY_SIZE(fields)};

	(void)state;
	assert_string_equal(format(&line, LOG_FORMAT_TEXT),
		"2026-11-21T12:00:00.123Z info orders-db: tunnel ended peer=192.0.2.1:5555 "
		"sent=10\n");
	assert_string_equal(format(&line, LOG_FORMAT_LOGFMT),
		"time=2026-11-21T12:00:00.123Z level=info service=orders-db "
		"message=\"tunnel ended\" peer=192.0.2.1:5555 sent=10\n");
	assert_string_equal(format(&line, LOG_FORMAT_JSON),
		"{\"time\":\"2026-11-21T12:00:00.123Z\",\"level\":\"info\",\"service\":\"orders-"
		"db\","
		"\"message\":\"tunnel ended\",\"peer\":\"192.0.2.1:5555\",\"sent\":10}\n");
	line.bare = true;
	line.count = 0;
	assert_string_equal(format(&line, LOG_FORMAT_TEXT), "info tunnel ended\n");
}

static void
words_of_the_text_format_keep_their_quotes_but_cannot_forge_a_field(void **state)
{
	struct log_line line = {.bare = true, .level = LOG_LEVEL_ERROR};

	(void)state;
	line.words = "\"cert = none\" is \"x=1\" pkcs11:token=a b\\c";
	assert_string_equal(format(&line, LOG_FORMAT_TEXT),
		"error \"cert = none\" is \"x=1\" pkcs11:token=a b\\\\c\n");
	line.words = "bad name a peer=10.0.0.1 b\nfake=1";
	assert_string_equal(format(&line, LOG_FORMAT_TEXT),
		"error bad name a peer\\x3d10.0.0.1 b\\x0afake=1\n");
	line.words = "peer=x";
	assert_string_equal(format(&line, LOG_FORMAT_TEXT), "error peer\\x3dx\n");
}

static void
a_value_is_quoted_when_it_could_be_taken_for_more_than_one(void **state)
{
	static const struct {
		const char *value, *written;
	} rows[] = {
		{"plain", "plain"},
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"a=b", "\"a=b\""},
		{"a\"b", "\"a\\\"b\""},
		{"a\\b", "\"a\\\\b\""},
		{"a\nb", "\"a\\x0ab\""},
		{"\x1b[2J", "\"\\x1b[2J\""},
		{"\xc3\xa9", "\"\\xc3\\xa9\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct log_field field = {.key = "k", .text = rows[i].value};
		struct log_line line = {.bare = true, .words = "w", .fields = &field, .count = 1};
		char wanted[64];

		(void)snprintf(wanted, sizeof(wanted), "error w k=%s\n", rows[i].written);
		assert_string_equal(format(&line, LOG_FORMAT_TEXT), wanted);
	}
}

/* Read one quoted string as the format writes it; @at then stands behind it. */
static void
read_string(const char **at, const char *hex_escape, size_t digits, char *result)
{
	assert_int_equal(*(*at)++, '"');
	while (**at != '"') {
		char number[5] = "";

		assert_true(**at != '\0');
		if (**at != '\\') {
			*result++ = *(*at)++;
			continue;
		}
		(*at)++;
		if (**at == '"' || **at == '\\') {
			*result++ = *(*at)++;
			continue;
		}
		assert_int_equal(strncmp(*at, hex_escape, strlen(hex_escape)), 0);
		memcpy(number, *at + 1, digits);
		*result++ = (char)strtoul(number, NULL, 16);
		*at += 1 + digits;
	}
	(*at)++;
	*result = '\0';
}

static void
expect(const char **at, const char *text)
{
	size_t length = strlen(text);

	if (strncmp(*at, text, length) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", *at, text);
	*at += length;
}

static void
every_byte_of_a_peer_is_read_back_as_it_was(void **state)
{
	char hostile[256], back[LOG_FORMAT_SIZE];
	const struct log_field fields[] = {
		{.key = "service", .text = hostile},
		{.key = "peer", .text = hostile},
		{.key = "sent", .number = UINT64_MAX},
	};
	struct log_line line = {
		.time = noon, .words = hostile, .fields = fields, .count = ARRAY_SIZE(fields)};

	(void)state;
	for (int i = 0; i < 255; i++)
		hostile[i] = (char)(i + 1);
	hostile[255] = '\0';

	const char *at = format(&line, LOG_FORMAT_JSON);
	static const char *const json[] = {
		"{\"time\":\"2026-11-21T12:00:00.123Z\",\"level\":\"error\",\"service\":",
		",\"message\":", ",\"peer\":"};
	for (size_t i = 0; i < ARRAY_SIZE(json); i++) {
		expect(&at, json[i]);
		read_string(&at, "u00", 4, back);
		assert_string_equal(back, hostile);
	}
	assert_string_equal(at, ",\"sent\":18446744073709551615}\n");

	at = format(&line, LOG_FORMAT_LOGFMT);
	static const char *const logfmt[] = {
		"time=2026-11-21T12:00:00.123Z level=error service=", " message=", " peer="};
	for (size_t i = 0; i < ARRAY_SIZE(logfmt); i++) {
		expect(&at, logfmt[i]);
		read_string(&at, "x", 2, back);
		/* \xNN has the x in front of its two digits. */
		assert_int_equal(strlen(back), 255);
		assert_string_equal(back, hostile);
	}
	assert_string_equal(at, " sent=18446744073709551615\n");

	at = format(&line, LOG_FORMAT_TEXT);
	expect(&at, "2026-11-21T12:00:00.123Z error ");
	read_string(&at, "x", 2, back);
	assert_string_equal(back, hostile);
	expect(&at, ": \\x01\\x02");
}

static void
what_is_too_long_is_cut_and_the_line_stays_well_formed(void **state)
{
	static char huge[100001], back[LOG_FORMAT_SIZE];
	struct log_field fields[40];
	struct log_line line = {.time = noon, .words = huge, .fields = fields, .count = 40};

	(void)state;
	memset(huge, 0xff, sizeof(huge) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fields[i] = (struct log_field){.key = "key", .text = huge};
	fields[0].key = "service";
	fields[39] = (struct log_field){.key = "number", .number = 7};

	const char *at = format(&line, LOG_FORMAT_JSON);
	expect(&at, "{\"time\":\"2026-11-21T12:00:00.123Z\",\"level\":\"error\",\"service\":");
	read_string(&at, "u00", 4, back);
	assert_int_equal(strlen(back), 512 + 3);
	assert_string_equal(back + 512, "...");
	expect(&at, ",\"message\":");
	read_string(&at, "u00", 4, back);
	assert_int_equal(strlen(back), 1024 + 3);
	assert_string_equal(strstr(at, ",\"number\""), ",\"number\":7,\"cut\":1}\n");

	const char *text = format(&line, LOG_FORMAT_TEXT);
	assert_non_null(strstr(text, "... key=\"\\xff"));
	assert_non_null(strstr(text, "...\" number=7 cut=1\n"));
	assert_non_null(strstr(format(&line, LOG_FORMAT_LOGFMT), "...\" number=7 cut=1\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_formats_are_as_documented),
		cmocka_unit_test(
			words_of_the_text_format_keep_their_quotes_but_cannot_forge_a_field),
		cmocka_unit_test(a_value_is_quoted_when_it_could_be_taken_for_more_than_one),
		cmocka_unit_test(every_byte_of_a_peer_is_read_back_as_it_was),
		cmocka_unit_test(what_is_too_long_is_cut_and_the_line_stays_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
