/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tunnel/patience.h"

static const double us = 1e-6;

static struct patience patience;
static double now;

static int
setup(void **state)
{
	(void)state;
	patience_init(&patience);
	now = 1000;
	return 0;
}

/* Wait for @length us as a loop does that looks once in each, until @events come. Returns how many it was awake. */
static unsigned
wait_for(unsigned length, unsigned events)
{
	double began = now;
	unsigned awake = 0;

	while (awake < length && !patience_next(&patience, now).sleeps)
		now = began + ++awake * us;
	now = began + length * us;
	patience_came(&patience, events, now);
	return awake;
}

static unsigned
wait_often(unsigned times, unsigned length)
{
	unsigned awake = 0;

	while (times-- > 0)
		awake += wait_for(length, 1);
	return awake;
}

static void
it_sleeps_at_first(void **state)
{
	struct patience_step step = patience_next(&patience, now);

	(void)state;
	assert_true(step.sleeps && !step.gives_way);
	step = patience_next(&patience, now + 10 * us);
	assert_true(step.sleeps && !step.gives_way);
}

static void
after_short_waits_it_stays_awake(void **state)
{
	(void)state;
	assert_true(wait_often(18, 20) == 0);
	assert_int_equal(wait_often(1000, 20), 1000 * 20);
}

static void
it_takes_eighteen_waits_of_20_us_after_none(void **state)
{
	(void)state;
	(void)wait_often(17, 20);
	assert_false(patience.awake);
	(void)wait_for(20, 1);
	assert_true(patience.awake);
}

static void
it_gives_up_after_four_waits_of_60_us(void **state)
{
	(void)state;
	while (!patience.awake)
		(void)wait_for(60, 1);
	(void)wait_often(3, 60);
	assert_true(patience.awake);
	(void)wait_for(60, 1);
	assert_false(patience.awake);
}

/* Where the waits are too long to pay, what it costs to try is little. */
static void
where_waits_are_long_it_hardly_tries(void **state)
{
	(void)state;
	for (unsigned length = 60; length <= 90; length += 10) {
		unsigned awake = wait_often(10000, length);
		assert_in_range(awake, 50 * length, 500 * length);
	}
	assert_in_range(wait_often(10000, 110), 0, 1000);
}

static void
it_sleeps_after_a_hundred_microseconds(void **state)
{
	(void)state;
	(void)wait_often(100, 10);
	assert_in_range(wait_for(1000000, 1), 100, 101);
}

static void
one_long_wait_ends_it_for_a_while(void **state)
{
	(void)state;
	(void)wait_often(100, 10);
	(void)wait_for(1000000, 1);
	assert_true(wait_often(1999, 10) == 0);
	(void)wait_often(2, 10);
	assert_true(wait_for(10, 1) > 0);
}

static void
however_long_a_wait_was_few_short_ones_make_up_for_it(void **state)
{
	(void)state;
	(void)wait_often(100, 10);
	(void)wait_for(1000000000, 1);
	(void)wait_for(1000000000, 1);
	assert_true(wait_often(30, 1000) == 0);
	(void)wait_often(25, 10);
	assert_true(wait_for(10, 1) > 0);
}

static void
what_comes_unasked_is_no_wait(void **state)
{
	(void)state;
	(void)wait_often(100, 10);
	for (unsigned i = 0; i < 100; i++) {
		now += 1;
		patience_came(&patience, 1, now);
	}
	assert_false(patience_next(&patience, now).sleeps);
	patience_came(&patience, 0, now + 1);
	now += us;
	patience_came(&patience, 1, now);
	assert_false(patience_next(&patience, now).sleeps);
}

static void
it_gives_way_after_several_events(void **state)
{
	(void)state;
	(void)wait_for(1, 1);
	assert_false(patience_next(&patience, now).gives_way);
	patience_came(&patience, 2, now);
	assert_true(patience_next(&patience, now).gives_way);
	patience_came(&patience, 1, now);
	patience_came(&patience, 2, now); /* unasked: the queue was not empty */
	assert_true(patience_next(&patience, now).gives_way);
}

/* Two events come, and others run for @length us before the next look. Returns whether it let them. */
static bool
lets_others_run(unsigned length)
{
	patience_came(&patience, 2, now);
	if (!patience_next(&patience, now).gives_way)
		return false;
	patience_gave_way(&patience, now, now + length * us);
	now += length * us;
	return true;
}

static void
who_gives_the_processor_back_soon_is_let_run_again(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_true(lets_others_run(1900));
}

/* How long does it not give way, and not stay awake, after that took too long? */
static double
rests(void)
{
	assert_true(lets_others_run(2100));
	double began = now;
	do {
		assert_false(patience.awake);
		(void)wait_often(100, 10);
	} while (!lets_others_run(0));
	return now - began;
}

static void
who_does_not_is_let_run_less_and_less(void **state)
{
	double length = 0.1;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		double rest = rests();
		assert_true(rest >= length && rest < length + 0.01);
		length = length < 6.4 ? 2 * length : 6.4;
	}
	now += 6.4;
	assert_true(rests() < 0.11);
}

/* Also between two looks. */
static void
it_sleeps_when_others_need_the_processor(void **state)
{
	(void)state;
	(void)wait_often(100, 10);
	assert_false(patience_next(&patience, now).sleeps);
	struct patience_step step = patience_next(&patience, now + us);
	assert_true(step.gives_way && !step.sleeps);
	patience_gave_way(&patience, now + us, now + 3000 * us);
	now += 3000 * us;
	assert_true(patience_next(&patience, now).sleeps);
	patience_came(&patience, 1, now);
	assert_true(wait_often(9900, 10) == 0);
	(void)wait_often(200, 10);
	assert_true(wait_for(10, 1) > 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_sleeps_at_first),
		TEST(after_short_waits_it_stays_awake),
		TEST(it_takes_eighteen_waits_of_20_us_after_none),
		TEST(it_gives_up_after_four_waits_of_60_us),
		TEST(where_waits_are_long_it_hardly_tries),
		TEST(it_sleeps_after_a_hundred_microseconds),
		TEST(one_long_wait_ends_it_for_a_while),
		TEST(however_long_a_wait_was_few_short_ones_make_up_for_it),
		TEST(what_comes_unasked_is_no_wait),
		TEST(it_gives_way_after_several_events),
		TEST(who_gives_the_processor_back_soon_is_let_run_again),
		TEST(who_does_not_is_let_run_less_and_less),
		TEST(it_sleeps_when_others_need_the_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
