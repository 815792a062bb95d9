/* SPDX-License-Identifier: MIT */
/*
 * signals.h - the signals that mean something to a supervising process, as a descriptor to poll.
 *
 * SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGCHLD are blocked and read from the descriptor, so that they
 * interrupt nothing; SIGPIPE is ignored.
 */
#ifndef COMMON_SIGNALS_H
#define COMMON_SIGNALS_H

#include "common/defs.h"

struct diag;

/* Take the signals over, before any thread is started. Returns a descriptor that the caller owns, or -1 with words. */
MUST_USE int signals_take(struct diag *diag);

/* The next signal that has come, or 0 if there is none. */
MUST_USE int signals_next(int fd);

#endif
