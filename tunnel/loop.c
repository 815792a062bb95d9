/* SPDX-License-Identifier: MIT */
#include "tunnel/loop.h"

#include <sched.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/diag.h"
#include "tunnel/ciphers.h"
#include "tunnel/stream.h"
#include "tunnel/tickets.h"

static const double starve_period = 0.02;

/* Run all of @queue that are there now; those who queue themselves again wait for the next time. */
static void
run_all(struct list *queue)
{
	struct list now;

	list_init(&now);
	list_move(&now, queue);
	while (!list_is_empty(&now)) {
		struct turn *turn = container_of(now.next, struct turn, link);

		list_remove(&turn->link);
		turn->run(turn);
	}
}

static void
on_idle(struct ev_loop *ev, struct ev_idle *idle, int events)
{
	(void)ev;
	(void)idle;
	(void)events;
}

static bool
may_stay_awake(const struct loop *loop)
{
	return loop->busy_wait && atomic_load_explicit(loop->busy_wait, memory_order_relaxed);
}

/* What to do before looking for events, when others had the processor if that was due. */
static struct patience_step
take_step(struct patience *patience)
{
	double now = clock_seconds();
	struct patience_step step = patience_next(patience, now);

	if (step.gives_way) {
		(void)sched_yield();
		patience_gave_way(patience, now, clock_seconds());
	}
	return step;
}

/* Before the loop waits: give everybody in the queue a turn, and do not wait while there are more. */
static void
on_prepare(struct ev_loop *ev, struct ev_prepare *prepare, int events)
{
	struct loop *loop = container_of(prepare, struct loop, prepare);
	struct patience_step step = {.sleeps = true};

	(void)events;
	run_all(&loop->ready);
	if (!list_is_empty(&loop->ready))
		step.sleeps = false;
	else if (may_stay_awake(loop))
		step = take_step(&loop->patience);
	if (step.sleeps)
		ev_idle_stop(ev, &loop->idle);
	else
		ev_idle_start(ev, &loop->idle);
}

/* After the loop has waited, before what came is handled. */
static void
on_check(struct ev_loop *ev, struct ev_check *check, int events)
{
	struct loop *loop = container_of(check, struct loop, check);
	unsigned came = ev_pending_count(ev) - (ev_is_pending(&loop->idle) ? 1 : 0);
	double now = clock_seconds();

	(void)events;
	patience_came(&loop->patience, came, now);
	place_came(&loop->place, came, now,
		may_stay_awake(loop) && !patience_rests(&loop->patience, now));
}

static void
on_starve_timer(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	struct loop *loop = container_of(timer, struct loop, starve_timer);

	(void)events;
	ev_timer_stop(ev, timer);
	run_all(&loop->starved);
}

int
loop_init(struct loop *loop, struct pool_budget *budget, struct diag *diag)
{
	*loop = (struct loop){0};
	pool_init(&loop->pool, budget);
	list_init(&loop->tunnels);
	list_init(&loop->lingers);
	list_init(&loop->ready);
	list_init(&loop->starved);
	list_init(&loop->stalled);
	loop->tickets = tickets_new();
	loop->plaintext = malloc(LOOP_SCRATCH + STREAM_SLACK);
	loop->ciphertext = malloc(LOOP_SCRATCH_CIPHER);
	loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (loop->ev)
		loop->ciphers = ciphers_new(loop->ev);
	if (!loop->tickets || !loop->ciphers || !loop->plaintext || !loop->ciphertext) {
		loop_release(loop);
		return diag_set(diag, "an event loop cannot be made: out of memory or descriptors");
	}
	ev_prepare_init(&loop->prepare, on_prepare);
	ev_prepare_start(loop->ev, &loop->prepare);
	ev_check_init(&loop->check, on_check);
	ev_set_priority(&loop->check, EV_MAXPRI);
	ev_check_start(loop->ev, &loop->check);
	patience_init(&loop->patience);
	ev_idle_init(&loop->idle, on_idle);
	ev_init(&loop->starve_timer, on_starve_timer);
	loop->starve_timer.repeat = starve_period;
	return 0;
}

void
loop_release(struct loop *loop)
{
	ciphers_free(loop->ciphers);
	if (loop->ev)
		ev_loop_destroy(loop->ev);
	tickets_free(loop->tickets);
	free(loop->plaintext);
	free(loop->ciphertext);
	pool_release(&loop->pool);
	*loop = (struct loop){0};
}

void
turn_init(struct turn *turn, void (*run)(struct turn *turn))
{
	list_init(&turn->link);
	turn->run = run;
}

void
loop_defer(struct loop *loop, struct turn *turn)
{
	if (list_is_empty(&turn->link))
		list_append(&loop->ready, &turn->link);
}

void
loop_starve(struct loop *loop, struct turn *turn)
{
	if (!list_is_empty(&turn->link))
		return;
	list_append(&loop->starved, &turn->link);
	if (!ev_is_active(&loop->starve_timer))
		ev_timer_again(loop->ev, &loop->starve_timer);
}

void
loop_cancel(struct turn *turn)
{
	list_remove(&turn->link);
}
