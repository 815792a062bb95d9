/* SPDX-License-Identifier: MIT */
/*
 * loop.h - what a worker thread lends to everything that runs on it.
 *
 * The event loop, the pool of buffers, scratch memory that is used within one callback only, and the queue
 * of those that want to run again.
 */
#ifndef TUNNEL_LOOP_H
#define TUNNEL_LOOP_H

#include <ev.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/list.h"
#include "common/pool.h"
#include "tunnel/patience.h"
#include "tunnel/place.h"
#include "tunnel/window.h"

struct ciphers;
struct dialer;
struct diag;
struct loan_desk;
struct tickets;
struct waker;

enum {
	LOOP_SCRATCH = 256 << 10,		/* bytes of plaintext in one batch */
	LOOP_SCRATCH_CIPHER = (256 + 32) << 10, /* the same as TLS records, and a partial one */
};

/* A wish to be run again, after everybody else had a turn. */
struct turn {
	struct list link;
	void (*run)(struct turn *turn);
};

struct loop {
	unsigned index; /* of the worker, from 0 */
	struct ev_loop *ev;
	struct pool pool;
	uint8_t *plaintext;   /* LOOP_SCRATCH + STREAM_SLACK bytes */
	uint8_t *ciphertext;  /* LOOP_SCRATCH_CIPHER bytes */
	struct window window; /* of TLS in @ciphertext, closed between callbacks */

	struct list tunnels; /* running ones, by struct tunnel's link */
	size_t tunnel_count;
	uint64_t tunnel_serial;	     /* of the latest tunnel */
	struct waker *on_tunnel_end; /* called after each tunnel that ended; may be NULL */
	struct list lingers;	     /* sockets that wait a moment after an alert (linger.h) */
	size_t lingering;	     /* how many there are */

	struct loan_desk *desk;	 /* where slow work is lent; NULL: nowhere, set by the worker */
	struct tickets *tickets; /* what may be resumed where the worker connects to */
	struct dialer *dialer;	 /* what the worker connects out with; set by the worker */
	struct ciphers *ciphers; /* with the keys of sessions that are busy */

	const atomic_bool *busy_wait; /* may it wait awake? NULL: no; set by the worker */
	struct patience patience;
	struct place place; /* none until the worker sets it */
	struct ev_check check;

	struct list ready, starved;
	struct ev_prepare prepare;
	struct ev_idle idle;
	struct ev_timer starve_timer;

	struct list stalled;	     /* transports that nobody reads */
	struct ev_timer stall_timer; /* to ask them whether they were reset */
};

/* Make @loop with an epoll loop of its own. Borrows @budget until loop_release(). 0, or -1 with words. */
MUST_USE int loop_init(struct loop *loop, struct pool_budget *budget, struct diag *diag);

/* Release it; no tunnel and no watcher may be left. All zero is allowed. */
void loop_release(struct loop *loop);

/* Prepare @turn, to be run by @run. */
void turn_init(struct turn *turn, void (*run)(struct turn *turn));

/* Run @turn in the next iteration. Does nothing if it is queued. */
void loop_defer(struct loop *loop, struct turn *turn);

/* Run @turn in 20 ms, when the pool may have room again. */
void loop_starve(struct loop *loop, struct turn *turn);

/* Take @turn off whatever it is queued on. */
void loop_cancel(struct turn *turn);

#endif
