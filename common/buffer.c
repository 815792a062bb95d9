/* SPDX-License-Identifier: MIT */
#include "common/buffer.h"

#include <assert.h>
#include <string.h>

/* Move what waits into a piece of memory that holds @size bytes. Returns 0, or -1 without memory. */
static int
move(struct buffer *buffer, struct pool *pool, size_t size)
{
	struct pool_piece *piece = pool_take(pool, size);

	if (!piece)
		return -1;
	piece->end = (uint32_t)buffer_length(buffer);
	if (piece->end > 0)
		memcpy(piece->bytes, buffer_bytes(buffer), piece->end);
	buffer_release(buffer, pool);
	buffer->piece = piece;
	return 0;
}

/* Have room for @length bytes behind what waits. Returns 0, or -1 without memory. */
static int
make_room(struct buffer *buffer, struct pool *pool, size_t length)
{
	struct pool_piece *piece = buffer->piece;
	size_t whole = buffer_length(buffer) + length;

	if (!piece || whole > piece->size)
		return move(buffer, pool, whole);
	if (length > piece->size - piece->end) {
		memmove(piece->bytes, buffer_bytes(buffer), buffer_length(buffer));
		piece->end -= piece->start;
		piece->start = 0;
	}
	return 0;
}

int
buffer_add(struct buffer *buffer, struct pool *pool, const void *bytes, size_t length)
{
	if (length == 0)
		return 0;
	if (make_room(buffer, pool, length))
		return -1;
	memcpy(buffer->piece->bytes + buffer->piece->end, bytes, length);
	buffer->piece->end += (uint32_t)length;
	return 0;
}

void
buffer_drop(struct buffer *buffer, struct pool *pool, size_t length)
{
	assert(length <= buffer_length(buffer));
	if (length == buffer_length(buffer))
		buffer_release(buffer, pool);
	else
		buffer->piece->start += (uint32_t)length;
}

void
buffer_release(struct buffer *buffer, struct pool *pool)
{
	if (buffer->piece)
		pool_give(pool, buffer->piece);
	buffer->piece = NULL;
}
