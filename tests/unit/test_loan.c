/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <ev.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "common/defs.h"
#include "common/diag.h"
#include "tunnel/loan.h"

enum { HELPERS = 3, ERRANDS = 12 };

/* Work that says when it begins, and waits until it may end. */
struct errand {
	struct loan loan;
	pthread_t worker; /* the thread that did it */
	unsigned worked, done;
	bool again; /* lend it once more when it comes back */
};

static struct loan_helpers *helpers;
static struct loan_desk desk;
static struct ev_loop *ev;
static struct errand errands[ERRANDS];
static pthread_t loop_thread;
static sem_t begun, gate;
static struct errand *order[ERRANDS]; /* as they were worked off */
static atomic_uint worked_off;

static void
on_work(struct loan *loan)
{
	struct errand *errand = container_of(loan, struct errand, loan);

	order[atomic_fetch_add(&worked_off, 1) % ERRANDS] = errand;
	errand->worker = pthread_self();
	errand->worked++;
	(void)sem_post(&begun);
	(void)sem_wait(&gate);
}

static void
lend(struct errand *errand)
{
	struct diag diag;

	errand->loan.work = on_work;
	assert_int_equal(loan_lend(&desk, &errand->loan, &diag), 0);
}

static void
on_done(struct loan *loan)
{
	struct errand *errand = container_of(loan, struct errand, loan);

	errand->done++;
	assert_true(pthread_equal(pthread_self(), loop_thread));
	if (!errand->again)
		return;
	errand->again = false;
	lend(errand);
}

static int
setup(void **state)
{
	(void)state;
	loop_thread = pthread_self();
	for (size_t i = 0; i < ERRANDS; i++)
		errands[i] = (struct errand){.loan.done = on_done};
	atomic_store(&worked_off, 0);
	assert_int_equal(sem_init(&begun, 0, 0), 0);
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	helpers = loan_helpers_new(HELPERS);
	assert_non_null(ev);
	assert_non_null(helpers);
	loan_desk_init(&desk, ev, helpers);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* What a test that failed has left at the gate. */
	for (int i = 0; i < 2 * ERRANDS; i++)
		(void)sem_post(&gate);
	while (desk.out > 0)
		(void)ev_run(ev, EVRUN_ONCE);
	loan_desk_release(&desk);
	loan_helpers_free(helpers);
	ev_loop_destroy(ev);
	(void)sem_destroy(&begun);
	(void)sem_destroy(&gate);
	return 0;
}

static void
let_go(unsigned count)
{
	while (count-- > 0)
		(void)sem_post(&gate);
}

static void
wait_for_begin(void)
{
	while (sem_wait(&begun) != 0)
		continue;
}

/* Run the loop until nothing is lent. */
static void
run(void)
{
	while (desk.out > 0)
		(void)ev_run(ev, EVRUN_ONCE);
}

static void
work_is_done_elsewhere_and_comes_back_to_the_loop(void **state)
{
	(void)state;
	lend(&errands[0]);
	assert_int_equal(desk.out, 1);
	wait_for_begin();
	(void)ev_run(ev, EVRUN_NOWAIT);
	assert_int_equal(errands[0].done, 0);
	let_go(1);
	run();
	assert_int_equal(errands[0].worked, 1);
	assert_int_equal(errands[0].done, 1);
	assert_false(pthread_equal(errands[0].worker, pthread_self()));
}

static void
those_who_wait_are_served_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ERRANDS; i++)
		lend(&errands[i]);
	for (size_t i = 0; i < ERRANDS; i++) {
		wait_for_begin();
		if (i >= HELPERS)
			assert_ptr_equal(order[i], &errands[i]);
		if (i >= HELPERS - 1)
			let_go(1);
	}
	let_go(HELPERS - 1);
	run();
	for (size_t i = 0; i < ERRANDS; i++)
		assert_int_equal(errands[i].done, 1);
}

static void
all_helpers_work_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < HELPERS; i++)
		lend(&errands[i]);
	for (int i = 0; i < HELPERS; i++)
		wait_for_begin();
	let_go(HELPERS);
	run();
	for (int i = 0; i < HELPERS; i++)
		for (int other = 0; other < i; other++)
			assert_false(pthread_equal(errands[i].worker, errands[other].worker));
}

static void
there_are_never_more_than_were_allowed(void **state)
{
	const struct timespec moment = {.tv_nsec = 20000000};

	(void)state;
	for (int i = 0; i < ERRANDS; i++)
		lend(&errands[i]);
	for (int i = 0; i < HELPERS; i++)
		wait_for_begin();
	(void)nanosleep(&moment, NULL);
	assert_int_equal(sem_trywait(&begun), -1);
	let_go(ERRANDS);
	run();
}

