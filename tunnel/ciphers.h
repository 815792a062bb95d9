/* SPDX-License-Identifier: MIT */
/*
 * ciphers.h - AEAD ciphers with the keys of those sessions that are busy.
 *
 * One for each way of each session would cost it 2.5 KiB. So who has not used his for a second or two loses it, and
 * a worker has a bounded number of them: the oldest is taken from its holder when another is wanted.
 */
#ifndef TUNNEL_CIPHERS_H
#define TUNNEL_CIPHERS_H

#include <ev.h>
#include <gnutls/gnutls.h>
#include <stdint.h>

#include "common/defs.h"

enum { CIPHERS_MAX = 256 };

struct aead;
struct cipher;
struct ciphers;

/* What the records of one way of a session are protected with. */
struct cipher_secret {
	gnutls_cipher_algorithm_t algorithm;
	gnutls_datum_t key, iv; /* an iv of AEAD_NONCE bytes */
};

/*
 * None yet, but what they need is loaded. Borrows @ev until the caller frees them with ciphers_free(). NULL without
 * memory.
 */
MUST_USE struct ciphers *ciphers_new(struct ev_loop *ev);

/* Wipe and free all, and take them from their holders. NULL is allowed. */
void ciphers_free(struct ciphers *ciphers);

/*
 * Have @holder hold a cipher of @secret, in place of what it held if that has another key; *@holder becomes NULL when
 * the cipher is taken from it. Returns 0, or -1: it cannot be made, and @holder holds none.
 */
MUST_USE int ciphers_hold(
	struct ciphers *ciphers, struct cipher **holder, const struct cipher_secret *secret);

/*
 * Use @cipher for the record of @number, whose AEAD_NONCE bytes of @nonce are stored (RFC 8446 section 5.3). Borrowed
 * until the next call for any holder, or of the event loop.
 */
const struct aead *cipher_use(struct cipher *cipher, uint64_t number, uint8_t *nonce);

/* Wipe and free what @holder holds, if anything. */
void cipher_drop(struct cipher **holder);

#endif
