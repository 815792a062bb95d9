/* SPDX-License-Identifier: MIT */
#include "tunnel/records.h"

#include <stdbool.h>

enum { FIRST_TYPE = 20, LAST_TYPE = 23, MAJOR_VERSION = 3 };

/* Could these bytes, of which there may be less than a header, begin a record? */
static bool
is_possible(const uint8_t *bytes, size_t length)
{
	if (length > 0 && (bytes[0] < FIRST_TYPE || bytes[0] > LAST_TYPE))
		return false;
	if (length > 1 && bytes[1] != MAJOR_VERSION)
		return false;
	return length < RECORD_HEADER || (bytes[3] << 8 | bytes[4]) <= RECORD_PAYLOAD_MAX;
}

size_t
records_ready(const uint8_t *bytes, size_t length)
{
	size_t ready = 0;

	while (ready < length) {
		const uint8_t *record = bytes + ready;

		if (!is_possible(record, length - ready))
			return length;
		if (length - ready < RECORD_HEADER)
			return ready;
		size_t whole = RECORD_HEADER + (size_t)(record[3] << 8 | record[4]);
		if (length - ready < whole)
			return ready;
		ready += whole;
	}
	return ready;
}
