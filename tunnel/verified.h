/* SPDX-License-Identifier: MIT */
/*
 * verified.h - which chains were verified lately, and what they say, so that a peer that comes often, or
 * resumes, is neither verified nor read each time.
 *
 * That a chain verifies depends on the chain, the expected name, and what never changes while the
 * credentials live to which such a memory belongs: anchors, profile, purpose. The proof that the peer has
 * the key is GnuTLS's and given anew in every full handshake. Bounded in number and in time.
 */
#ifndef TUNNEL_VERIFIED_H
#define TUNNEL_VERIFIED_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/fingerprint.h"

enum {
	VERIFIED_LIMIT = 256,	/* chains that are remembered */
	VERIFIED_SECONDS = 300, /* for at most this long */
};

struct verified_key {
	uint8_t bytes[FINGERPRINT_SIZE];
};

/* The key of @count certificates (DER) that were verified for @name, or for none if that is NULL. */
struct verified_key verified_key_of(
	const gnutls_datum_t *certificates, unsigned count, const char *name);

struct acquaintance;
struct verified;

/* The caller frees the result with verified_free(). NULL without memory. */
MUST_USE struct verified *verified_new(void);

void verified_free(struct verified *verified);

/*
 * What was remembered with the chain of @key, if its time at @now is not over. From any thread. Counted: the
 * caller drops it with acquaintance_unref(). NULL: verify it.
 */
struct acquaintance *verified_recall(
	struct verified *verified, const struct verified_key *key, time_t now);

/*
 * Remember the chain of @key, which was verified at @now and must not be used after @expiry, and
 * @acquaintance, which is kept.
 */
void verified_add(struct verified *verified, const struct verified_key *key,
	struct acquaintance *acquaintance, time_t now, time_t expiry);

#endif
