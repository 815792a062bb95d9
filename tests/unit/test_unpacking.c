/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/unpacking.h"

static const uint8_t packed[] = {4, 3, 2, 1, 3, 0, 0, 0, 'a', 'b', 'c', 'x', 'y'};

static void
all_is_taken_in_its_order_and_nothing_is_copied(void **state)
{
	struct unpacking unpacking = {.bytes = packed, .left = sizeof(packed)};
	size_t size;

	(void)state;
	assert_int_equal(unpacking_take_number(&unpacking), 0x01020304);
	assert_ptr_equal(unpacking_take_block(&unpacking, 3, &size), packed + 8);
	assert_int_equal(size, 3);
	assert_false(unpacking_is_done(&unpacking));
	assert_ptr_equal(unpacking_take(&unpacking, 2), packed + 11);
	assert_true(unpacking_is_done(&unpacking));
}

static void
after_what_is_not_there_nothing_is(void **state)
{
	struct unpacking unpacking = {.bytes = packed, .left = sizeof(packed)};
	size_t size = 7;

	(void)state;
	assert_null(unpacking_take(&unpacking, sizeof(packed) + 1));
	assert_null(unpacking_take(&unpacking, 1));
	assert_int_equal(unpacking_take_number(&unpacking), 0);
	assert_null(unpacking_take_block(&unpacking, 3, &size));
	assert_int_equal(size, 0);
	assert_false(unpacking_is_done(&unpacking));
}

static void
what_had_everything_and_was_asked_for_more_is_not_done(void **state)
{
	struct unpacking unpacking = {.bytes = packed, .left = sizeof(packed)};

	(void)state;
	assert_non_null(unpacking_take(&unpacking, sizeof(packed)));
	assert_true(unpacking_is_done(&unpacking));
	assert_int_equal(unpacking_take_number(&unpacking), 0);
	assert_false(unpacking_is_done(&unpacking));
}

static void
a_block_above_its_limit_or_behind_the_end_is_bad(void **state)
{
	struct unpacking limited = {.bytes = packed + 4, .left = sizeof(packed) - 4};
	struct unpacking cut = {.bytes = packed + 4, .left = 6};
	size_t size;

	(void)state;
	assert_null(unpacking_take_block(&limited, 2, &size));
	assert_true(limited.bad);
	assert_null(unpacking_take_block(&cut, 100, &size));
	assert_int_equal(size, 0);
	assert_true(cut.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_taken_in_its_order_and_nothing_is_copied),
		cmocka_unit_test(after_what_is_not_there_nothing_is),
		cmocka_unit_test(what_had_everything_and_was_asked_for_more_is_not_done),
		cmocka_unit_test(a_block_above_its_limit_or_behind_the_end_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
