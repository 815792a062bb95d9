/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/pool.h"

enum { LIMIT = 1 << 20, LARGEST = POOL_SMALLEST << (POOL_CLASSES - 1) };

static struct pool_budget budget;
static struct pool pool;

static int
setup(void **state)
{
	(void)state;
	budget.used = 0;
	budget.limit = LIMIT;
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

/* Take @size bytes, write to all of them, and expect @true_size. */
static struct pool_piece *
take(struct pool *from, size_t size, size_t true_size)
{
	struct pool_piece *piece = pool_take(from, size);

	assert_non_null(piece);
	assert_int_equal(piece->size, true_size);
	assert_int_equal(piece->start, 0);
	assert_int_equal(piece->end, 0);
	memset(piece->bytes, 0x5a, true_size);
	piece->start = piece->end = 1;
	return piece;
}

static void
a_piece_is_the_smallest_of_its_class_that_is_enough(void **state)
{
	static const struct {
		size_t size, true_size;
	} rows[] = {{1, 1024}, {1025, 2048}, {4096, 4096}, {4097, 8192}, {8192, 8192},
		{8193, 16384}, {LARGEST / 2 + 1, LARGEST}, {LARGEST, LARGEST}};

	(void)state;
	assert_int_equal(LARGEST, 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pool_piece *piece = take(&pool, rows[i].size, rows[i].true_size);

		assert_int_equal(budget.used, rows[i].true_size);
		pool_give(&pool, piece);
		assert_int_equal(budget.used, 0);
	}
}

static void
two_takers_never_have_the_same_piece(void **state)
{
	(void)state;
	pool_give(&pool, take(&pool, 4096, 4096));
	struct pool_piece *first = take(&pool, 4096, 4096), *second = take(&pool, 4096, 4096);

	memset(first->bytes, 1, 4096);
	memset(second->bytes, 2, 4096);
	for (size_t i = 0; i < 4096; i++)
		assert_int_equal(first->bytes[i], 1);
	pool_give(&pool, first);
	pool_give(&pool, second);
}

static void
what_was_given_back_is_kept_for_the_next_taker_of_that_size(void **state)
{
	(void)state;
	struct pool_piece *pieces[] = {take(&pool, 8192, 8192), take(&pool, 8192, 8192)};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		pool_give(&pool, pieces[i]);
	assert_int_equal(pool.spare_bytes, 2 * 8192);
	struct pool_piece *other = take(&pool, 4096, 4096);
	assert_int_equal(pool.spare_bytes, 2 * 8192);
	for (size_t i = ARRAY_SIZE(pieces); i > 0; i--)
		assert_ptr_equal(take(&pool, 5000, 8192), pieces[i - 1]);
	assert_int_equal(pool.spare_bytes, 0);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		pool_give(&pool, pieces[i]);
	pool_give(&pool, other);
}

static void
an_idle_pool_keeps_a_few_pieces_only(void **state)
{
	static const struct {
		size_t size, most;
	} rows[] = {{LARGEST, (size_t)4 * LARGEST}, {4096, (size_t)16 * 4096}};
	struct pool_piece *pieces[64];

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
		size_t size = rows[row].size;

		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
			pieces[i] = take(&pool, size, size);
		assert_int_equal(pool.spare_bytes, 0);
		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
			pool_give(&pool, pieces[i]);
		assert_true(pool.spare_bytes > 0);
		assert_true(pool.spare_bytes <= rows[row].most);
		assert_int_equal(budget.used, 0);
		pool_release(&pool);
		pool_init(&pool, &budget);
	}
}

static void
all_pools_count_against_one_budget_and_spare_pieces_do_not(void **state)
{
	struct pool second;

	(void)state;
	pool_init(&second, &budget);
	assert_int_equal(pool_room(&pool), LIMIT);
	struct pool_piece *ours = take(&pool, 10000, 16384), *theirs = take(&second, 4096, 4096);
	assert_int_equal(pool_room(&pool), LIMIT - 16384 - 4096);
	assert_int_equal(pool_room(&second), LIMIT - 16384 - 4096);
	pool_give(&pool, ours);
	assert_int_equal(pool_room(&second), LIMIT - 4096);
	pool_give(&second, theirs);
	assert_int_equal(pool_room(&second), LIMIT);
	pool_release(&second);
}

static void
a_spare_piece_counts_when_it_is_taken_again(void **state)
{
	(void)state;
	pool_give(&pool, take(&pool, 4096, 4096));
	struct pool_piece *piece = take(&pool, 4096, 4096);
	assert_int_equal(budget.used, 4096);
	pool_give(&pool, piece);
}

static void
taking_goes_on_beyond_the_budget_but_there_is_no_room(void **state)
{
	(void)state;
	budget.limit = 6000;
	struct pool_piece *first = take(&pool, 4096, 4096);
	assert_int_equal(pool_room(&pool), 6000 - 4096);
	struct pool_piece *second = take(&pool, 4096, 4096);
	assert_int_equal(pool_room(&pool), 0);
	budget.limit = 10000; /* and a new limit holds at once */
	assert_int_equal(pool_room(&pool), 10000 - 8192);
	pool_give(&pool, first);
	pool_give(&pool, second);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_piece_is_the_smallest_of_its_class_that_is_enough),
		TEST(two_takers_never_have_the_same_piece),
		TEST(what_was_given_back_is_kept_for_the_next_taker_of_that_size),
		TEST(an_idle_pool_keeps_a_few_pieces_only),
		TEST(all_pools_count_against_one_budget_and_spare_pieces_do_not),
		TEST(a_spare_piece_counts_when_it_is_taken_again),
		TEST(taking_goes_on_beyond_the_budget_but_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
