/* SPDX-License-Identifier: MIT */
/*
 * buffer.h - bytes that wait, first in, first out, in memory of a pool while there are any.
 *
 *	data          data+start        data+end       data+size
 *	  |  consumed   |     waiting      |    room      |
 *
 * All zero is the empty buffer, which owns nothing.
 */
#ifndef COMMON_BUFFER_H
#define COMMON_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct pool;

struct buffer {
	uint8_t *data;
	uint32_t start, end, size;
};

static inline size_t
buffer_length(const struct buffer *buffer)
{
	return buffer->end - buffer->start;
}

/* The bytes that wait; valid until the buffer is changed. */
static inline uint8_t *
buffer_bytes(const struct buffer *buffer)
{
	return buffer->data + buffer->start;
}

/* Append a copy of @length bytes of @bytes. Returns 0, or -1 without memory, @buffer then unchanged. */
MUST_USE int buffer_add(struct buffer *buffer, struct pool *pool, const void *bytes, size_t length);

/* Drop the first @length bytes; an empty buffer gives its memory back to @pool. */
void buffer_drop(struct buffer *buffer, struct pool *pool, size_t length);

/* Drop everything. */
void buffer_release(struct buffer *buffer, struct pool *pool);

#endif
