/* SPDX-License-Identifier: MIT */
/*
 * window.h - what was received of TLS, while whole records of it are handed out.
 *
 *	bytes          start            ready             end              size
 *	  |  handed out   |  whole records  |  partial record |     room     |
 *
 * A window is open within one step only and lies in memory of the caller; what is not used up waits in
 * a buffer meanwhile. All zero is a closed one.
 */
#ifndef TUNNEL_WINDOW_H
#define TUNNEL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct buffer;
struct pool;

struct window {
	uint8_t *bytes; /* NULL while closed */
	size_t start, ready, end, size;
};

/* Is there a whole record? */
static inline bool
window_has_record(const struct window *window)
{
	return window->ready > window->start;
}

/*
 * Open the closed @window in @memory of @size bytes with what waits in @kept, which is released. Borrows
 * @memory until window_close().
 */
void window_open(
	struct window *window, void *memory, size_t size, struct buffer *kept, struct pool *pool);

/* Close @window; what was not handed out goes into @kept. 0, or -1 without memory: closed all the same. */
MUST_USE int window_close(struct window *window, struct buffer *kept, struct pool *pool);

/* Hand out up to @size bytes of whole records into @bytes. Returns how many. */
size_t window_take(struct window *window, void *bytes, size_t size);

/* Move what is left to the front. Returns how many bytes fit behind it, at @bytes + @end. */
size_t window_make_room(struct window *window);

/* @count bytes were put where window_make_room() said. */
void window_grow(struct window *window, size_t count);

/* Nothing counts that is left in @window. */
void window_drop(struct window *window);

#endif
