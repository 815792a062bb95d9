/* SPDX-License-Identifier: MIT */
#include "common/buffer.h"

#include <assert.h>
#include <string.h>

#include "common/pool.h"

/* Move what waits into a piece of memory that holds @size bytes. */
static int
move(struct buffer *buffer, struct pool *pool, size_t size)
{
	size_t length = buffer_length(buffer), got;
	uint8_t *data = pool_take(pool, size, &got);

	if (!data)
		return -1;
	if (length > 0)
		memcpy(data, buffer_bytes(buffer), length);
	buffer_release(buffer, pool);
	*buffer = (struct buffer){.data = data, .end = (uint32_t)length, .size = (uint32_t)got};
	return 0;
}

int
buffer_add(struct buffer *buffer, struct pool *pool, const void *bytes, size_t length)
{
	if (length == 0)
		return 0;
	if (buffer->size - buffer->end < length) {
		size_t whole = buffer_length(buffer) + length;

		if (whole <= buffer->size) {
			memmove(buffer->data, buffer_bytes(buffer), buffer_length(buffer));
			buffer->end -= buffer->start;
			buffer->start = 0;
		} else if (move(buffer, pool, whole)) {
			return -1;
		}
	}
	memcpy(buffer->data + buffer->end, bytes, length);
	buffer->end += (uint32_t)length;
	return 0;
}

void
buffer_drop(struct buffer *buffer, struct pool *pool, size_t length)
{
	assert(length <= buffer_length(buffer));
	buffer->start += (uint32_t)length;
	if (buffer->start == buffer->end)
		buffer_release(buffer, pool);
}

void
buffer_release(struct buffer *buffer, struct pool *pool)
{
	if (buffer->data)
		pool_give(pool, buffer->data, buffer->size);
	*buffer = (struct buffer){0};
}
