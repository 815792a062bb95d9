/* SPDX-License-Identifier: MIT */
/*
 * pattern.h - bytes that depend on their position in a stream, to send and to check.
 *
 * The pattern repeats after a prime number of bytes, so a loss, a repetition or a swap of blocks of
 * any usual size shows; streams with different starts differ, so a mix-up of connections shows too.
 * Sending needs no copy and checking is one memcmp().
 */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stddef.h>
#include <stdint.h>

enum {
	PATTERN_PERIOD = 65521,	  /* the largest prime below 64 KiB */
	PATTERN_CHUNK = 256 << 10 /* bytes that may be used at once */
};

/* Make the table. To be called once, before the others. */
void pattern_init(void);

/* Find PATTERN_CHUNK bytes that belong at @position of the stream that begins at @start. */
const uint8_t *pattern_at(uint64_t start, uint64_t position);

/* Count the bytes of @data that are not those at @position; @size is at most PATTERN_CHUNK. */
uint64_t pattern_check(uint64_t start, uint64_t position, const uint8_t *data, size_t size);

#endif
