/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/buffer.h"
#include "common/defs.h"
#include "common/pool.h"
#include "tunnel/window.h"

enum { SECOND = 7, PARTIAL = 13 };

/* Two records, and the beginning of a third. */
static const uint8_t bytes[] = {22, 3, 1, 0, 2, 'a', 'b', 23, 3, 3, 0, 1, 'c', 23, 3, 3, 0, 9, 'd'};

static struct pool_budget budget = {.limit = 1 << 20};
static struct pool pool;
static struct buffer kept;
static struct window window;
static uint8_t memory[100], taken[100];

static int
setup(void **state)
{
	(void)state;
	pool_init(&pool, &budget);
	window = (struct window){0};
	return buffer_add(&kept, &pool, bytes, sizeof(bytes));
}

static int
teardown(void **state)
{
	(void)state;
	buffer_release(&kept, &pool);
	assert_int_equal(budget.used, 0);
	pool_release(&pool);
	return 0;
}

static void
whole_records_are_handed_out_and_a_partial_one_is_not(void **state)
{
	(void)state;
	window_open(&window, memory, sizeof(memory), &kept, &pool);
	assert_int_equal(budget.used, 0);
	assert_true(window_has_record(&window));
	assert_int_equal(window_take(&window, taken, 5), 5);
	assert_int_equal(window_take(&window, taken + 5, sizeof(taken) - 5), PARTIAL - 5);
	assert_memory_equal(taken, bytes, PARTIAL);
	assert_false(window_has_record(&window));
	assert_int_equal(window_take(&window, taken, sizeof(taken)), 0);
}

static void
what_was_not_handed_out_is_kept_when_it_is_closed(void **state)
{
	(void)state;
	window_open(&window, memory, sizeof(memory), &kept, &pool);
	assert_int_equal(window_take(&window, taken, SECOND), SECOND);
	assert_int_equal(window_close(&window, &kept, &pool), 0);
	assert_null(window.bytes);
	assert_int_equal(buffer_length(&kept), sizeof(bytes) - SECOND);
	assert_memory_equal(buffer_bytes(&kept), bytes + SECOND, sizeof(bytes) - SECOND);
}

static void
a_window_that_is_used_up_keeps_no_memory(void **state)
{
	(void)state;
	window_open(&window, memory, sizeof(memory), &kept, &pool);
	window_drop(&window);
	assert_false(window_has_record(&window));
	assert_int_equal(window_close(&window, &kept, &pool), 0);
	assert_int_equal(budget.used, 0);
}

static void
a_record_is_whole_with_its_last_byte(void **state)
{
	static const uint8_t rest[] = {'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'};

	(void)state;
	window_open(&window, memory, sizeof(memory), &kept, &pool);
	assert_int_equal(window_take(&window, taken, sizeof(taken)), PARTIAL);
	assert_int_equal(window_make_room(&window), sizeof(memory) - (sizeof(bytes) - PARTIAL));
	assert_memory_equal(window.bytes, bytes + PARTIAL, sizeof(bytes) - PARTIAL);
	for (size_t i = 0; i < sizeof(rest); i++) {
		assert_false(window_has_record(&window));
		window.bytes[window.end] = rest[i];
		window_grow(&window, 1);
	}
	assert_int_equal(window_take(&window, taken, sizeof(taken)), 14);
	assert_memory_equal(taken + 6, rest, sizeof(rest));
}

static void
room_is_made_behind_what_is_left(void **state)
{
	(void)state;
	window_open(&window, memory, sizeof(bytes), &kept, &pool);
	assert_int_equal(window_make_room(&window), 0);
	assert_int_equal(window_take(&window, taken, SECOND), SECOND);
	assert_int_equal(window_make_room(&window), SECOND);
	assert_int_equal(window_take(&window, taken, sizeof(taken)), PARTIAL - SECOND);
	assert_memory_equal(taken, bytes + SECOND, PARTIAL - SECOND);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_records_are_handed_out_and_a_partial_one_is_not),
		TEST(what_was_not_handed_out_is_kept_when_it_is_closed),
		TEST(a_window_that_is_used_up_keeps_no_memory),
		TEST(a_record_is_whole_with_its_last_byte),
		TEST(room_is_made_behind_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
