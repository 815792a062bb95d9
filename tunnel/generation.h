/* SPDX-License-Identifier: MIT */
/*
 * generation.h - one configuration as main hands it to serve: texts, contents of files, listeners.
 *
 * Bytes and structs only, so that it can be fuzzed: the descriptors of the listening sockets travel
 * beside the bytes, in the order of the listeners, and are counted here. The bytes hold private keys;
 * whoever has them wipes them. There is one encoding of a generation, and decoding takes no other.
 */
#ifndef TUNNEL_GENERATION_H
#define TUNNEL_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/files.h"
#include "tunnel/config.h"

struct diag;

enum {
	GENERATION_WORKERS = 1024,   /* at most */
	GENERATION_LISTENERS = 8192, /* at most */
	GENERATION_USERS = 32,	     /* that may connect to one listener, at most */
	GENERATION_LIMIT = 1 << 30,  /* bytes */
};

/* One address of a service, and the sockets that listen there. */
struct generation_listener {
	uint32_t service; /* index into the configuration's services ... */
	uint32_t accept;  /* ... and into that service's addresses */
	uint32_t sockets; /* 1, shared by all workers, or one for each; 0: those of an earlier
			     service's listener on the same address */
	bool judged;	  /* the client's user must be one of those: */
	uint32_t user_count;
	uint32_t users[GENERATION_USERS];
};

/* All zero is empty. */
struct generation {
	uint32_t workers;
	struct config_texts texts;
	struct files files;
	struct generation_listener *listeners;
	size_t listener_count;
};

/* Release everything in @generation, wiping what is secret, and make it empty. */
void generation_release(struct generation *generation);

/* Add a copy of @listener. Returns 0, or -1 with words (memory, too many). */
MUST_USE int generation_add(struct generation *generation,
	const struct generation_listener *listener, struct diag *diag);

/* How many descriptors belong to @generation. */
size_t generation_sockets(const struct generation *generation);

/*
 * Encode @generation into @bytes, which the caller frees with generation_wipe(). Returns 0, or -1 with
 * words (memory, too large).
 */
MUST_USE int generation_encode(
	const struct generation *generation, uint8_t **bytes, size_t *size, struct diag *diag);

/*
 * Decode @size bytes into @generation, which is empty; every length is checked against what is there.
 * Returns 0, or -1 with words, @generation then empty.
 */
MUST_USE int generation_decode(
	struct generation *generation, const uint8_t *bytes, size_t size, struct diag *diag);

/* Wipe and free encoded bytes. NULL is allowed. */
void generation_wipe(uint8_t *bytes, size_t size);

#endif