static void
what_waits_can_be_recalled_and_is_never_worked_on(void **state)
{
	(void)state;
	for (int i = 0; i < HELPERS; i++)
		lend(&errands[i]);
	for (int i = 0; i < HELPERS; i++)
		wait_for_begin();
	lend(&errands[HELPERS]);
	lend(&errands[HELPERS + 1]);
	assert_true(loan_recall(&errands[HELPERS].loan));
	assert_int_equal(desk.out, HELPERS + 1);
	let_go(HELPERS + 1);
	run();
	assert_int_equal(errands[HELPERS].worked, 0);
	assert_int_equal(errands[HELPERS].done, 0);
	assert_int_equal(errands[HELPERS + 1].done, 1);
}

static void
what_was_lent_before_can_be_recalled_too(void **state)
{
	(void)state;
	let_go(1);
	lend(&errands[HELPERS]);
	run();
	wait_for_begin();
	for (int i = 0; i < HELPERS; i++)
		lend(&errands[i]);
	for (int i = 0; i < HELPERS; i++)
		wait_for_begin();
	lend(&errands[HELPERS]);
	assert_true(loan_recall(&errands[HELPERS].loan));
	let_go(HELPERS);
	run();
	assert_int_equal(errands[HELPERS].worked, 1);
}

static void
what_is_worked_on_or_just_back_cannot_be_recalled(void **state)
{
	(void)state;
	lend(&errands[0]);
	wait_for_begin();
	assert_false(loan_recall(&errands[0].loan));
	let_go(1);
	for (bool back = false; !back;) {
		(void)pthread_mutex_lock(&desk.lock);
		back = !list_is_empty(&desk.returned);
		(void)pthread_mutex_unlock(&desk.lock);
	}
	assert_false(loan_recall(&errands[0].loan));
	run();
	assert_int_equal(errands[0].done, 1);
}

static void
what_came_back_can_be_lent_again(void **state)
{
	(void)state;
	errands[0].again = true;
	lend(&errands[0]);
	let_go(2);
	run();
	assert_int_equal(errands[0].worked, 2);
	assert_int_equal(errands[0].done, 2);
}

static void
the_loops_of_several_threads_get_back_their_own(void **state)
{
	struct ev_loop *other_ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	struct loan_desk other;
	struct diag diag;

	(void)state;
	assert_non_null(other_ev);
	loan_desk_init(&other, other_ev, helpers);
	let_go(2);
	lend(&errands[0]);
	errands[1].loan.work = on_work;
	assert_int_equal(loan_lend(&other, &errands[1].loan, &diag), 0);
	run();
	assert_int_equal(errands[0].done, 1);
	assert_int_equal(errands[1].done, 0);
	while (other.out > 0)
		(void)ev_run(other_ev, EVRUN_ONCE);
	assert_int_equal(errands[1].done, 1);
	loan_desk_release(&other);
	ev_loop_destroy(other_ev);
}

static void
without_a_helper_nothing_is_lent(void **state)
{
	struct loan_helpers *none = loan_helpers_new(0);
	struct loan_desk closed;
	struct diag diag;

	(void)state;
	assert_non_null(none);
	loan_desk_init(&closed, ev, none);
	assert_int_equal(loan_lend(&closed, &errands[0].loan, &diag), -1);
	assert_non_null(strstr(diag.text, "helper thread"));
	assert_int_equal(closed.out, 0);
	loan_desk_release(&closed);
	loan_helpers_free(none);
	loan_helpers_free(NULL);
}

static void
there_are_four_helpers_or_one_a_worker(void **state)
{
	(void)state;
	assert_int_equal(loan_threads(1), 4);
	assert_int_equal(loan_threads(4), 4);
	assert_int_equal(loan_threads(5), 5);
	assert_int_equal(loan_threads(64), 64);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(work_is_done_elsewhere_and_comes_back_to_the_loop),
		TEST(those_who_wait_are_served_in_order),
		TEST(all_helpers_work_at_once),
		TEST(there_are_never_more_than_were_allowed),
		TEST(what_waits_can_be_recalled_and_is_never_worked_on),
		TEST(what_was_lent_before_can_be_recalled_too),
		TEST(what_is_worked_on_or_just_back_cannot_be_recalled),
		TEST(what_came_back_can_be_lent_again),
		TEST(the_loops_of_several_threads_get_back_their_own),
		TEST(without_a_helper_nothing_is_lent),
		cmocka_unit_test(there_are_four_helpers_or_one_a_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
