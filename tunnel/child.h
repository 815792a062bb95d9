/* SPDX-License-Identifier: MIT */
/*
 * child.h - a process of another role, serve or keys, as main sees it.
 */
#ifndef TUNNEL_CHILD_H
#define TUNNEL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/defs.h"

struct diag;
struct process_user;

enum { CHILD_CHANNEL = 3 }; /* the child's descriptor of the channel */

enum child_role { CHILD_SERVE, CHILD_KEYS };

/* All zero: there is none. */
struct child {
	pid_t pid;	/* 0: none */
	int channel;	/* -1: closed by the other end */
	double started; /* clock_seconds() */
};

/*
 * Start a process of @role as @user, or as we are if that is NULL. The key process becomes @user by itself,
 * when nobody can look into it any more: serve, which has the same one, could do so between exec and main().
 * Returns 0, or -1 with words.
 */
MUST_USE int child_start(struct child *child, enum child_role role, const struct process_user *user,
	struct diag *diag);

/* Has it ended? Then the status as wait() tells it is stored, and the child is none any more. */
MUST_USE bool child_reap(struct child *child, int *status);

/* Close the channel, at which the child ends, and serve aborts, if it still runs. */
void child_hang_up(struct child *child);

/* End it at once. */
void child_kill(const struct child *child);

#endif
