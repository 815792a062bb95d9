/* SPDX-License-Identifier: MIT */
#include "bench/modes.h"

#include <math.h>
#include <stdlib.h>

#include "bench/run.h"

/*
 * Two loads share their connection: a message there and back, FIN, the other end's FIN. In a closed loop
 * the next one comes when it is over; in an open loop when its time has come, however slow the others
 * are, and what it waits before it is even opened counts as its latency.
 */

static bool
is_last(const struct run *run)
{
	return run->options->count && run->scheduled >= run->options->count;
}

static void
on_opened(struct run *run, struct flow *flow)
{
	flow->send_limit = run->options->size;
}

static void
on_received(struct run *run, struct flow *flow)
{
	if (flow->received < run->options->size)
		return;
	histogram_add(&run->result->latency, run->now - flow->began);
	flow->finish = true;
}

static void
on_stop(struct run *run, struct flow *flow)
{
	/* What has begun is let through to its end. */
	(void)run;
	(void)flow;
}

static void
on_connect_start(struct run *run)
{
	run->wanted = run->options->connections;
	if (run->options->count && run->options->count < run->wanted)
		run->wanted = run->options->count;
	run->scheduled = run->wanted;
}

static void
on_connect_ended(struct run *run, bool good)
{
	if (good)
		run->result->done++;
	if (run->stopping || is_last(run))
		return;
	run->scheduled++;
	run->wanted++;
}

/* The time between two arrivals of a Poisson process; the sequence is the same in every run. */
static uint64_t
next_gap(const struct run *run)
{
	static unsigned short state[3] = {0x330e, 0x5eed, 0x1};

	return run_nanoseconds(-log(1.0 - erand48(state)) / run->options->rate);
}

static void
on_rate_start(struct run *run)
{
	run->tick = run->now + next_gap(run);
}

static void
arrive(struct run *run, uint64_t when)
{
	if (run->open >= run->options->connections) {
		result_fail(run->result, RESULT_DROPPED,
			"an arrival found %llu connections open already",
			(unsigned long long)run->open);
		return;
	}
	struct flow *flow = run_open(run);
	if (flow)
		flow->began = when;
}

static void
on_rate_ticked(struct run *run)
{
	while (run->tick <= run->now) {
		arrive(run, run->tick);
		run->tick += next_gap(run);
		run->scheduled++;
		if (is_last(run) || result_errors(run->result) >= run->options->errors)
			run->tick = UINT64_MAX;
	}
}

static void
on_rate_ended(struct run *run, bool good)
{
	if (good)
		run->result->done++;
}

const struct mode connect_mode = {
	.start = on_connect_start,
	.opened = on_opened,
	.received = on_received,
	.ended = on_connect_ended,
	.stop = on_stop,
};

const struct mode rate_mode = {
	.start = on_rate_start,
	.opened = on_opened,
	.received = on_received,
	.ended = on_rate_ended,
	.ticked = on_rate_ticked,
	.stop = on_stop,
};
