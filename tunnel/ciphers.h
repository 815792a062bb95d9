/* SPDX-License-Identifier: MIT */
/*
 * ciphers.h - AEAD ciphers with the keys of those sessions that were busy lately.
 *
 * One for each way of each session would cost it 2 KiB, so a worker has a bounded number of them, and
 * takes the oldest from its holder when another is wanted.
 */
#ifndef TUNNEL_CIPHERS_H
#define TUNNEL_CIPHERS_H

#include <gnutls/gnutls.h>

#include "common/defs.h"

enum { CIPHERS_MAX = 64 };

struct aead;
struct cipher;
struct ciphers;

/* None yet, but what they need is loaded. The caller frees them with ciphers_free(). NULL without memory. */
MUST_USE struct ciphers *ciphers_new(void);

/* Wipe and free all, and take them from their holders. NULL is allowed. */
void ciphers_free(struct ciphers *ciphers);

/*
 * The cipher of @algorithm with @key, which @holder then holds in place of what it held; *@holder becomes NULL
 * when the cipher is taken from it. Borrowed until the next call for any holder. NULL: it cannot be made.
 */
MUST_USE struct aead *ciphers_get(struct ciphers *ciphers, struct cipher **holder,
	gnutls_cipher_algorithm_t algorithm, const gnutls_datum_t *key);

/* Wipe and free what @holder holds, if anything. */
void cipher_drop(struct cipher **holder);

#endif
