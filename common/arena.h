/* SPDX-License-Identifier: MIT */
/*
 * arena.h - memory that is given back all at once.
 *
 * For structures that are built once and then only read: what is allocated has no owner of its own,
 * and whoever holds the arena releases everything with it. When memory runs out, NULL is returned and
 * @failed stays true, so that a builder may look once at the end.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;
	bool failed;
};

/* Release everything that came from @arena, which may be all zero, and make it empty. */
void arena_release(struct arena *arena);

/* Allocate @count zeroed elements of @size bytes for any type. NULL when memory ran out. */
MUST_USE void *arena_alloc(struct arena *arena, size_t count, size_t size);

/* Copy a C string. NULL when memory ran out. */
MUST_USE char *arena_copy(struct arena *arena, const char *string);

/* Print into a new C string. NULL when memory ran out. */
MUST_USE char *arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
