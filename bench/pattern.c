/* SPDX-License-Identifier: MIT */
#include "bench/pattern.h"

#include <assert.h>
#include <string.h>

static uint8_t table[PATTERN_PERIOD + PATTERN_CHUNK];

void
pattern_init(void)
{
	uint64_t state = 0x9e3779b97f4a7c15U;

	for (size_t i = 0; i < sizeof(table); i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		table[i] = i < PATTERN_PERIOD ? (uint8_t)(state >> 24) : table[i - PATTERN_PERIOD];
	}
}

const uint8_t *
pattern_at(uint64_t start, uint64_t position)
{
	return table + (start % PATTERN_PERIOD + position % PATTERN_PERIOD) % PATTERN_PERIOD;
}

uint64_t
pattern_check(uint64_t start, uint64_t position, const uint8_t *data, size_t size)
{
	const uint8_t *wanted = pattern_at(start, position);
	uint64_t wrong = 0;

	assert(size <= PATTERN_CHUNK);
	if (memcmp(wanted, data, size) == 0)
		return 0;
	for (size_t i = 0; i < size; i++)
		wrong += wanted[i] != data[i];
	return wrong;
}
