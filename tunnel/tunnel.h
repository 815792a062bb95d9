/* SPDX-License-Identifier: MIT */
/*
 * tunnel.h - one accepted connection: two streams, two relays, its timer and its log line.
 *
 *	GREETING -> HANDSHAKING -> DIALING -> RELAYING -> OVER
 *
 * GREETING waits for a whole ClientHello, chooses the service by it, and only then begins TLS. Both it
 * and HANDSHAKING are left out where the accepted side is plaintext; the handshake and the judgement of
 * the backend belong to DIALING, since another address may be tried when they fail. The rule of the end:
 * broken, abort both; both ways done, close both. A tunnel frees itself and logs one line about it.
 */
#ifndef TUNNEL_TUNNEL_H
#define TUNNEL_TUNNEL_H

#include "common/list.h"

struct endpoint;
struct group;
struct loop;

/*
 * Start a tunnel of a service of @group for the accepted socket @fd of a client at @address. Takes over
 * @fd, in any case; keeps @group. When it cannot even begin, the connection is reset and that is logged.
 */
void tunnel_start(struct loop *loop, struct group *group, int fd, const struct endpoint *address);

/* Abort the tunnel whose link on its loop's list is @link, for @reason, which is logged. */
void tunnel_abort(struct list *link, const char *reason);

#endif
