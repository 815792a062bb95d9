/* SPDX-License-Identifier: MIT */
/*
 * relay.h - a tunnel without TLS: what the kernel and the load cost where a program only passes bytes on.
 *
 * One receive and one send a piece, and no more words about it than a correct relay needs: what the
 * other end does not take at once is held, and meanwhile nothing is read; an end of a way is passed on.
 */
#ifndef BENCH_RELAY_H
#define BENCH_RELAY_H

#include "common/defs.h"

struct diag;

/*
 * Listen on @address, print "listening on ADDRESS" on standard output, and connect each client to
 * @target, with @threads event loops, until a signal ends the process. Returns -1 with words when it
 * could not begin.
 */
MUST_USE int relay_run(
	const char *address, const char *target, unsigned threads, struct diag *diag);

#endif
