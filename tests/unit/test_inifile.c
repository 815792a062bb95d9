/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/inifile.h"
#include "common/text.h"

enum { SEEN_SIZE = 64 * 1024 };

static char seen[SEEN_SIZE];
static struct text log_of_calls;

static void
on_section(void *user, unsigned line, const char *name)
{
	(void)user;
	text_format(&log_of_calls, "%u[%s]", line, name ? name : "(unknown)");
}

static void
on_assignment(void *user, unsigned line, const char *name, const char *value)
{
	(void)user;
	text_format(&log_of_calls, "%u{%s=%s}", line, name, value);
}

static void
on_error(void *user, unsigned line, const char *words)
{
	(void)user;
	(void)words;
	text_format(&log_of_calls, "%u!", line);
}

static const char *
parse(const char *data, size_t size)
{
	static const struct inifile_handler handler = {on_section, on_assignment, on_error};

	text_init(&log_of_calls, seen, sizeof(seen));
	inifile_parse(data, size, &handler, NULL);
	assert_false(log_of_calls.cut);
	return seen;
}

static const char *
parse_text(const char *text)
{
	return parse(text, strlen(text));
}

static void
lines_have_their_numbers(void **state)
{
	(void)state;
	assert_string_equal(parse_text("a = 1\n\n# x\n[s]\n  ; y\nb=2\r\n[s]\nc = 3"),
		"1{a=1}4[s]6{b=2}7[s]8{c=3}");
}

static void
values_reach_to_the_end_of_the_line(void **state)
{
	(void)state;
	assert_string_equal(
		parse_text("a =  x ; y  z = \"q\" # w:\t\n"), "1{a=x ; y  z = \"q\" # w:}");
	assert_string_equal(parse_text("a = ;x\nb = #\n"), "1{a=;x}2{b=#}");
	assert_string_equal(parse_text("a = x\ty\n"), "1{a=x\ty}");
	assert_string_equal(parse_text("a = \xc3\xa4\xff\n"), "1{a=\xc3\xa4\xff}");
}

static void
indented_lines_are_lines_of_their_own(void **state)
{
	(void)state;
	assert_string_equal(
		parse_text("a = 1\n  b = 2\n\t[s]\n c = 3\n"), "1{a=1}2{b=2}3[s]4{c=3}");
	assert_string_equal(parse_text("a = 1\n  b\nc = 2"), "1{a=1}2!3{c=2}");
}

static void
a_byte_order_mark_is_passed_over(void **state)
{
	(void)state;
	assert_string_equal(parse_text("\xef\xbb\xbf[s]\na = 1\n"), "1[s]2{a=1}");
}

static void
bad_lines_are_told_and_passed_over(void **state)
{
	(void)state;
	assert_string_equal(parse_text("a\n= 1\na:b = 1\na: b\na b = 1\na =\na =  \nb = 1"),
		"1!2!3!4!5!6!7!8{b=1}");
	assert_string_equal(parse("a = 1\0\nb = \x07\nc = 1\n", 19), "1!2!3{c=1}");
	assert_string_equal(parse_text("[s\n[s] x\n[s];\n[]\n"),
		"1!1[(unknown)]2!2[(unknown)]3!3[(unknown)]4[]");
}

/* Long values are handed to inih in pieces: every length must come out as it went in. */
static void
values_of_every_length_come_out_whole(void **state)
{
	static char line[INIFILE_LINE_LIMIT + 2], expected[SEEN_SIZE];

	(void)state;
	for (size_t length = 1; length <= INIFILE_LINE_LIMIT - 2;
		length += length < 900 ? 1 : 607) {
		line[0] = 'k';
		line[1] = '=';
		for (size_t i = 0; i < length; i++) {
			line[2 + i] =
				i == 0 || i + 1 == length ? 'x' : " ;\ty=#"[(i * 7 + length) % 6];
		}
		line[2 + length] = '\0';
		(void)snprintf(expected, sizeof(expected), "1{%s}", line);
		assert_string_equal(parse_text(line), expected);
	}
}

static void
longer_lines_are_refused_as_a_whole(void **state)
{
	static char line[INIFILE_LINE_LIMIT + 20];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[0] = 'k';
	line[1] = '=';
	(void)snprintf(line + INIFILE_LINE_LIMIT, 8, "\na = 1\n");
	assert_non_null(strstr(parse_text(line), "x}2{a=1}"));
	memset(line + INIFILE_LINE_LIMIT, 'x', 1);
	(void)snprintf(line + INIFILE_LINE_LIMIT + 1, 8, "\na = 1\n");
	assert_string_equal(parse_text(line), "1!2{a=1}");
}

static void
long_names_are_not_cut(void **state)
{
	static char text[400], expected[400], name[201];

	(void)state;
	memset(name, 's', 200);
	(void)snprintf(text, sizeof(text), "[%s]", name);
	(void)snprintf(expected, sizeof(expected), "1[%s]", name);
	assert_string_equal(parse_text(text), expected);
	name[INIFILE_NAME_LIMIT] = '\0';
	(void)snprintf(text, sizeof(text), "%s = 1", name);
	(void)snprintf(expected, sizeof(expected), "1{%s=1}", name);
	assert_string_equal(parse_text(text), expected);
	(void)snprintf(text, sizeof(text), "%ss = 1", name);
	assert_string_equal(parse_text(text), "1!");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_numbers),
		cmocka_unit_test(values_reach_to_the_end_of_the_line),
		cmocka_unit_test(indented_lines_are_lines_of_their_own),
		cmocka_unit_test(a_byte_order_mark_is_passed_over),
		cmocka_unit_test(bad_lines_are_told_and_passed_over),
		cmocka_unit_test(values_of_every_length_come_out_whole),
		cmocka_unit_test(longer_lines_are_refused_as_a_whole),
		cmocka_unit_test(long_names_are_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
