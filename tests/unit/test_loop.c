/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <ev.h>

#include "common/clock.h"
#include "common/diag.h"
#include "tests/unit/timed.h"
#include "tunnel/loop.h"

struct fixture {
	struct pool_budget budget;
	struct loop loop;
	char order[16];
	size_t count;
};

static struct fixture fixture;

struct runner {
	struct turn turn;
	char letter;
	unsigned again; /* how often it queues itself again */
};

static void
on_run(struct turn *turn)
{
	struct runner *runner = container_of(turn, struct runner, turn);

	fixture.order[fixture.count++] = runner->letter;
	if (runner->again > 0) {
		runner->again--;
		loop_defer(&fixture.loop, turn);
	}
}

/* Run the loop for @seconds. */
static void
run_for(double seconds)
{
	(void)timed_run(fixture.loop.ev, seconds);
}

static int
setup(void **state)
{
	struct diag diag;

	(void)state;
	fixture = (struct fixture){.budget.limit = 1 << 20};
	return loop_init(&fixture.loop, &fixture.budget, &diag);
}

static int
teardown(void **state)
{
	(void)state;
	loop_release(&fixture.loop);
	return 0;
}

static void
those_who_queue_again_wait_for_all_others(void **state)
{
	struct runner a = {.letter = 'a', .again = 2}, b = {.letter = 'b', .again = 1};

	(void)state;
	turn_init(&a.turn, on_run);
	turn_init(&b.turn, on_run);
	loop_defer(&fixture.loop, &a.turn);
	loop_defer(&fixture.loop, &b.turn);
	loop_defer(&fixture.loop, &a.turn); /* queued already */
	run_for(0.01);
	assert_string_equal(fixture.order, "ababa");
}

static void
a_cancelled_turn_is_not_run(void **state)
{
	struct runner a = {.letter = 'a'}, b = {.letter = 'b'};

	(void)state;
	turn_init(&a.turn, on_run);
	turn_init(&b.turn, on_run);
	loop_defer(&fixture.loop, &a.turn);
	loop_starve(&fixture.loop, &b.turn);
	loop_cancel(&a.turn);
	loop_cancel(&b.turn);
	run_for(0.05);
	assert_int_equal(fixture.count, 0);
}

static void
who_waits_for_memory_is_run_a_moment_later(void **state)
{
	struct runner a = {.letter = 'a'};
	double began = clock_seconds();

	(void)state;
	turn_init(&a.turn, on_run);
	ev_now_update(fixture.loop.ev);
	loop_starve(&fixture.loop, &a.turn);
	run_for(0.005);
	assert_true(fixture.count == 0 || clock_seconds() - began >= 0.02);
	run_for(0.05);
	assert_string_equal(fixture.order, "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_who_queue_again_wait_for_all_others),
		TEST(a_cancelled_turn_is_not_run),
		TEST(who_waits_for_memory_is_run_a_moment_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
