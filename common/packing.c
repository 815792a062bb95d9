/* SPDX-License-Identifier: MIT */
#include "common/packing.h"

#include <string.h>

void
packing_add(struct packing *packing, const void *bytes, size_t size)
{
	if (packing->bytes && size > 0)
		memcpy(packing->bytes + packing->size, bytes, size);
	packing->size += size;
}

void
packing_add_number(struct packing *packing, uint32_t number)
{
	uint8_t bytes[4];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	packing_add(packing, bytes, sizeof(bytes));
}

void
packing_add_block(struct packing *packing, const void *bytes, size_t size)
{
	packing_add_number(packing, (uint32_t)size);
	packing_add(packing, bytes, size);
}
