/* SPDX-License-Identifier: MIT */
/*
 * psk.h - pre-shared keys by their identities, as they stand in a file.
 *
 * A line each: an identity, a colon, and the key in hexadecimal digits. Empty lines and those that begin
 * with # count for nothing.
 *
 *	# who lets whom in
 *	app-west:5b0f3c…
 */
#ifndef TUNNEL_PSK_H
#define TUNNEL_PSK_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

enum {
	PSK_IDENTITY_MAX = 127, /* bytes in an identity */
	PSK_KEY_MIN = 16,	/* bytes in a key */
	PSK_KEY_MAX = 64,
	PSK_LIMIT = 100000, /* keys in a file */
};

struct psk_key {
	char identity[PSK_IDENTITY_MAX + 1];
	uint8_t bytes[PSK_KEY_MAX];
	size_t size;
};

/* Sorted by identity, immutable once made. All zero is empty. */
struct psk {
	struct psk_key *keys;
	size_t count;
};

/*
 * Parse @text of @size bytes into @psk, which is empty. Returns 0, or -1 with words that begin with the
 * number of the line where one is to blame, and say nothing of a key; @psk is empty then. The caller
 * releases it with psk_release().
 */
MUST_USE int psk_parse(struct psk *psk, const char *text, size_t size, struct diag *diag);

/* Wipe and free everything. */
void psk_release(struct psk *psk);

/* The key of @identity, of @length bytes. NULL when there is none. */
const struct psk_key *psk_find(const struct psk *psk, const void *identity, size_t length);

#endif
