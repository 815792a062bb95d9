/* SPDX-License-Identifier: MIT */
#include "common/unpacking.h"

const uint8_t *
unpacking_take(struct unpacking *unpacking, size_t size)
{
	if (unpacking->bad || size > unpacking->left) {
		unpacking->bad = true;
		return NULL;
	}
	const uint8_t *bytes = unpacking->bytes;
	unpacking->bytes += size;
	unpacking->left -= size;
	return bytes;
}

uint32_t
unpacking_take_number(struct unpacking *unpacking)
{
	const uint8_t *bytes = unpacking_take(unpacking, 4);

	if (!bytes)
		return 0;
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		(uint32_t)bytes[3] << 24;
}

const uint8_t *
unpacking_take_block(struct unpacking *unpacking, size_t limit, size_t *size)
{
	*size = unpacking_take_number(unpacking);
	if (*size > limit)
		unpacking->bad = true;
	const uint8_t *bytes = unpacking_take(unpacking, *size);
	if (!bytes)
		*size = 0;
	return bytes;
}

bool
unpacking_is_done(const struct unpacking *unpacking)
{
	return !unpacking->bad && unpacking->left == 0;
}
