/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tunnel/admission.h"

static void
the_limit_leaves_two_and_a_quarter_descriptors_a_tunnel(void **state)
{
	(void)state;
	for (size_t descriptors = 64; descriptors < 2000; descriptors += 7) {
		size_t limit = admission_limit(descriptors, 2, 2);
		size_t tunnels = limit * 9 / 4 + 16;
		assert_true(tunnels < descriptors);
		assert_true(limit >= (descriptors - 40) / 3);
	}
}

static void
every_worker_and_every_listener_takes_some_descriptors_away(void **state)
{
	size_t alone = admission_limit(1000, 1, 1);

	(void)state;
	assert_in_range(alone - admission_limit(1000, 19, 1), 18 * 6 * 4 / 9, 18 * 10 * 4 / 9);
	/* twice: a reload brings its own before those that it replaces are closed */
	assert_in_range(alone - admission_limit(1000, 1, 91), 180 * 4 / 9 - 1, 180 * 4 / 9 + 1);
}

static void
too_few_descriptors_still_allow_one_tunnel(void **state)
{
	(void)state;
	assert_int_equal(admission_limit(0, 1, 1), 1);
	assert_int_equal(admission_limit(16, 64, 64), 1);
}

static void
an_unlimited_number_of_descriptors_does_not_overflow(void **state)
{
	(void)state;
	assert_true(admission_limit(SIZE_MAX, 2, 2) > SIZE_MAX / 3);
}

static void
the_tunnels_of_all_workers_are_counted_together(void **state)
{
	struct admission admission = {.limit = 5};
	size_t first = 0, second = 0;

	(void)state;
	admission_count(&admission, &first, 2);
	admission_count(&admission, &second, 3);
	assert_false(admission_is_open(&admission));
	admission_count(&admission, &first, 1);
	assert_true(admission_is_open(&admission));
	admission_count(&admission, &first, 0);
	admission_count(&admission, &second, 0);
	assert_int_equal(admission.tunnels, 0);
}

static void
a_complaint_is_made_once_a_minute(void **state)
{
	struct admission admission = {.limit = 1};

	(void)state;
	assert_true(admission_may_complain(&admission, 1000));
	assert_false(admission_may_complain(&admission, 1000));
	assert_false(admission_may_complain(&admission, 1059));
	assert_true(admission_may_complain(&admission, 1060));
	assert_false(admission_may_complain(&admission, 1061));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit_leaves_two_and_a_quarter_descriptors_a_tunnel),
		cmocka_unit_test(every_worker_and_every_listener_takes_some_descriptors_away),
		cmocka_unit_test(too_few_descriptors_still_allow_one_tunnel),
		cmocka_unit_test(an_unlimited_number_of_descriptors_does_not_overflow),
		cmocka_unit_test(the_tunnels_of_all_workers_are_counted_together),
		cmocka_unit_test(a_complaint_is_made_once_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
