/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "common/schema.h"

static const struct schema boolean = {.kind = SCHEMA_WORD, .words = schema_boolean};
static const struct schema duration = {
	.kind = SCHEMA_DURATION, .zero = "off", .minimum = 100, .maximum = 86400000};
static const struct schema strict = {.kind = SCHEMA_DURATION, .minimum = 100, .maximum = 3600000};
static const struct schema size = {.kind = SCHEMA_SIZE, .minimum = 512, .maximum = UINT64_MAX};
static const struct schema number = {
	.kind = SCHEMA_NUMBER, .zero = "auto", .minimum = 1, .maximum = 256};
static const struct schema mode = {.kind = SCHEMA_MODE};
static const struct schema list = {.kind = SCHEMA_LIST};
static const struct schema any = {.kind = SCHEMA_TEXT};

struct row {
	const struct schema *schema;
	const char *value;
	uint64_t number;
};

static const struct row good[] = {
	{&boolean, "no", 0},
	{&boolean, "yes", 1},
	{&duration, "100ms", 100},
	{&duration, "1500ms", 1500},
	{&duration, "10s", 10000},
	{&duration, "60s", 60000},
	{&duration, "5m", 300000},
	{&duration, "1h", 3600000},
	{&duration, "1d", 86400000},
	{&duration, "off", 0},
	{&size, "512B", 512},
	{&size, "64KiB", 65536},
	{&size, "1024KiB", 1 << 20},
	{&size, "3GiB", UINT64_C(3) << 30},
	{&number, "256", 256},
	{&number, "auto", 0},
	{&number, "007", 7},
	{&mode, "0600", 0600},
	{&mode, "777", 0777},
	{&mode, "0", 0},
};

static void
good_values_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const struct row *row = &good[i];
		struct diag diag;
		uint64_t result = 99;

		assert_int_equal(schema_parse(row->schema, row->value, &result, &diag), 0);
		assert_int_equal(result, row->number);
	}
}

struct bad {
	const struct schema *schema;
	const char *value;
	const char *words;
};

static const struct bad bad[] = {
	{&boolean, "Yes", "is not known here; write no or yes"},
	{&boolean, "", "is not known here; write no or yes"},
	{&duration, "10", "has no unit; write a duration from 100ms to 1d, or off"},
	{&duration, "10 s",
		"does not end in a known unit; write a duration from 100ms to 1d, or off"},
	{&duration, "1.5s",
		"does not end in a known unit; write a duration from 100ms to 1d, or off"},
	{&duration, "s",
		"is not a number that can be used; write a duration from 100ms to 1d, or off"},
	{&duration, "-1s",
		"is not a number that can be used; write a duration from 100ms to 1d, or off"},
	{&duration, "99ms", "is out of bounds; write a duration from 100ms to 1d, or off"},
	{&duration, "25h", "is out of bounds; write a duration from 100ms to 1d, or off"},
	{&duration, "18446744073709551615d",
		"is out of bounds; write a duration from 100ms to 1d, or off"},
	{&duration, "18446744073709551616ms",
		"is not a number that can be used; write a duration from 100ms to 1d, or off"},
	{&strict, "off", "is not a number that can be used; write a duration from 100ms to 1h"},
	{&size, "64KB",
		"does not end in a known unit; write a size from 512B to 18446744073709551615B"},
	{&size, "18446744073709551615KiB",
		"is out of bounds; write a size from 512B to 18446744073709551615B"},
	{&number, "0", "is out of bounds; write a number from 1 to 256, or auto"},
	{&number, "4x", "does not end in a known unit; write a number from 1 to 256, or auto"},
	{&mode, "0800", "is not a file mode; write a file mode in octal, such as 0660"},
	{&mode, "1777", "is not a file mode; write a file mode in octal, such as 0660"},
	{&mode, "", "is not a file mode; write a file mode in octal, such as 0660"},
	{&list, "a,,b", "has an empty element; write one or more, separated by commas"},
	{&list, "a,", "has an empty element; write one or more, separated by commas"},
};

static void
bad_values_are_refused_with_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct diag diag;
		uint64_t result = 0;

		assert_int_equal(schema_parse(bad[i].schema, bad[i].value, &result, &diag), -1);
		assert_string_equal(diag.text, bad[i].words);
	}
}

static void
a_text_may_be_anything(void **state)
{
	struct diag diag;
	uint64_t result;

	(void)state;
	assert_int_equal(schema_parse(&any, "any thing, at all", &result, &diag), 0);
}

static void
a_list_is_walked_without_its_blanks(void **state)
{
	static const char *const expected[] = {"a", "b c", "d"};
	const char *cursor = " a ,b c,\td";
	size_t length = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const char *element = schema_next(&cursor, &length);

		assert_non_null(element);
		assert_int_equal(length, strlen(expected[i]));
		assert_memory_equal(element, expected[i], length);
	}
	assert_null(schema_next(&cursor, &length));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_are_read),
		cmocka_unit_test(bad_values_are_refused_with_words),
		cmocka_unit_test(a_text_may_be_anything),
		cmocka_unit_test(a_list_is_walked_without_its_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
