/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/set.h"

static void
a_set_has_what_was_added_and_nothing_else(void **state)
{
	struct set set = {0};
	char name[16];

	(void)state;
	assert_false(set_has(&set, "1", 1));
	for (int i = 0; i < 1000; i++) {
		int length = snprintf(name, sizeof(name), "%d", 2 * i);
		assert_int_equal(set_add(&set, name, (size_t)length), 0);
	}
	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 2000; i++) {
		int length = snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(set_has(&set, name, (size_t)length), i % 2 == 0);
	}
	set_release(&set);
	assert_false(set_has(&set, "0", 1));
	set_release(&set);
}

static void
what_is_added_twice_is_there_once(void **state)
{
	struct set set = {0};

	(void)state;
	assert_int_equal(set_add(&set, "a", 1), 0);
	assert_int_equal(set_add(&set, "a", 1), 0);
	assert_true(set_has(&set, "a", 1));
	set_release(&set);
}

static void
every_byte_counts_and_so_does_the_length(void **state)
{
	struct set set = {0};

	(void)state;
	assert_int_equal(set_add(&set, "a\0b", 3), 0);
	assert_true(set_has(&set, "a\0b", 3));
	assert_false(set_has(&set, "a\0c", 3));
	assert_false(set_has(&set, "a\0b", 2));
	assert_false(set_has(&set, "", 0));
	assert_int_equal(set_add(&set, "", 0), 0);
	assert_true(set_has(&set, NULL, 0));
	set_release(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_has_what_was_added_and_nothing_else),
		cmocka_unit_test(what_is_added_twice_is_there_once),
		cmocka_unit_test(every_byte_counts_and_so_does_the_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
