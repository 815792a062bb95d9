/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/buffer.h"
#include "common/pool.h"

static struct pool_budget budget;
static struct pool pool;

static int
setup(void **state)
{
	(void)state;
	budget = (struct pool_budget){.limit = 1 << 20};
	pool_init(&pool, &budget);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pool_release(&pool);
	return 0;
}

static void
an_empty_buffer_owns_nothing(void **state)
{
	struct buffer buffer = {0};

	(void)state;
	assert_int_equal(buffer_add(&buffer, &pool, "abc", 3), 0);
	assert_int_equal(budget.used, POOL_SMALLEST);
	assert_int_equal(pool_room(&pool), (1 << 20) - POOL_SMALLEST);
	buffer_drop(&buffer, &pool, 3);
	assert_null(buffer.piece);
	assert_int_equal(budget.used, 0);
}

static void
bytes_come_out_in_order_whatever_is_added_and_dropped(void **state)
{
	struct buffer buffer = {0};
	char chunk[1000];
	size_t in = 0, out = 0;

	(void)state;
	for (size_t round = 0; round < 2000; round++) {
		size_t add = (round * 37) % sizeof(chunk);

		for (size_t i = 0; i < add; i++)
			chunk[i] = (char)(in++ % 251);
		assert_int_equal(buffer_add(&buffer, &pool, chunk, add), 0);
		size_t drop = (round * 53) % (buffer_length(&buffer) + 1);
		for (size_t i = 0; i < drop; i++)
			assert_int_equal((unsigned char)buffer_bytes(&buffer)[i], (out + i) % 251);
		out += drop;
		buffer_drop(&buffer, &pool, drop);
		assert_int_equal(buffer_length(&buffer), in - out);
	}
	buffer_release(&buffer, &pool);
	assert_int_equal(budget.used, 0);
}

static void
pieces_are_used_again_and_room_never_goes_below_nothing(void **state)
{
	(void)state;
	struct pool_piece *piece = pool_take(&pool, 5000);
	assert_int_equal(piece->size, 8192);
	pool_give(&pool, piece);
	assert_ptr_equal(pool_take(&pool, 8192), piece);
	struct pool_piece *large = pool_take(&pool, 1 << 20);
	assert_non_null(large); /* over the budget: what was read must be kept */
	assert_int_equal(pool_room(&pool), 0);
	pool_give(&pool, large);
	pool_give(&pool, piece);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_buffer_owns_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			bytes_come_out_in_order_whatever_is_added_and_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			pieces_are_used_again_and_room_never_goes_below_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
