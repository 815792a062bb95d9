/* SPDX-License-Identifier: MIT */
#include "tunnel/window.h"

#include <assert.h>
#include <string.h>

#include "common/buffer.h"
#include "tunnel/records.h"

void
window_open(
	struct window *window, void *memory, size_t size, struct buffer *kept, struct pool *pool)
{
	size_t length = buffer_length(kept);

	assert(!window->bytes && length <= size);
	*window = (struct window){.bytes = memory, .end = length, .size = size};
	if (length > 0)
		memcpy(window->bytes, buffer_bytes(kept), length);
	buffer_release(kept, pool);
	window->ready = records_ready(window->bytes, length);
}

int
window_close(struct window *window, struct buffer *kept, struct pool *pool)
{
	const struct window last = *window;

	*window = (struct window){0};
	return buffer_add(kept, pool, last.bytes + last.start, last.end - last.start);
}

size_t
window_take(struct window *window, void *bytes, size_t size)
{
	size_t have = window->ready - window->start;

	if (size > have)
		size = have;
	if (size > 0)
		memcpy(bytes, window->bytes + window->start, size);
	window->start += size;
	return size;
}

size_t
window_make_room(struct window *window)
{
	window->end -= window->start;
	window->ready -= window->start;
	memmove(window->bytes, window->bytes + window->start, window->end);
	window->start = 0;
	return window->size - window->end;
}

void
window_grow(struct window *window, size_t count)
{
	assert(count <= window->size - window->end);
	window->end += count;
	window->ready += records_ready(window->bytes + window->ready, window->end - window->ready);
}

void
window_drop(struct window *window)
{
	window->start = window->ready = window->end;
}
