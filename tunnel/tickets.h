/* SPDX-License-Identifier: MIT */
/*
 * tickets.h - sessions that a connecting end may resume, kept for a while and in bounded number.
 *
 * Data as the TLS library gives them, by a key of 32 bytes that says to whom they belong. They hold
 * secrets and are wiped when they go. One worker's own, without a lock.
 */
#ifndef TUNNEL_TICKETS_H
#define TUNNEL_TICKETS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/defs.h"

enum {
	TICKETS_LIMIT = 1024,	 /* in all */
	TICKETS_BYTES = 4 << 20, /* of data, in all */
	TICKETS_OF_KEY = 64,	 /* for connections at the same time */
	TICKET_BYTES = 64 << 10, /* of data, in one */
	TICKETS_KEY_SIZE = 32,
};

/* One of them. All zero is none. */
struct ticket {
	uint8_t *data;
	size_t size;
	time_t expiry;
};

/* Wipe and free what is in @ticket, which is none afterwards. */
void ticket_release(struct ticket *ticket);

struct tickets;

/* The caller frees the result with tickets_free(). NULL without memory. */
MUST_USE struct tickets *tickets_new(void);

void tickets_free(struct tickets *tickets);

/*
 * Keep a copy of @ticket for @key. Where there are too many, the oldest goes, of
 * that key first. Without memory, or if it is larger than TICKET_BYTES, it is not kept.
 */
void tickets_put(
	struct tickets *tickets, const uint8_t key[TICKETS_KEY_SIZE], const struct ticket *ticket);

/*
 * Take the latest ticket of @key that is good after @now into @ticket, which is none. It is not kept any
 * more; the caller releases it with ticket_release(). Stays none if there is none.
 */
void tickets_take(struct tickets *tickets, const uint8_t key[TICKETS_KEY_SIZE], time_t now,
	struct ticket *ticket);

/* How many there are. */
size_t tickets_count(const struct tickets *tickets);

#endif
