/* SPDX-License-Identifier: MIT */
#include "tunnel/server_hello.h"

#include <string.h>

enum {
	RECORD_HANDSHAKE = 22,	  /* type of a record */
	MESSAGE_SERVER_HELLO = 2, /* type of a message */
	VERSION_SIZE = 2,
	RANDOM_SIZE = 32,
	CIPHER_AND_COMPRESSION = 3,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	VERSION_1_3 = 0x0304,
};

/* The random of a HelloRetryRequest: SHA-256 of that word. */
static const uint8_t retry[RANDOM_SIZE] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe,
	0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
	0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* Bytes that are still to be looked at. */
struct rest {
	const uint8_t *bytes;
	size_t size;
};

/* Step over @size bytes, and return where they are. NULL: there are less, and then none any more. */
static const uint8_t *
take(struct rest *rest, size_t size)
{
	const uint8_t *taken = rest->bytes;

	if (!taken || size > rest->size) {
		rest->bytes = NULL;
		rest->size = 0;
		return NULL;
	}
	rest->bytes += size;
	rest->size -= size;
	return taken;
}

/* Take a number of @size bytes; 0 if there are less. */
static size_t
number(struct rest *rest, size_t size)
{
	const uint8_t *bytes = take(rest, size);
	size_t value = 0;

	for (size_t i = 0; bytes && i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Take @size bytes to be looked at on their own. */
static struct rest
part(struct rest *rest, size_t size)
{
	return (struct rest){.bytes = take(rest, size), .size = rest->bytes ? size : 0};
}

static bool
is_resumption(struct rest extensions)
{
	bool has_key = false, is_1_3 = false;

	while (extensions.size > 0) {
		size_t type = number(&extensions, 2);
		struct rest data = part(&extensions, number(&extensions, 2));

		has_key = has_key || (type == EXTENSION_PRE_SHARED_KEY && data.bytes);
		is_1_3 = is_1_3 ||
			(type == EXTENSION_SUPPORTED_VERSIONS && number(&data, 2) == VERSION_1_3);
	}
	return has_key && is_1_3;
}

struct server_hello
server_hello_read(const uint8_t *records, size_t size)
{
	struct server_hello hello = {.is_there = false};
	struct rest rest = {records, size};
	size_t type = number(&rest, 1);

	(void)take(&rest, VERSION_SIZE);
	struct rest record = part(&rest, number(&rest, 2));
	if (type != RECORD_HANDSHAKE || number(&record, 1) != MESSAGE_SERVER_HELLO)
		return hello;
	struct rest message = part(&record, number(&record, 3));
	(void)take(&message, VERSION_SIZE);
	const uint8_t *random = take(&message, RANDOM_SIZE);
	(void)take(&message, number(&message, 1));
	hello.is_there = take(&message, CIPHER_AND_COMPRESSION);
	if (!hello.is_there)
		return hello;
	hello.is_retry = memcmp(random, retry, RANDOM_SIZE) == 0;
	hello.resumes = !hello.is_retry && is_resumption(part(&message, number(&message, 2)));
	return hello;
}
