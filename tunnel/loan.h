/* SPDX-License-Identifier: MIT */
/*
 * loan.h - slow work that an event loop lends to helper threads, and that comes back to the loop.
 *
 *	loan_lend() -> queue of the helpers -> work() in a helper -> desk of the loop -> done() in the loop
 *
 * The helpers serve all loops, first come, first served. A loan is embedded in what it is about, which must
 * stay where it is, and which the loop must not touch, until done() is called.
 */
#ifndef TUNNEL_LOAN_H
#define TUNNEL_LOAN_H

#include <ev.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/list.h"

struct diag;

/* Threads that work for loops. Each is started when there is work and no other is idle. */
struct loan_helpers;

/* Where the loans of one loop come back. */
struct loan_desk {
	struct loan_helpers *helpers;
	struct ev_loop *ev;
	struct ev_async arrival;
	size_t out;	      /* lent, and not done */
	pthread_mutex_t lock; /* for what is below */
	struct list returned;
};

struct loan {
	struct list link;
	struct loan_desk *desk;
	void (*work)(struct loan *loan); /* in a helper thread */
	void (*done)(struct loan *loan); /* in the loop's thread; may free @loan, or lend it anew */
	bool taken;			 /* by a helper; the helpers' lock is for it */
};

/* How many helpers there are for @workers loops. */
static inline unsigned
loan_threads(unsigned workers)
{
	return workers > 4 ? workers : 4;
}

/*
 * Make up to @count helpers possible. The caller frees the result with loan_helpers_free(), after the last
 * desk. NULL without memory.
 */
MUST_USE struct loan_helpers *loan_helpers_new(unsigned count);

/* End the threads, and wait for them. NULL does nothing. */
void loan_helpers_free(struct loan_helpers *helpers);

/* Prepare the @desk of @ev. Borrows both @ev and @helpers until loan_desk_release(). */
void loan_desk_init(struct loan_desk *desk, struct ev_loop *ev, struct loan_helpers *helpers);

/* Release it; no loan may be out. */
void loan_desk_release(struct loan_desk *desk);

/*
 * Have the work of @loan done by a helper. done() is never called from here. Returns 0, or -1 with words
 * when there is no helper and none can be started; then nothing was lent.
 */
MUST_USE int loan_lend(struct loan_desk *desk, struct loan *loan, struct diag *diag);

/*
 * Take @loan, which is out, back before a helper has taken it. Returns whether that was in time: then neither
 * work() nor done() is called.
 */
MUST_USE bool loan_recall(struct loan *loan);

#endif
