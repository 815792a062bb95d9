/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "bench/histogram.h"

static void
nothing_counted_has_no_quantile(void **state)
{
	static struct histogram histogram;

	(void)state;
	assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
	assert_int_equal(histogram_quantile(&histogram, 1.0), 0);
}

static void
every_value_is_found_within_one_percent_and_never_below(void **state)
{
	(void)state;
	for (uint64_t value = 1; value < UINT64_MAX / 3; value += value / 3 + 1) {
		static struct histogram histogram;
		histogram = (struct histogram){.count = 0};
		histogram_add(&histogram, value);
		histogram_add(&histogram, UINT64_MAX);
		uint64_t found = histogram_quantile(&histogram, 0.5);
		assert_true(found >= value);
		assert_true(found - value <= value / 100);
		assert_true(histogram_quantile(&histogram, 1.0) == UINT64_MAX);
	}
}

static void
small_values_are_exact_and_ranks_are_counted_from_below(void **state)
{
	static struct histogram histogram;

	(void)state;
	for (uint64_t value = 1; value <= 100; value++)
		histogram_add(&histogram, value);
	assert_int_equal(histogram_quantile(&histogram, 0.5), 50);
	assert_int_equal(histogram_quantile(&histogram, 0.99), 99);
	assert_int_equal(histogram_quantile(&histogram, 0.0), 1);
	assert_int_equal(histogram_quantile(&histogram, 1.0), 100);
}

static void
the_largest_value_is_exact(void **state)
{
	static struct histogram histogram;

	(void)state;
	histogram_add(&histogram, 5);
	histogram_add(&histogram, 1234567891);
	assert_int_equal(histogram_quantile(&histogram, 1.0), 1234567891);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_counted_has_no_quantile),
		cmocka_unit_test(every_value_is_found_within_one_percent_and_never_below),
		cmocka_unit_test(small_values_are_exact_and_ranks_are_counted_from_below),
		cmocka_unit_test(the_largest_value_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
