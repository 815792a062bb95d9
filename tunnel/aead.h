/* SPDX-License-Identifier: MIT */
/*
 * aead.h - a cipher that seals and opens messages, with its key.
 *
 * It is GnuTLS's, but for AES-GCM where there is a faster one (vaes.h). What is sealed by one, the other opens.
 */
#ifndef TUNNEL_AEAD_H
#define TUNNEL_AEAD_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

enum { AEAD_NONCE = 12, AEAD_TAG = 16 }; /* bytes */

struct aead;

/* What belongs to a message and is not in it. */
struct aead_frame {
	const uint8_t *nonce;  /* AEAD_NONCE bytes; a key seals once with each */
	const uint8_t *header; /* is authenticated with the message */
	size_t header_size;
};

/* Load what there is to be loaded, so that the first message does not wait for it. */
void aead_prepare(void);

/* Is @algorithm known here? AES-GCM and ChaCha20-Poly1305 are. */
bool aead_knows(gnutls_cipher_algorithm_t algorithm);

/* The cipher of the known @algorithm with @key; the caller frees it with aead_free(). NULL: it cannot be made. */
MUST_USE struct aead *aead_new(gnutls_cipher_algorithm_t algorithm, const gnutls_datum_t *key);

/* Wipe and free it. NULL is allowed. */
void aead_free(struct aead *aead);

/*
 * Seal the @size bytes of @data, and @last behind them, into @sealed, which takes 1 + AEAD_TAG bytes more. Returns
 * 0, or -1.
 */
MUST_USE int aead_seal(const struct aead *aead, const struct aead_frame *frame, const void *data,
	size_t size, uint8_t last, uint8_t *sealed);

/*
 * Open the @size bytes of @sealed, AEAD_TAG or more, into @data, which takes AEAD_TAG less. Returns 0, or -1: they
 * are not authentic, and what is in @data is worth nothing.
 */
MUST_USE int aead_open(const struct aead *aead, const struct aead_frame *frame,
	const uint8_t *sealed, size_t size, uint8_t *data);

#endif
