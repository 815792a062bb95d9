/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tunnel/place.h"

static cpu_set_t all;
static unsigned count; /* of them */
static struct places places;
static struct place place;
static double now;

static int
setup(void **state)
{
	(void)state;
	now = 1000;
	places = (struct places){.workers = count};
	place_init(&place, &places);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return sched_setaffinity(0, sizeof(all), &all);
}

static cpu_set_t
cores(void)
{
	cpu_set_t found;

	assert_int_equal(sched_getaffinity(0, sizeof(found), &found), 0);
	return found;
}

static bool
is_free(void)
{
	cpu_set_t found = cores();

	return CPU_EQUAL(&found, &all);
}

static bool
is_on(unsigned core)
{
	cpu_set_t found = cores();

	return CPU_COUNT(&found) == 1 && CPU_ISSET(core, &found);
}

/* Each 9 ms. */
static void
come(unsigned times, unsigned events)
{
	while (times-- > 0)
		place_came(&place, events, now += 9e-3, true);
}

static void
it_is_free_at_first(void **state)
{
	(void)state;
	assert_true(is_free());
	come(10, 16);
	assert_true(is_free());
}

static void
it_stays_on_its_core_while_many_come(void **state)
{
	(void)state;
	come(1000, 3);
	assert_true(is_on(place.core));
	come(1000, 3);
	assert_true(is_on(place.core));
}

/* A lone tunnel brings no more. */
static void
two_at_once_are_not_many(void **state)
{
	(void)state;
	come(10000, 2);
	assert_true(is_free());
}

static void
it_is_let_go_when_few_come(void **state)
{
	(void)state;
	come(100, 16);
	assert_true(is_on(place.core));
	come(1000, 1);
	assert_true(is_free());
}

static void
turns_without_events_change_nothing(void **state)
{
	(void)state;
	come(100, 16);
	come(1000, 0);
	assert_true(is_on(place.core));
}

static void
it_is_let_go_when_something_comes_after_a_pause(void **state)
{
	(void)state;
	come(100, 16);
	now += 2e-3;
	come(1, 16);
	assert_true(is_free());
	come(100, 16);
	assert_true(is_on(place.core));
}

static void
who_may_not_be_bound_is_let_go(void **state)
{
	(void)state;
	come(100, 16);
	place_came(&place, 0, now, false);
	assert_true(is_free());
	for (unsigned i = 0; i < 1000; i++)
		place_came(&place, 16, now, false);
	assert_true(is_free());
	come(1, 16);
	assert_true(is_on(place.core));
}

static unsigned
last_core(void)
{
	unsigned core = CPU_SETSIZE - 1;

	while (!CPU_ISSET(core, &all))
		core--;
	return core;
}

static void
go_to(unsigned core)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(core, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void
it_stays_on_the_core_where_it_is(void **state)
{
	(void)state;
	go_to(last_core());
	come(100, 16);
	assert_true(is_on(last_core()));
	assert_true(places.taken[last_core()]);
	place_came(&place, 0, now, false);
	assert_false(places.taken[last_core()]);
}

static void
a_core_that_another_has_is_left_to_it(void **state)
{
	(void)state;
	go_to(last_core());
	places.taken[last_core()] = true;
	come(100, 16);
	assert_false(is_free() || is_on(last_core()));
	place_came(&place, 0, now, false);
	for (unsigned core = 0; core < CPU_SETSIZE; core++)
		places.taken[core] = core != last_core();
	come(1, 16);
	assert_true(is_on(last_core()));
}

static void
when_others_have_all_it_is_free_until_one_is_let_go(void **state)
{
	(void)state;
	for (unsigned core = 0; core < CPU_SETSIZE; core++)
		places.taken[core] = true;
	come(100, 16);
	assert_true(is_free());
	places.taken[last_core()] = false;
	come(1, 16);
	assert_true(is_on(last_core()));
}

static void
with_fewer_workers_than_cores_or_more_none_is_bound(void **state)
{
	(void)state;
	places.workers = count - 1;
	place_init(&place, &places);
	come(1000, 16);
	assert_true(is_free());
	places.workers = count + 1;
	place_init(&place, &places);
	come(1000, 16);
	assert_true(is_free());
}

static void
a_program_that_has_one_core_is_left_there(void **state)
{
	(void)state;
	go_to(last_core());
	place_init(&place, &places);
	assert_false(place.may);
}

/* Such as by a control group: the kernel refuses a core that is not there. */
static void
a_core_that_was_taken_away_is_not_tried_again(void **state)
{
	(void)state;
	CPU_ZERO(&place.before);
	CPU_SET(CPU_SETSIZE - 1, &place.before);
	come(1000, 16);
	assert_true(is_free());
	assert_false(place.may);
	assert_false(places.taken[CPU_SETSIZE - 1]);
}

static void
one_that_was_not_prepared_does_nothing(void **state)
{
	(void)state;
	place = (struct place){0};
	come(1000, 16);
	place_came(&place, 16, now, false);
	assert_true(is_free());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_free_at_first),
		TEST(it_stays_on_its_core_while_many_come),
		TEST(two_at_once_are_not_many),
		TEST(it_is_let_go_when_few_come),
		TEST(turns_without_events_change_nothing),
		TEST(it_is_let_go_when_something_comes_after_a_pause),
		TEST(who_may_not_be_bound_is_let_go),
		TEST(it_stays_on_the_core_where_it_is),
		TEST(a_core_that_another_has_is_left_to_it),
		TEST(when_others_have_all_it_is_free_until_one_is_let_go),
		TEST(with_fewer_workers_than_cores_or_more_none_is_bound),
		TEST(a_program_that_has_one_core_is_left_there),
		TEST(a_core_that_was_taken_away_is_not_tried_again),
		TEST(one_that_was_not_prepared_does_nothing),
	};

	all = cores();
	count = (unsigned)CPU_COUNT(&all);
	if (count < 2) {
		print_message("left out: it takes two cores\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
