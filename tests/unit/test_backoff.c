/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tunnel/backoff.h"

static void
the_first_failure_is_followed_at_once(void **state)
{
	struct backoff backoff = {0};

	(void)state;
	assert_true(backoff_next(&backoff, 0.1) == 0);
	assert_true(backoff_next(&backoff, 0.1) > 0);
}

static void
each_further_failure_doubles_the_wait_up_to_half_a_minute(void **state)
{
	struct backoff backoff = {0};

	(void)state;
	(void)backoff_next(&backoff, 0);
	assert_true(backoff_next(&backoff, 0) == 0.25);
	assert_true(backoff_next(&backoff, 0) == 0.5);
	assert_true(backoff_next(&backoff, 0) == 1);
	for (int i = 0; i < 1000; i++)
		assert_true(backoff_next(&backoff, 0) <= 30);
	assert_true(backoff_next(&backoff, 0) == 30);
}

static void
a_minute_of_life_forgives_everything(void **state)
{
	struct backoff backoff = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)backoff_next(&backoff, 59);
	assert_true(backoff_next(&backoff, 59) > 0);
	assert_true(backoff_next(&backoff, 60) == 0);
	assert_true(backoff_next(&backoff, 1) == 0.25);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failure_is_followed_at_once),
		cmocka_unit_test(each_further_failure_doubles_the_wait_up_to_half_a_minute),
		cmocka_unit_test(a_minute_of_life_forgives_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
