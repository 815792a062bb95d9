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
	uint64_t bytes = run->options->bytes ? run->options->bytes : UINT64_MAX;

	switch (run->options->direction) {
	case DIRECTION_UP:
		flow->request.kind = REQUEST_SINK;
		break;
	case DIRECTION_DOWN:
		flow->request.kind = REQUEST_SOURCE;
		flow->request.bytes = bytes;
		return;
	case DIRECTION_BOTH:
		break;
	}
	flow->send_limit = bytes;
	flow->finish = run->options->bytes > 0;
}

static void
on_received(struct run *run, struct flow *flow)
{
	(void)run;
	(void)flow;
}

static void
on_ended(struct run *run, bool good)
{
	if (good)
		run->result->done++;
}

static void
on_stop(struct run *run, struct flow *flow)
{
	(void)run;
	if (flow->request.kind != REQUEST_SOURCE)
		flow->send_limit = flow->sent;
	flow->finish = true;
}

const struct mode bulk_mode = {
	.start = on_start,
	.opened = on_opened,
	.received = on_received,
	.ended = on_ended,
	.stop = on_stop,
};
