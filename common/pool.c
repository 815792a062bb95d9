/* SPDX-License-Identifier: MIT */
#include "common/pool.h"

#include <assert.h>
#include <stdlib.h>

/* What an idle pool keeps: bytes in all, and pieces of each size. */
enum { SPARE_MAX = 2 << 20, SPARE_PIECES = 16 };

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
		struct pool_piece *piece = pool->spare[class].first;

		while (piece) {
			struct pool_piece *next = piece->next;
			free(piece);
			piece = next;
		}
	}
}

struct pool_piece *
pool_take(struct pool *pool, size_t size)
{
	unsigned class = class_of(size);
	uint32_t true_size = (uint32_t)POOL_SMALLEST << class;
	struct pool_spare *spare = &pool->spare[class];
	struct pool_piece *piece = spare->first;

	if (piece) {
		spare->first = piece->next;
		spare->count--;
		pool->spare_bytes -= true_size;
	} else {
		piece = malloc(sizeof(*piece) + true_size);
		if (!piece)
			return NULL;
	}
	atomic_fetch_add_explicit(&pool->budget->used, true_size, memory_order_relaxed);
	*piece = (struct pool_piece){.size = true_size};
	return piece;
}

void
pool_give(struct pool *pool, struct pool_piece *piece)
{
	struct pool_spare *spare = &pool->spare[class_of(piece->size)];

	atomic_fetch_sub_explicit(&pool->budget->used, piece->size, memory_order_relaxed);
	if (spare->count == SPARE_PIECES || pool->spare_bytes + piece->size > SPARE_MAX) {
		free(piece);
		return;
	}
	piece->next = spare->first;
	spare->first = piece;
	spare->count++;
	pool->spare_bytes += piece->size;
}

size_t
pool_room(const struct pool *pool)
{
	size_t used = atomic_load_explicit(&pool->budget->used, memory_order_relaxed);

	return used < pool->budget->limit ? pool->budget->limit - used : 0;
}
