/* SPDX-License-Identifier: MIT */
/*
 * request.h - what the first bytes of a connection ask of the backend.
 *
 *	magic (8)  kind (8)  start of the pattern (8)  bytes to send (8)     numbers big-endian
 *
 * A connection that begins otherwise is echoed, so that any client may play with the backend.
 * A sink counts and checks the pattern until the end, then answers with a verdict:
 *
 *	bytes received (8)  bytes that were wrong (8)
 */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

enum { REQUEST_SIZE = 32, VERDICT_SIZE = 16 };

/* A source without a limit goes on until the client's end, and then to a multiple of this. */
enum { REQUEST_UNIT = 64 << 10 };

enum request_kind { REQUEST_ECHO, REQUEST_SINK, REQUEST_SOURCE };

struct request {
	enum request_kind kind;
	uint64_t start; /* see pattern.h */
	uint64_t bytes; /* from a source; UINT64_MAX: until the client ends */
};

struct verdict {
	uint64_t received, wrong;
};

enum request_match { REQUEST_OTHER, REQUEST_INCOMPLETE, REQUEST_COMPLETE };

/* Write @request, which is not an echo. */
void request_encode(const struct request *request, uint8_t bytes[static REQUEST_SIZE]);

/* Say whether the first @size bytes of a connection are a request, and if complete, which. */
MUST_USE enum request_match request_decode(
	struct request *request, const uint8_t *bytes, size_t size);

/* Write @verdict. */
void verdict_encode(const struct verdict *verdict, uint8_t bytes[static VERDICT_SIZE]);

/* Read @verdict. */
void verdict_decode(struct verdict *verdict, const uint8_t bytes[static VERDICT_SIZE]);

#endif
