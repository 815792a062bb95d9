/* SPDX-License-Identifier: MIT */
/*
 * vaes.h - AES-GCM for processors that encrypt several blocks at once (VAES, AVX-512), by Intel's libIPSec_MB.
 *
 * The library is loaded when it is first asked for, if it is there and has the version that this was built with: the
 * size of its keys changes with the version, under the same name.
 */
#ifndef TUNNEL_VAES_H
#define TUNNEL_VAES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/aead.h"

struct vaes;

/* The version of the library that this was built with. */
const char *vaes_version(void);

/* Can ciphers be made? */
bool vaes_is_there(void);

/*
 * A cipher with @key of @size bytes; the caller frees it with vaes_free(). NULL: the library is not there or another
 * version, the processor cannot, FIPS 140 is in force, the key is of another length than 128 or 256 bits, or no memory.
 */
MUST_USE struct vaes *vaes_new(const void *key, size_t size);

/* Wipe and free it. */
void vaes_free(struct vaes *vaes);

/* As aead_seal(), and never fails. */
void vaes_seal(const struct vaes *vaes, const struct aead_frame *frame, const void *data,
	size_t size, uint8_t last, uint8_t *sealed);

/* As aead_open(). */
MUST_USE int vaes_open(const struct vaes *vaes, const struct aead_frame *frame,
	const uint8_t *sealed, size_t size, uint8_t *data);

#endif
