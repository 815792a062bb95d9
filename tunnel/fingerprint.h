/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.h - SHA-256 over a sequence of fields, each with its length, so that no two sequences
 * become one text.
 *
 *	fingerprint_start(&fingerprint);
 *	fingerprint_add_text(&fingerprint, service);
 *	fingerprint_add_text(&fingerprint, NULL);
 *	fingerprint_end(&fingerprint, digest);
 */
#ifndef TUNNEL_FINGERPRINT_H
#define TUNNEL_FINGERPRINT_H

#include <gnutls/crypto.h>
#include <stddef.h>
#include <stdint.h>

struct texts;

enum { FINGERPRINT_SIZE = 32 };

struct fingerprint {
	gnutls_hash_hd_t handle;
};

void fingerprint_start(struct fingerprint *fingerprint);

void fingerprint_add(struct fingerprint *fingerprint, const void *bytes, size_t size);

/* Add a string; NULL differs from an empty one. */
void fingerprint_add_text(struct fingerprint *fingerprint, const char *string);

/* Add the texts in their order. */
void fingerprint_add_texts(struct fingerprint *fingerprint, const struct texts *texts);

/* Any number, yes and no too. */
void fingerprint_add_number(struct fingerprint *fingerprint, uint64_t number);

/* Store the result and release @fingerprint. */
void fingerprint_end(struct fingerprint *fingerprint, uint8_t digest[FINGERPRINT_SIZE]);

#endif
