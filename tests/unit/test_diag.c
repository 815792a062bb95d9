/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"

static void
words_grow_from_the_inside_out(void **state)
{
	struct diag diag;

	(void)state;
	assert_int_equal(diag_set(&diag, "open: %s", "gone"), -1);
	assert_int_equal(diag_prefix(&diag, "service %s", "orders"), -1);
	assert_int_equal(diag_prefix(&diag, "m:%d", 3), -1);
	assert_string_equal(diag.text, "m:3: service orders: open: gone");
}

static void
words_that_do_not_fit_are_cut_at_the_end(void **state)
{
	char words[2 * DIAG_SIZE];
	struct diag diag;

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	(void)diag_set(&diag, "%s", words);
	assert_int_equal(strlen(diag.text), DIAG_SIZE - 1);
	(void)diag_prefix(&diag, "where");
	assert_int_equal(strlen(diag.text), DIAG_SIZE - 1);
	assert_memory_equal(diag.text, "where: ww", 9);
	(void)diag_prefix(&diag, "%s", words);
	assert_int_equal(strlen(diag.text), DIAG_SIZE - 1);
}

static void
a_percent_sign_in_the_words_is_no_directive(void **state)
{
	struct diag diag;

	(void)state;
	(void)diag_set(&diag, "100%%");
	(void)diag_prefix(&diag, "at");
	assert_string_equal(diag.text, "at: 100%");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_grow_from_the_inside_out),
		cmocka_unit_test(words_that_do_not_fit_are_cut_at_the_end),
		cmocka_unit_test(a_percent_sign_in_the_words_is_no_directive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
