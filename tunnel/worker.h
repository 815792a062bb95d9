/* SPDX-License-Identifier: MIT */
/*
 * worker.h - a thread with an event loop, its listeners and its tunnels.
 *
 * Other threads leave orders in its mailbox, where a later order replaces an earlier one of its kind,
 * and the worker takes them between two events. Once it drains, it ends with its last tunnel.
 */
#ifndef TUNNEL_WORKER_H
#define TUNNEL_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

struct admission;
struct diag;
struct list;
struct loan_helpers;
struct places;
struct pool_budget;
struct worker;

/* What all workers share; borrowed until the last was freed. */
struct worker_common {
	struct pool_budget *budget;
	struct admission *admission;
	struct loan_helpers *helpers; /* for slow handshakes; NULL: none */
	struct places *places;	      /* where they run */
	const atomic_bool *busy_wait; /* may workers wait awake? NULL: no */
	int news; /* an eventfd: one is added when a worker has taken listeners, or has ended */
};

/* Start worker number @index. The caller frees the result with worker_free(). NULL with words. */
MUST_USE struct worker *worker_new(
	const struct worker_common *common, unsigned index, struct diag *diag);

/* Make @listeners the worker's; takes over all of them. */
void worker_listen(struct worker *worker, struct list *listeners);

/*
 * Has it taken the listeners of the latest worker_listen()? Whoever connects from now on has to do with these
 * alone. For the thread that calls worker_listen().
 */
bool worker_is_current(const struct worker *worker);

/* Accept no more, and end with the last tunnel. */
void worker_drain(struct worker *worker);

/* Drain, but abort the tunnels there are, for @reason, a literal that they log. */
void worker_abort(struct worker *worker, const char *reason);

/* Has the thread ended? */
bool worker_has_ended(const struct worker *worker);

/* How many tunnels worker_abort() has aborted; for a worker that has ended. */
size_t worker_aborted(const struct worker *worker);

/* Free a worker that has ended or ends within moments, and wait for its thread. NULL does nothing. */
void worker_free(struct worker *worker);

#endif
