/* SPDX-License-Identifier: MIT */
/*
 * child.h - the serve process as main sees it.
 */
#ifndef TUNNEL_CHILD_H
#define TUNNEL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/defs.h"

struct diag;
struct process_user;

enum { CHILD_CHANNEL = 3 }; /* serve's descriptor of the channel */

/* All zero: there is none. */
struct child {
	pid_t pid;	/* 0: none */
	int channel;	/* -1: closed by the other end */
	double started; /* clock_seconds() */
};

/* Start serve as @user, or as we are if that is NULL. Returns 0, or -1 with words. */
MUST_USE int child_start(struct child *child, const struct process_user *user, struct diag *diag);

/* Has it ended? Then the status as wait() tells it is stored, and the child is none any more. */
MUST_USE bool child_reap(struct child *child, int *status);

/* Close the channel, at which serve would abort and end if it still runs. */
void child_hang_up(struct child *child);

/* End it at once. */
void child_kill(const struct child *child);

#endif
