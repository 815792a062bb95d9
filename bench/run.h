/* SPDX-License-Identifier: MIT */
/*
 * run.h - one load from begin to end: its connections, its clock and its event loop.
 *
 * What makes a load a bulk or a pingpong is a struct mode. It says how many connections are to be
 * opened (run->wanted), moves the limits of each flow, and may have a clock of its own (run->tick).
 * The run opens, steps, counts and frees the flows.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/flow.h"
#include "bench/options.h"
#include "bench/result.h"
#include "common/address.h"
#include "common/defs.h"
#include "common/list.h"

struct diag;

enum { RUN_OPENING = 256 /* connections that may be opening at the same time */ };

struct run;

struct mode {
	/* Prepare: set run->wanted, perhaps run->tick and run->deadline. */
	void (*start)(struct run *run);
	/* Prepare @flow, which is about to be connected: set its request and limits. */
	void (*opened)(struct run *run, struct flow *flow);
	/* @flow has received something. Must not free it; what it adds to the limits is sent at once. */
	void (*received)(struct run *run, struct flow *flow);
	/* A flow is over, well if @good, or could not even be opened. run->open no longer counts it. */
	void (*ended)(struct run *run, bool good);
	/* run->tick has come. NULL where it is never set. */
	void (*ticked)(struct run *run);
	/* The deadline has come: called once for every flow, to make it finish. */
	void (*stop)(struct run *run, struct flow *flow);
};

struct run {
	const struct options *options;
	const struct mode *mode;
	struct result *result;
	struct endpoint target;
	struct list flows;
	struct flow **slots; /* the last flow with an index, modulo connections; NULL once gone */
	uint64_t open;	     /* flows on the list */
	uint64_t opening;    /* of them, not yet connected */
	uint64_t opened;     /* ever */
	uint64_t wanted;     /* to be opened as soon as may be */

	/* The mode's own. */
	uint64_t scheduled, ready, ticks, grid;

	int epoll, timer, signals;
	bool stopping;
	/* All in nanoseconds of the monotonic clock; UINT64_MAX is never. */
	uint64_t now, began, tick, deadline, progress, armed;
	uint8_t buffer[FLOW_BUFFER_SIZE];
};

/*
 * Run @mode against options->target, once in a process; SIGTERM and SIGINT bring the deadline. Returns 0
 * with everything in @result, errors too, or -1 with words when it could not begin.
 */
MUST_USE int run_load(const struct options *options, const struct mode *mode, struct result *result,
	struct diag *diag);

/* For a mode: let @flow do what its limits allow now. It may be gone afterwards. */
void run_step(struct run *run, struct flow *flow);

/* For a mode: open one connection now; an immediate failure is counted. NULL then. */
struct flow *run_open(struct run *run);

/* Convert seconds into the nanoseconds that struct run has. */
MUST_USE uint64_t run_nanoseconds(double seconds);

#endif
