/* SPDX-License-Identifier: MIT */
#include "tunnel/fingerprint.h"

#include <assert.h>
#include <string.h>

#include "tunnel/config.h"

static void
hash(struct fingerprint *fingerprint, const void *bytes, size_t size)
{
	int error = gnutls_hash(fingerprint->handle, bytes, size);

	assert(error == 0);
}

void
fingerprint_start(struct fingerprint *fingerprint)
{
	int error = gnutls_hash_init(&fingerprint->handle, GNUTLS_DIG_SHA256);

	assert(error == 0);
}

void
fingerprint_add_number(struct fingerprint *fingerprint, uint64_t number)
{
	uint8_t bytes[8];

	/* The same on every machine of a fleet, whatever the order of its bytes. */
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	hash(fingerprint, bytes, sizeof(bytes));
}

void
fingerprint_add(struct fingerprint *fingerprint, const void *bytes, size_t size)
{
	fingerprint_add_number(fingerprint, size);
	if (size > 0)
		hash(fingerprint, bytes, size);
}

void
fingerprint_add_text(struct fingerprint *fingerprint, const char *string)
{
	if (string)
		fingerprint_add(fingerprint, string, strlen(string));
	else
		fingerprint_add_number(fingerprint, UINT64_MAX);
}

void
fingerprint_add_texts(struct fingerprint *fingerprint, const struct texts *texts)
{
	fingerprint_add_number(fingerprint, texts->count);
	for (size_t i = 0; i < texts->count; i++)
		fingerprint_add_text(fingerprint, texts->list[i]);
}

void
fingerprint_end(struct fingerprint *fingerprint, uint8_t digest[FINGERPRINT_SIZE])
{
	gnutls_hash_deinit(fingerprint->handle, digest);
	fingerprint->handle = NULL;
}
