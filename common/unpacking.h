/* SPDX-License-Identifier: MIT */
/*
 * unpacking.h - take apart what was put together with packing.h, whoever sent it.
 *
 * Nothing is copied: what is taken lies in the bytes that came. After anything that is not there, the
 * unpacking is bad, and everything further is NULL or 0; so it is enough to look at the end.
 */
#ifndef COMMON_UNPACKING_H
#define COMMON_UNPACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unpacking {
	const uint8_t *bytes;
	size_t left;
	bool bad;
};

/* The next @size bytes, or NULL. */
const uint8_t *unpacking_take(struct unpacking *unpacking, size_t size);

/* The next number, or 0. */
uint32_t unpacking_take_number(struct unpacking *unpacking);

/* The next block, which has at most @limit bytes, and its @size; or NULL and 0. */
const uint8_t *unpacking_take_block(struct unpacking *unpacking, size_t limit, size_t *size);

/* Was everything there, and is nothing left? */
bool unpacking_is_done(const struct unpacking *unpacking);

#endif
