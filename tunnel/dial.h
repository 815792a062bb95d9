/* SPDX-License-Identifier: MIT */
/*
 * dial.h - connect out for one tunnel: names, addresses raced against each other, and for a TLS side
 * the handshake.
 *
 * The targets of the service's `connect` are taken in order of preference, the addresses of a name
 * alternating between IPv6 and IPv4; each further attempt starts 250 ms after the last one or when it
 * failed (RFC 8305). An address that failed lately goes last. The first that is connected is
 * handshaken; if that fails, the address has failed and the next one is tried. On a plaintext side
 * every address is judged before it is dialled: it must be local unless allow-remote-plaintext.
 *
 * connect-timeout covers names and connecting until something is connected, and begins anew after a
 * handshake that failed; handshake-timeout covers each handshake as a whole. What lost the race to an
 * address whose handshake failed may be tried again.
 */
#ifndef TUNNEL_DIAL_H
#define TUNNEL_DIAL_H

#include "common/address.h"
#include "common/defs.h"

struct diag;
struct loop;
struct service;
struct transport;

struct dial;

/* What happened; called once, from the event loop, never from dial_start() itself. */
struct dial_result {
	struct transport *transport; /* connected and, for TLS, authorised; the receiver owns it.
					NULL: failed */
	struct endpoint endpoint;    /* the address of @transport, or the last one that failed;
					all zero if there was none */
	const struct diag *diag;     /* the words of a failure, one clause an address */
	bool timed_out;		     /* failed by connect-timeout or handshake-timeout */
};

/* Who wants to know. */
struct dial_waiter {
	void (*done)(struct dial_waiter *waiter, const struct dial_result *result);
};

/*
 * Start connecting for @service. Keeps @service, borrows @waiter until it was called or the dial was
 * stopped. The dial frees itself after calling the waiter. NULL without memory.
 */
MUST_USE struct dial *dial_start(
	struct loop *loop, struct service *service, struct dial_waiter *waiter);

/* Give up; the waiter is not called. Frees @dial. dial_stop(NULL) does nothing. */
void dial_stop(struct dial *dial);

#endif
