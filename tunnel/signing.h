/* SPDX-License-Identifier: MIT */
/*
 * signing.h - what serve and the key process say to each other about one signature.
 *
 * A request names a key by the SHA-256 of its SubjectPublicKeyInfo, says how to sign, and has what is to
 * be signed: the hash, or for EdDSA, which hashes by itself, the data. The answer has the signature, or
 * words. Bytes and structs only, so that it can be fuzzed; either end may be compromised, and all is
 * bounded.
 */
#ifndef TUNNEL_SIGNING_H
#define TUNNEL_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

enum {
	SIGNING_ID_SIZE = 32,
	SIGNING_DATA_LIMIT = 64 << 10, /* a client's EdDSA in TLS 1.2 signs its whole handshake */
	SIGNING_ANSWER_LIMIT = 2048,   /* bytes of a signature or of words */
	SIGNING_REQUEST_SIZE = SIGNING_DATA_LIMIT + 64,	 /* holds every request */
	SIGNING_ANSWER_SIZE = SIGNING_ANSWER_LIMIT + 64, /* holds every answer */
};

struct signing_request {
	uint32_t number;    /* the answer has it too */
	uint32_t algorithm; /* a gnutls_sign_algorithm_t */
	const uint8_t *id;  /* SIGNING_ID_SIZE */
	const uint8_t *data;
	size_t size; /* at most SIGNING_DATA_LIMIT */
};

struct signing_answer {
	uint32_t number;
	bool good;
	const uint8_t *bytes; /* good: the signature; else: words, without a NUL */
	size_t size;	      /* at most SIGNING_ANSWER_LIMIT */
};

/* Encode @request into @bytes of SIGNING_REQUEST_SIZE. Returns how many are used. */
size_t signing_encode_request(const struct signing_request *request, uint8_t *bytes);

/* Decode @size bytes, which @request then points into. Returns 0, or -1 if they are no request. */
MUST_USE int signing_decode_request(
	struct signing_request *request, const uint8_t *bytes, size_t size);

/* The same for @answer and SIGNING_ANSWER_SIZE. */
size_t signing_encode_answer(const struct signing_answer *answer, uint8_t *bytes);
MUST_USE int signing_decode_answer(
	struct signing_answer *answer, const uint8_t *bytes, size_t size);

#endif
