/* SPDX-License-Identifier: MIT */
#include "tests/unit/timed.h"

#include <ev.h>

#include "common/clock.h"

static void
on_time(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(ev, EVBREAK_ONE);
}

double
timed_run(struct ev_loop *ev, double seconds)
{
	double begin = clock_seconds();
	struct ev_timer timer;

	ev_now_update(ev);
	ev_timer_init(&timer, on_time, seconds, 0.);
	ev_timer_start(ev, &timer);
	(void)ev_run(ev, 0);
	ev_timer_stop(ev, &timer);
	return clock_seconds() - begin;
}
