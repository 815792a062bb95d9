/* SPDX-License-Identifier: MIT */
/*
 * packing.h - put numbers and blocks of bytes behind each other, for another process to take apart.
 *
 * It counts only while it has no @bytes, so whoever packs does so twice: to learn the size, and again
 * into memory of that size, which is thus made once and leaves no copy of a secret behind.
 */
#ifndef COMMON_PACKING_H
#define COMMON_PACKING_H

#include <stddef.h>
#include <stdint.h>

/* All zero counts. */
struct packing {
	uint8_t *bytes; /* NULL, or room for all that will come */
	size_t size;
};

/* Add @size bytes as they are. */
void packing_add(struct packing *packing, const void *bytes, size_t size);

/* Add a number as four bytes. */
void packing_add_number(struct packing *packing, uint32_t number);

/* Add @size bytes, fewer than 4 GiB, behind their number. */
void packing_add_block(struct packing *packing, const void *bytes, size_t size);

#endif
