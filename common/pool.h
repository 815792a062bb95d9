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

enum { POOL_SMALLEST = 4096, POOL_CLASSES = 9 }; /* 4 KiB, 8 KiB, … 1 MiB */

struct pool {
	struct pool_budget *budget;
	struct pool_piece
		*spare[POOL_CLASSES]; /* a few pieces of each size, kept for the next taker */
	size_t spare_bytes;
};

/* Start a pool. Borrows @budget until pool_release(). */
void pool_init(struct pool *pool, struct pool_budget *budget);

/* Free the spare pieces. Everything that was taken must have been given back. */
void pool_release(struct pool *pool);

/* Take at least @size bytes, at most 1 MiB; the true size is stored in @got. NULL without memory. */
MUST_USE void *pool_take(struct pool *pool, size_t size, size_t *got);

/* Give back what pool_take() lent, with the size that it told. */
void pool_give(struct pool *pool, void *piece, size_t size);

/* How many bytes may be taken before the budget is used up. */
size_t pool_room(const struct pool *pool);

#endif
