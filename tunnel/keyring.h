/* SPDX-License-Identifier: MIT */
/*
 * keyring.h - the keys of one generation, as main hands them to the key process.
 *
 * Each is the public key that the certificate has, and the private one: as PEM, or as the PKCS#11 URL
 * and the PIN of a token. Bytes and structs only, so that it can be fuzzed. There is one encoding of a
 * keyring, and decoding takes no other. Whatever is secret is wiped when it is freed.
 */
#ifndef TUNNEL_KEYRING_H
#define TUNNEL_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

enum {
	KEYRING_KEYS = 65536,	       /* at most */
	KEYRING_FIELD_LIMIT = 1 << 20, /* bytes of one field */
	KEYRING_LIMIT = 1 << 30,       /* bytes in all */
};

/* Bytes of ours, with a NUL behind the end. All zero is empty. */
struct keyring_field {
	uint8_t *bytes;
	size_t size;
};

struct keyring_key {
	bool is_token;
	struct keyring_field spki;   /* DER of the SubjectPublicKeyInfo that is certified */
	struct keyring_field secret; /* PEM, or the URL of a token's key */
	struct keyring_field pin;    /* of the token */
	struct keyring_field
		blame; /* where the configuration names it, for words: "FILE:LINE: ...: " */
};

/* All zero is empty. */
struct keyring {
	uint32_t linger; /* seconds that a handshake which began with these keys may take */
	struct keyring_key *keys;
	size_t count;
};

/* Release everything in @keyring, wiped, and make it empty. */
void keyring_release(struct keyring *keyring);

/* Put a copy of @size bytes into @field, which is empty. Returns 0, or -1 with words. */
MUST_USE int keyring_set(
	struct keyring_field *field, const void *bytes, size_t size, struct diag *diag);

/* Wipe and free what is in @field. */
void keyring_clear(struct keyring_field *field);

/* Add @key, taking over what is in it in any case. Returns 0, or -1 with words. */
MUST_USE int keyring_add(struct keyring *keyring, struct keyring_key *key, struct diag *diag);

/*
 * Encode @keyring into @bytes, which the caller frees with sealed_free(). Returns 0, or -1 with words
 * (memory, too large).
 */
MUST_USE int keyring_encode(
	const struct keyring *keyring, uint8_t **bytes, size_t *size, struct diag *diag);

/* Decode @size bytes into @keyring, which is empty. Returns 0, or -1 with words, @keyring then empty. */
MUST_USE int keyring_decode(
	struct keyring *keyring, const uint8_t *bytes, size_t size, struct diag *diag);

#endif
