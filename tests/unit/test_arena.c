/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"

static void
memory_is_zeroed_and_fit_for_any_type(void **state)
{
	struct arena arena = {0};

	(void)state;
	for (size_t size = 1; size < 200; size++) {
		unsigned char *bytes = arena_alloc(&arena, 3, size % 100);

		assert_non_null(bytes);
		assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < 3 * (size % 100); i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, 3 * (size % 100));
		if (size == 100)
			arena_release(&arena);
	}
	arena_release(&arena);
	assert_null(arena.blocks);
}

static void
more_than_can_be_counted_fails_and_is_remembered_until_the_release(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_null(arena_alloc(&arena, SIZE_MAX / 4 + 2, 4));
	assert_true(arena.failed);
	assert_non_null(arena_alloc(&arena, 1, 1));
	assert_true(arena.failed);
	arena_release(&arena);
	assert_false(arena.failed);
}

static void
copies_are_independent_of_what_was_copied(void **state)
{
	struct arena arena = {0};
	char word[] = "word";
	char *copy = arena_copy(&arena, word), *empty = arena_copy(&arena, "");

	(void)state;
	word[0] = 'l';
	assert_string_equal(copy, "word");
	assert_string_equal(empty, "");
	arena_release(&arena);
}

static void
a_format_of_any_length_is_whole(void **state)
{
	struct arena arena = {0};
	char *string = arena_format(&arena, "%s %0500d", "x", 7);

	(void)state;
	assert_int_equal(strlen(string), 502);
	assert_string_equal(string + 499, "007");
	assert_string_equal(arena_format(&arena, "%s", ""), "");
	arena_release(&arena);
}

static void
an_empty_arena_may_be_released(void **state)
{
	struct arena arena = {0};

	(void)state;
	arena_release(&arena);
	assert_null(arena.blocks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_fit_for_any_type),
		cmocka_unit_test(
			more_than_can_be_counted_fails_and_is_remembered_until_the_release),
		cmocka_unit_test(copies_are_independent_of_what_was_copied),
		cmocka_unit_test(a_format_of_any_length_is_whole),
		cmocka_unit_test(an_empty_arena_may_be_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
