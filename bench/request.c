/* SPDX-License-Identifier: MIT */
#include "bench/request.h"

#include <endian.h>
#include <string.h>

static const uint8_t magic[8] = {0x00, 'l', 'o', 'a', 'd', 0x0d, 0x0a, 0x1a};

static void
put_number(uint8_t *bytes, uint64_t number)
{
	uint64_t big = htobe64(number);

	memcpy(bytes, &big, sizeof(big));
}

static uint64_t
get_number(const uint8_t *bytes)
{
	uint64_t big;

	memcpy(&big, bytes, sizeof(big));
	return be64toh(big);
}

void
request_encode(const struct request *request, uint8_t bytes[static REQUEST_SIZE])
{
	memcpy(bytes, magic, sizeof(magic));
	put_number(bytes + 8, (uint64_t)request->kind);
	put_number(bytes + 16, request->start);
	put_number(bytes + 24, request->bytes);
}

enum request_match
request_decode(struct request *request, const uint8_t *bytes, size_t size)
{
	if (memcmp(bytes, magic, size < sizeof(magic) ? size : sizeof(magic)) != 0)
		return REQUEST_OTHER;
	if (size < REQUEST_SIZE)
		return REQUEST_INCOMPLETE;
	uint64_t kind = get_number(bytes + 8);
	if (kind != REQUEST_SINK && kind != REQUEST_SOURCE)
		return REQUEST_OTHER;
	*request = (struct request){
		.kind = kind == REQUEST_SINK ? REQUEST_SINK : REQUEST_SOURCE,
		.start = get_number(bytes + 16),
		.bytes = get_number(bytes + 24),
	};
	return REQUEST_COMPLETE;
}

void
verdict_encode(const struct verdict *verdict, uint8_t bytes[static VERDICT_SIZE])
{
	put_number(bytes, verdict->received);
	put_number(bytes + 8, verdict->wrong);
}

void
verdict_decode(struct verdict *verdict, const uint8_t bytes[static VERDICT_SIZE])
{
	verdict->received = get_number(bytes);
	verdict->wrong = get_number(bytes + 8);
}
