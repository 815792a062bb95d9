/* SPDX-License-Identifier: MIT */
/*
 * keyset.h - the keys of one keyring, opened and proved, ready to sign from any thread.
 *
 * Immutable and counted: whoever signs keeps the set meanwhile, whatever replaces it.
 */
#ifndef TUNNEL_KEYSET_H
#define TUNNEL_KEYSET_H

#include <gnutls/abstract.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/defs.h"
#include "tunnel/keyring.h"
#include "tunnel/spki.h"

/* One key, opened. Counted, since sets that follow each other share it. */
struct keyset_key {
	struct spki public;
	gnutls_privkey_t key;
	bool is_token;
	_Atomic unsigned references;
};

struct keyset {
	struct keyset_key **keys; /* in the order of their ids */
	size_t count;
	struct keyring keyring; /* that of which it was made: a token may ask for its PIN again */
	_Atomic unsigned references;
};

/*
 * Open every key of @keyring, which is taken over in any case, and see that each belongs to its public
 * key. What @before has in memory for the same public key is shared instead; NULL: nothing is. Every
 * error is written to @errors, a line each. Counted: the caller drops the result with keyset_unref().
 * NULL if there was any error.
 */
MUST_USE struct keyset *keyset_new(
	struct keyring *keyring, const struct keyset *before, FILE *errors);

/* Counted, from any thread. keyset_unref(NULL) does nothing. */
struct keyset *keyset_ref(struct keyset *keyset);
void keyset_unref(struct keyset *keyset);

/* The key with @id, of SPKI_ID_SIZE bytes. NULL when @keyset has it not. */
const struct keyset_key *keyset_find(const struct keyset *keyset, const uint8_t *id);

#endif
