/* SPDX-License-Identifier: MIT */
/*
 * resolver.h - the addresses of names, remembered for as long as they may be.
 *
 * One for each worker. An answer is remembered for its time to live, at least 1 s (which is also how
 * soon a change of /etc/hosts is seen) and at most 1 h, and a name that is in use is asked for again in
 * the last fifth of that time, so that connecting hardly ever waits for a server. While no server can
 * say, the last good answer is given for up to a day; if it has become too old while a question is
 * open, those who wait get it after 1.8 s (RFC 8767). That a name does not exist, or has no address, is
 * an answer: it replaces the last good one at once. That, and a failure, is remembered for 3 s.
 *
 * Those who ask for the same name at the same time share one question. Not one of them is called from
 * inside of resolver_lookup(): answers always come from the event loop.
 */
#ifndef TUNNEL_RESOLVER_H
#define TUNNEL_RESOLVER_H

#include <stddef.h>

#include "common/defs.h"
#include "common/list.h"

struct diag;
struct dns_settings;
struct endpoint;
struct loop;
struct resolver;

enum { RESOLVER_NAMES = 1024 }; /* that are remembered; the one that was not used longest goes */

struct resolver_answer {
	const struct endpoint *endpoints; /* port 0; valid until the resolver is called again */
	size_t count;			  /* 0: not resolved ... */
	const char *words;		  /* ... and why */
};

/* Who waits for an answer. */
struct resolver_waiter {
	struct list link;
	void (*answered)(struct resolver_waiter *waiter, const struct resolver_answer *answer);
};

/* Make one for @loop, which it borrows; @settings are for dns_new(). NULL with words. */
MUST_USE struct resolver *resolver_new(
	struct loop *loop, const struct dns_settings *settings, struct diag *diag);

/* Free it; whoever waits is not called. resolver_free(NULL) does nothing. */
void resolver_free(struct resolver *resolver);

/* Prepare @waiter, to be told by @answered. */
void resolver_waiter_init(struct resolver_waiter *waiter,
	void (*answered)(struct resolver_waiter *waiter, const struct resolver_answer *answer));

/*
 * Have @waiter told the addresses of @name, once. Borrows @waiter, which must not be waiting already,
 * until then or resolver_cancel(). Returns 0, or -1 with words (memory; RESOLVER_NAMES are being
 * asked for), and then it will not be told.
 */
MUST_USE int resolver_lookup(struct resolver *resolver, const char *name,
	struct resolver_waiter *waiter, struct diag *diag);

/* Wait no longer. Does nothing if @waiter does not wait. */
void resolver_cancel(struct resolver_waiter *waiter);

#endif
