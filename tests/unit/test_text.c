/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/text.h"

static void
what_does_not_fit_is_cut_and_said(void **state)
{
	char array[8];
	struct text text;

	(void)state;
	text_init(&text, array, sizeof(array));
	text_add(&text, "1234");
	assert_false(text.cut);
	text_format(&text, "%d", 5678);
	assert_true(text.cut);
	assert_string_equal(array, "1234567");
}

static void
bytes_of_a_peer_cannot_end_a_line_or_a_quote(void **state)
{
	char array[64];
	struct text text;

	(void)state;
	text_init(&text, array, sizeof(array));
	text_escape(&text, "a\n\"\\\x1b\xff\0b", 8);
	assert_string_equal(array, "a\\x0a\\\"\\\\\\x1b\\xff\\x00b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_cut_and_said),
		cmocka_unit_test(bytes_of_a_peer_cannot_end_a_line_or_a_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
