/* SPDX-License-Identifier: MIT */
/*
 * net.h - the sockets of the load generator: listening, connecting, and how many it may have.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include "common/address.h"
#include "common/defs.h"

struct diag;

/* Allow as many descriptors as the hard limit permits. */
void net_raise_limit(void);

/* Resolve @text ("host:port", "unix:/path" ...) for connecting. Returns 0, or -1 with words. */
MUST_USE int net_resolve(struct endpoint *endpoint, const char *text, struct diag *diag);

/*
 * Listen on @text, port 0 meaning any free one, and tell @endpoint where that is. A stale UNIX path is
 * replaced. Returns a non-blocking descriptor that the caller owns, or -1 with words.
 */
MUST_USE int net_listen(struct endpoint *endpoint, const char *text, struct diag *diag);

/* Print "listening on ADDRESS" on standard output, at once. */
void net_tell(const struct endpoint *endpoint);

/*
 * Begin connecting to @endpoint. Returns a non-blocking descriptor that the caller owns, or -1 with
 * errno. Connecting over UNIX waits for room in the backlog; over TCP it may be still going on.
 */
MUST_USE int net_connect(const struct endpoint *endpoint);

/* Send small segments of TCP at once. Does nothing on other sockets. */
void net_no_delay(int fd);

#endif
