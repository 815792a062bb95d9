/* SPDX-License-Identifier: MIT */
/*
 * pool.h - memory for bytes in transit, lent only while there are any.
 *
 * A pool belongs to one thread. All pools of a program count against one budget, which tells readers
 * when to stop reading: taking never fails for lack of budget, since what was read must be kept, but
 * whoever would read more asks pool_room() first.
 */
#ifndef COMMON_POOL_H
#define COMMON_POOL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct pool_budget {
	atomic_size_t used; /* bytes that are lent by all pools */
	atomic_size_t limit;
};

enum { POOL_SMALLEST = 1024, POOL_CLASSES = 11 }; /* 1 KiB, 2 KiB, … 1 MiB */

/* Memory that is lent. */
struct pool_piece {
	struct pool_piece *next; /* of those that are spare */
	uint32_t size;		 /* of @bytes */
	uint32_t start, end;	 /* the taker's own; 0 at first */
	uint8_t bytes[];
};

/* Pieces of one size that are kept for the next taker. */
struct pool_spare {
	struct pool_piece *first;
	size_t count;
};

struct pool {
	struct pool_budget *budget;
	struct pool_spare spare[POOL_CLASSES];
	size_t spare_bytes;
};

/* Start a pool. Borrows @budget until pool_release(). */
void pool_init(struct pool *pool, struct pool_budget *budget);

/* Free the spare pieces. Everything that was taken must have been given back. */
void pool_release(struct pool *pool);

/* Take a piece of at least @size bytes, at most 1 MiB. NULL without memory. */
MUST_USE struct pool_piece *pool_take(struct pool *pool, size_t size);

/* Give back what pool_take() lent. */
void pool_give(struct pool *pool, struct pool_piece *piece);

/* How many bytes may be taken before the budget is used up. */
size_t pool_room(const struct pool *pool);

#endif
