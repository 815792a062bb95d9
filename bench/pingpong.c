/* SPDX-License-Identifier: MIT */
#include "bench/modes.h"

#include "bench/run.h"

static void
on_start(struct run *run)
{
	run->wanted = run->options->connections;
}

static void
on_opened(struct run *run, struct flow *flow)
{
	flow->send_limit = run->options->size;
}

static bool
is_last(const struct run *run)
{
	return run->stopping || (run->options->count && run->result->done >= run->options->count);
}

/* The first exchange of a connection waits for handshakes: it is no measure of a round trip. */
static void
on_received(struct run *run, struct flow *flow)
{
	if (flow->received < flow->send_limit)
		return;
	if (flow->received > run->options->size)
		histogram_add(&run->result->latency, run->now - flow->began);
	run->result->done++;
	flow->began = run->now;
	if (is_last(run)) {
		flow->finish = true;
	} else {
		flow->send_limit += run->options->size;
	}
}

static void
on_ended(struct run *run, bool good)
{
	(void)run;
	(void)good;
}

/* The exchange that is under way is let through; on_received() then finishes. */
static void
on_stop(struct run *run, struct flow *flow)
{
	(void)run;
	(void)flow;
}

const struct mode pingpong_mode = {
	.start = on_start,
	.opened = on_opened,
	.received = on_received,
	.ended = on_ended,
	.stop = on_stop,
};
