/* SPDX-License-Identifier: MIT */
/*
 * bindings.h - the listening sockets that main holds, by their addresses.
 *
 * A reload first makes the next set: what the present set has is shared, what is new is bound beside
 * it. Then either the next set replaces the present one, which lets go what is not wanted any more, or
 * it is cancelled and the present set was never touched. A UNIX socket's path is removed when it is
 * let go, unless somebody else has put another one there.
 */
#ifndef TUNNEL_BINDINGS_H
#define TUNNEL_BINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/defs.h"
#include "common/socket.h"

struct diag;

/* How a socket is made: socket_listen(), or a test's double. */
typedef int bindings_listen(
	const struct address *address, const struct socket_options *options, struct diag *diag);

/* How many sockets one listening address has: one for UNIX, which are shared by all workers. */
struct binding {
	struct address address;
	int *fds;
	unsigned fd_count;
	bool shared;  /* the present set has it, too ... */
	bool adapted; /* ... but its sockets are to have other options */
	struct socket_options options;
	dev_t device; /* of a path as it was bound */
	ino_t inode;
};

/* All zero is empty. */
struct bindings {
	bindings_listen *listen; /* NULL: socket_listen() */
	struct binding *entries;
	size_t count;
};

/*
 * Add @address to the set @next that will follow @present, with a socket for each of @workers, or one
 * if it is UNIX. Returns 0, or -1 with words, @next then without it.
 */
MUST_USE int bindings_add(struct bindings *next, const struct bindings *present,
	const struct address *address, const struct socket_options *options, unsigned workers,
	struct diag *diag);

/* Replace @present by @next, which is empty afterwards; close what only @present had. */
void bindings_replace(struct bindings *present, struct bindings *next);

/*
 * Give the sockets that @present has kept the owners, modes and keepalive that are now wanted. Returns 0,
 * or -1 with words about the last that failed.
 */
MUST_USE int bindings_adapt(struct bindings *present, struct diag *diag);

/* Close what only @next has, and make it empty. */
void bindings_cancel(struct bindings *next);

/* Close everything. */
void bindings_release(struct bindings *present);

#endif
