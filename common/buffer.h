/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - bytes that wait, first in, first out, in memory of a pool while there are any.
 *
 *	bytes          start              end            size
 *	  |  consumed   |     waiting      |    room      |
 *
 * All zero is the empty buffer, which owns nothing.
 */
#ifndef COMMON_BUFFER_H
#define COMMON_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/pool.h"

struct buffer {
	struct pool_piece *piece; /* NULL: empty */
};

static inline size_t
buffer_length(const struct buffer *buffer)
{
	return buffer->piece ? buffer->piece->end - buffer->piece->start : 0;
}

/* The bytes that wait, of which there are some; valid until the buffer is changed. */
static inline uint8_t *
buffer_bytes(const struct buffer *buffer)
{
	return buffer->piece->bytes + buffer->piece->start;
}

/* Append a copy of @length bytes of @bytes. Returns 0, or -1 without memory, @buffer then unchanged. */
MUST_USE int buffer_add(struct buffer *buffer, struct pool *pool, const void *bytes, size_t length);

/* Drop the first @length bytes; an empty buffer gives its memory back to @pool. */
void buffer_drop(struct buffer *buffer, struct pool *pool, size_t length);

/* Drop everything. */
void buffer_release(struct buffer *buffer, struct pool *pool);

#endif
