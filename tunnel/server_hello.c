/* SPDX-License-Identifier: MIT */
#include "tunnel/server_hello.h"

#include <string.h>

#include "common/unpacking.h"

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

/* Take a number of @size bytes, the highest first; 0 if there are less. */
static size_t
number(struct unpacking *rest, size_t size)
{
	const uint8_t *bytes = unpacking_take(rest, size);
	size_t value = 0;

	for (size_t i = 0; bytes && i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Take @size bytes to be looked at on their own. */
static struct unpacking
part(struct unpacking *rest, size_t size)
{
	const uint8_t *bytes = unpacking_take(rest, size);

	return (struct unpacking){.bytes = bytes, .left = bytes ? size : 0, .bad = !bytes};
}

static bool
is_resumption(struct unpacking extensions)
{
	bool has_key = false, is_1_3 = false;

	while (extensions.left > 0 && !extensions.bad) {
		size_t type = number(&extensions, 2);
		struct unpacking data = part(&extensions, number(&extensions, 2));

		has_key = has_key || (type == EXTENSION_PRE_SHARED_KEY && !data.bad);
		is_1_3 = is_1_3 ||
			(type == EXTENSION_SUPPORTED_VERSIONS && number(&data, 2) == VERSION_1_3);
	}
	return has_key && is_1_3;
}

struct server_hello
server_hello_read(const uint8_t *records, size_t size)
{
	struct server_hello hello = {.is_there = false};
	struct unpacking rest = {.bytes = records, .left = size};
	size_t type = number(&rest, 1);

	(void)unpacking_take(&rest, VERSION_SIZE);
	struct unpacking record = part(&rest, number(&rest, 2));
	if (type != RECORD_HANDSHAKE || number(&record, 1) != MESSAGE_SERVER_HELLO)
		return hello;
	struct unpacking message = part(&record, number(&record, 3));
	(void)unpacking_take(&message, VERSION_SIZE);
	const uint8_t *random = unpacking_take(&message, RANDOM_SIZE);
	(void)unpacking_take(&message, number(&message, 1));
	hello.is_there = unpacking_take(&message, CIPHER_AND_COMPRESSION);
	if (!hello.is_there)
		return hello;
	hello.is_retry = memcmp(random, retry, RANDOM_SIZE) == 0;
	hello.resumes = !hello.is_retry && is_resumption(part(&message, number(&message, 2)));
	return hello;
}
