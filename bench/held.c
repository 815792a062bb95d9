/* SPDX-License-Identifier: MIT */
#include "bench/modes.h"

#include <inttypes.h>
#include <stdio.h>

#include "bench/run.h"

/*
 * Two loads hold connections. Each connection first exchanges one message, so that it is known to reach
 * the backend; when all have, "holding N" is printed and the time begins to run. Silent ones
 * exchange one more at the end, so that they are known to be still there. No more than RUN_OPENING wait
 * for their first message at the same time: how a flood is survived is another question.
 *
 * With messages, there is one grid in time for all: its step is interval / connections, and step n belongs
 * to connection n modulo connections. It never moves, however late answers are, so that a stall is
 * measured by every message that fell into it.
 */

static void
on_start(struct run *run)
{
	uint64_t connections = run->options->connections;

	run->wanted = connections < RUN_OPENING ? connections : RUN_OPENING;
	run->scheduled = run->wanted;
	run->deadline = UINT64_MAX;
}

static void
on_opened(struct run *run, struct flow *flow)
{
	flow->send_limit = run->options->size;
}

static bool
is_holding(const struct run *run)
{
	return run->grid > 0;
}

/* One more connection is there, or has failed and is not waited for; another one may come. */
static void
count_ready(struct run *run)
{
	if (!run->stopping && run->scheduled < run->options->connections) {
		run->scheduled++;
		run->wanted++;
	}
	if (++run->ready < run->options->connections)
		return;
	(void)printf("holding %" PRIu64 "\n", run->open);
	(void)fflush(stdout);
	run->began = run->grid = run->now;
	run->deadline = run->now + run_nanoseconds(run->options->seconds);
	if (run->mode->ticked)
		run->tick = run->now;
}

static void
on_hold_received(struct run *run, struct flow *flow)
{
	if (!is_holding(run) && flow->received == run->options->size)
		count_ready(run);
}

static void
on_hold_ended(struct run *run, bool good)
{
	if (!is_holding(run)) {
		count_ready(run);
	} else if (good) {
		run->result->done++;
	}
}

static void
on_hold_stop(struct run *run, struct flow *flow)
{
	flow->send_limit += run->options->size;
	flow->finish = true;
}

static uint64_t
step_time(const struct run *run, uint64_t step)
{
	double interval = run->options->interval * 1e9 / (double)run->options->connections;

	return run->grid + (uint64_t)((double)step * interval);
}

/* The first message to come back was none of the grid's. */
static void
on_message_received(struct run *run, struct flow *flow)
{
	uint64_t came = flow->received / run->options->size;

	on_hold_received(run, flow);
	for (; flow->counted + 1 < came; flow->counted++) {
		uint64_t step = flow->counted * run->options->connections + flow->index;
		histogram_add(&run->result->latency, run->now - step_time(run, step));
		run->result->done++;
	}
}

static void
on_message_ended(struct run *run, bool good)
{
	(void)good;
	if (!is_holding(run))
		count_ready(run);
	if (run->open == 0)
		run->tick = UINT64_MAX;
}

static void
on_message_ticked(struct run *run)
{
	while (run->tick <= run->now) {
		struct flow *flow = run->slots[run->ticks % run->options->connections];
		run->tick = step_time(run, ++run->ticks);
		if (!flow)
			continue;
		flow->send_limit += run->options->size;
		run_step(run, flow);
	}
}

static void
on_message_stop(struct run *run, struct flow *flow)
{
	(void)run;
	flow->finish = true;
}

const struct mode hold_mode = {
	.start = on_start,
	.opened = on_opened,
	.received = on_hold_received,
	.ended = on_hold_ended,
	.stop = on_hold_stop,
};

const struct mode message_mode = {
	.start = on_start,
	.opened = on_opened,
	.received = on_message_received,
	.ended = on_message_ended,
	.ticked = on_message_ticked,
	.stop = on_message_stop,
};
