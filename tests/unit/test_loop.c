/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <ev.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

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
static atomic_bool busy_wait;

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
	atomic_store(&busy_wait, false);
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

enum { WIDEST = 4 };

/* Something that is always there to be read, seen @left times more. */
struct busy {
	struct ev_io ios[WIDEST];
	unsigned left;
};

static void
on_readable(struct ev_loop *ev, struct ev_io *io, int events)
{
	struct busy *busy = io->data;

	(void)events;
	if (io == &busy->ios[0] && busy->left-- == 0)
		ev_break(ev, EVBREAK_ALL);
}

static void
start_reading(struct busy *busy, struct ev_io *io)
{
	int fd = eventfd(1, EFD_CLOEXEC);

	assert_true(fd >= 0);
	ev_io_init(io, on_readable, fd, EV_READ);
	io->data = busy;
	ev_io_start(fixture.loop.ev, io);
}

/* Have events come at once, @times, by @width. */
static void
be_busy(unsigned times, unsigned width)
{
	struct ev_loop *ev = fixture.loop.ev;
	struct busy busy = {.left = times};

	for (unsigned i = 0; i < width; i++)
		start_reading(&busy, &busy.ios[i]);
	(void)ev_run(ev, 0);
	for (unsigned i = 0; i < width; i++) {
		ev_io_stop(ev, &busy.ios[i]);
		(void)close(busy.ios[i].fd);
	}
}

/* After @times events that came at once the loop waits for 5 ms: how often does it look? */
static unsigned
looks_after(unsigned times)
{
	be_busy(times, 1);
	unsigned before = ev_iteration(fixture.loop.ev);
	run_for(0.005);
	return ev_iteration(fixture.loop.ev) - before;
}

/* A machine with other work may make it sleep all the same, so it has some tries, each without what was learnt. */
static bool
looks_again_after(unsigned times)
{
	for (unsigned tries = 0; tries < 2000; tries++) {
		patience_init(&fixture.loop.patience);
		if (looks_after(times) > 3)
			return true;
	}
	return false;
}

static void
stay_awake(void)
{
	atomic_store(&busy_wait, true);
	fixture.loop.busy_wait = &busy_wait;
}

static void
a_busy_loop_looks_again_before_it_sleeps(void **state)
{
	(void)state;
	stay_awake();
	assert_true(looks_again_after(100));
}

static double
cpu_seconds(void)
{
	struct timespec used;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static void
then_it_sleeps(void **state)
{
	(void)state;
	stay_awake();
	for (unsigned found = 0; found < 5; found++) {
		assert_true(looks_again_after(100));
		be_busy(100, 1);
		double before = cpu_seconds();
		run_for(0.1);
		assert_true(cpu_seconds() - before < 0.02);
	}
}

static void
a_loop_that_may_not_look_sleeps(void **state)
{
	(void)state;
	for (unsigned tries = 0; tries < 10; tries++)
		assert_in_range(looks_after(100), 0, 3);
	fixture.loop.busy_wait = &busy_wait;
	for (unsigned tries = 0; tries < 10; tries++)
		assert_in_range(looks_after(100), 0, 3);
	atomic_store(&busy_wait, true);
	assert_true(looks_again_after(100));
}

static void
a_loop_without_much_to_do_sleeps(void **state)
{
	(void)state;
	stay_awake();
	for (unsigned tries = 0; tries < 10; tries++)
		assert_in_range(looks_after(1), 0, 3);
}

/* What comes to a loop that is awake counts: else a wait would seem to go on. */
static void
each_event_ends_a_wait(void **state)
{
	unsigned ended = 0;

	(void)state;
	stay_awake();
	for (unsigned tries = 0; tries < 100; tries++) {
		be_busy(1000, 1);
		ended += fixture.loop.patience.awake;
	}
	assert_true(ended > 0);
}

static void *
compute(void *stop)
{
	while (!atomic_load((atomic_bool *)stop))
		continue;
	return NULL;
}

static void
it_sees_when_another_needs_the_processor(void **state)
{
	atomic_bool stop = false;
	cpu_set_t before, one;
	pthread_t thread;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &before))
			CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(pthread_create(&thread, NULL, compute, &stop), 0);
	stay_awake();
	for (unsigned tries = 0; tries < 1000 && fixture.loop.patience.gives_from == 0; tries++)
		be_busy(100, 2);
	atomic_store(&stop, true);
	(void)pthread_join(thread, NULL);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_true(fixture.loop.patience.gives_from > 0);
}

static bool
is_bound_after(unsigned width)
{
	be_busy(1000, width);
	return fixture.loop.place.bound;
}

/* Others that compute here may forbid it for some seconds. */
static bool
is_bound_at_last(void)
{
	for (unsigned tries = 0; tries < 20000; tries++)
		if (is_bound_after(WIDEST))
			return true;
	return false;
}

static void
a_loop_to_which_much_comes_stays_on_a_core(void **state)
{
	struct places places = {0};
	cpu_set_t cores;

	(void)state;
	stay_awake();
	assert_int_equal(sched_getaffinity(0, sizeof(cores), &cores), 0);
	places.workers = (unsigned)CPU_COUNT(&cores);
	place_init(&fixture.loop.place, &places);
	if (!fixture.loop.place.may) {
		print_message("left out: it takes two cores\n");
		return;
	}
	assert_true(is_bound_at_last());
	assert_false(is_bound_after(1));
	assert_true(is_bound_at_last());
	fixture.loop.patience.gives_from = clock_seconds() + 1000;
	assert_false(is_bound_after(WIDEST));
	fixture.loop.patience.gives_from = 0;
	assert_true(is_bound_at_last());
	atomic_store(&busy_wait, false);
	assert_false(is_bound_after(WIDEST));
}

struct watcher {
	struct turn turn;
	unsigned again, waited;
};

static void
on_turn(struct turn *turn)
{
	struct watcher *watcher = container_of(turn, struct watcher, turn);

	watcher->waited += fixture.loop.patience.waits;
	if (watcher->again-- > 0)
		loop_defer(&fixture.loop, turn);
}

static void
while_somebody_is_queued_it_does_not_wait(void **state)
{
	struct watcher watcher = {.again = 10};

	(void)state;
	stay_awake();
	turn_init(&watcher.turn, on_turn);
	loop_defer(&fixture.loop, &watcher.turn);
	run_for(0.01);
	assert_int_equal(watcher.again, UINT_MAX);
	assert_int_equal(watcher.waited, 0);
	assert_int_equal(fixture.loop.patience.came, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_who_queue_again_wait_for_all_others),
		TEST(a_cancelled_turn_is_not_run),
		TEST(who_waits_for_memory_is_run_a_moment_later),
		TEST(a_busy_loop_looks_again_before_it_sleeps),
		TEST(then_it_sleeps),
		TEST(a_loop_that_may_not_look_sleeps),
		TEST(a_loop_without_much_to_do_sleeps),
		TEST(each_event_ends_a_wait),
		TEST(it_sees_when_another_needs_the_processor),
		TEST(a_loop_to_which_much_comes_stays_on_a_core),
		TEST(while_somebody_is_queued_it_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
