/* SPDX-License-Identifier: MIT */
/*
 * admission.h - how many tunnels the program's descriptors allow, counted over all workers.
 *
 * Accepting is stopped before descriptors run out: a connection that is accepted needs more of them
 * (its backend, a name lookup), and one that cannot be served is better left waiting in the backlog.
 */
#ifndef TUNNEL_ADMISSION_H
#define TUNNEL_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

struct admission {
	atomic_size_t limit;   /* tunnels */
	atomic_size_t tunnels; /* of all workers */
	_Atomic double silent_until;
};

/*
 * How many tunnels fit into @descriptors, when @workers threads and @sockets listeners of theirs need
 * some. At least one.
 */
size_t admission_limit(size_t descriptors, size_t workers, size_t sockets);

/* May one more tunnel be accepted? */
bool admission_is_open(const struct admission *admission);

/* A worker that last told of *@counted tunnels has @now; *@counted is brought up to date. */
void admission_count(struct admission *admission, size_t *counted, size_t now);

/* May somebody complain at @now, in seconds of a monotonic clock? True at most once a minute. */
bool admission_may_complain(struct admission *admission, double now);

#endif
