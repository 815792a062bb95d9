/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tunnel/wrap.h"

#define TEN  "abcdefghi "
#define LINE TEN TEN TEN TEN TEN TEN TEN

static char printed[1024];

static const char *
print(const char *text, const char *margin)
{
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	assert_non_null(out);
	wrap_print(text, margin, out);
	assert_int_equal(fclose(out), 0);
	return printed;
}

static const char *
print_mdoc(const char *text)
{
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	assert_non_null(out);
	wrap_print_mdoc(text, out);
	assert_int_equal(fclose(out), 0);
	return printed;
}

static void
a_line_has_79_columns_and_no_more(void **state)
{
	(void)state;
	assert_string_equal(print(LINE "123456789 x", ""), LINE "123456789\nx\n");
	assert_string_equal(print(LINE "1234567890 x", ""),
		"abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi\n"
		"1234567890 x\n");
}

static void
every_line_begins_with_the_margin_which_counts(void **state)
{
	(void)state;
	assert_string_equal(print(LINE "1234567 x", "# "), "# " LINE "1234567\n# x\n");
	assert_string_equal(print(LINE "12345678", "# "),
		"# abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi\n"
		"# 12345678\n");
}

static void
a_word_that_is_too_long_stands_alone(void **state)
{
	char word[101] = "";

	(void)state;
	memset(word, 'w', 100);
	assert_int_equal(strlen(print(word, "# ")), 103);
	assert_string_equal(print("a", "# "), "# a\n");
}

static void
marks_become_quotes_and_are_not_torn_apart(void **state)
{
	(void)state;
	assert_string_equal(print("say `a b`, or  not", ""), "say \"a b\", or not\n");
	assert_string_equal(print(LINE "`1234 678`", ""),
		"abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi\n"
		"\"1234 678\"\n");
}

static void
mdoc_has_a_line_for_every_sentence_and_macros_for_marks(void **state)
{
	(void)state;
	assert_string_equal(print_mdoc("One two. Three: four"), "One two.\nThree:\nfour\n");
	assert_string_equal(print_mdoc("say `a b`, or not."), "say\n.Ql a b ,\nor not.\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_79_columns_and_no_more),
		cmocka_unit_test(every_line_begins_with_the_margin_which_counts),
		cmocka_unit_test(a_word_that_is_too_long_stands_alone),
		cmocka_unit_test(marks_become_quotes_and_are_not_torn_apart),
		cmocka_unit_test(mdoc_has_a_line_for_every_sentence_and_macros_for_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
