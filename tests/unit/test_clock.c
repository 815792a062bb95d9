/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <time.h>

#include "common/clock.h"

static void
the_unit_is_a_second_with_fractions(void **state)
{
	const struct timespec pause = {.tv_nsec = 30000000};
	double before = clock_seconds();

	(void)state;
	assert_int_equal(nanosleep(&pause, NULL), 0);
	double passed = clock_seconds() - before;

	assert_true(passed >= 0.03);
	assert_true(passed < 10);
}

static void
it_is_not_the_time_of_day_and_never_goes_back(void **state)
{
	struct timespec monotonic;
	double before = clock_seconds();

	(void)state;
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &monotonic), 0);
	assert_true(clock_seconds() - (double)monotonic.tv_sec < 10);
	for (int i = 0; i < 10000; i++) {
		double now = clock_seconds();

		assert_true(now >= before);
		before = now;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unit_is_a_second_with_fractions),
		cmocka_unit_test(it_is_not_the_time_of_day_and_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
