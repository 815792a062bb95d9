/* SPDX-License-Identifier: MIT */
#include "common/pool.h"

#include <assert.h>
#include <stdlib.h>

enum { SPARE_MAX = 2 << 20 }; /* bytes that an idle pool keeps */

struct pool_piece {
	struct pool_piece *next;
};

/* The number of the smallest class that holds @size bytes. */
static unsigned
class_of(size_t size)
{
	unsigned class = 0;

	while (((size_t)POOL_SMALLEST << class) < size)
		class ++;
	assert(class < POOL_CLASSES);
	return class;
}

void
pool_init(struct pool *pool, struct pool_budget *budget)
{
	*pool = (struct pool){.budget = budget};
}

void
pool_release(struct pool *pool)
{
	for (unsigned class = 0; class < POOL_CLASSES; class ++) {
		struct pool_piece *piece = pool->spare[class];

		while (piece) {
			struct pool_piece *next = piece->next;
			free(piece);
			piece = next;
		}
	}
}

void *
pool_take(struct pool *pool, size_t size, size_t *got)
{
	unsigned class = class_of(size);
	size_t true_size = (size_t)POOL_SMALLEST << class;
	struct pool_piece *piece = pool->spare[class];

	if (piece) {
		pool->spare[class] = piece->next;
		pool->spare_bytes -= true_size;
	} else {
		piece = malloc(true_size);
		if (!piece)
			return NULL;
	}
	atomic_fetch_add_explicit(&pool->budget->used, true_size, memory_order_relaxed);
	*got = true_size;
	return piece;
}

void
pool_give(struct pool *pool, void *piece, size_t size)
{
	unsigned class = class_of(size);
	struct pool_piece *spare = piece;

	atomic_fetch_sub_explicit(&pool->budget->used, size, memory_order_relaxed);
	if (pool->spare_bytes + size > SPARE_MAX) {
		free(piece);
		return;
	}
	spare->next = pool->spare[class];
	pool->spare[class] = spare;
	pool->spare_bytes += size;
}

size_t
pool_room(const struct pool *pool)
{
	size_t used = atomic_load_explicit(&pool->budget->used, memory_order_relaxed);

	return used < pool->budget->limit ? pool->budget->limit - used : 0;
}
