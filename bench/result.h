/* SPDX-License-Identifier: MIT */
/*
 * result.h - what a load has measured, and the errors that it met.
 */
#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/histogram.h"
#include "common/defs.h"
#include "common/diag.h"

struct options;

enum result_error {
	RESULT_CONNECT, /* could not connect */
	RESULT_BROKEN,	/* reset, or another failure on the way */
	RESULT_SHORT,	/* ended before everything had come */
	RESULT_WRONG,	/* bytes came back changed */
	RESULT_EXTRA,	/* more came back than was due */
	RESULT_TIMEOUT, /* nothing happened any more */
	RESULT_DROPPED, /* an arrival beyond --connections */
	RESULT_ERRORS
};

struct result {
	uint64_t done;	/* connections, exchanges or messages, as the load counts */
	uint64_t bytes; /* of payload, counted once where it came back */
	uint64_t wrong_bytes;
	uint64_t nanoseconds;
	uint64_t errors[RESULT_ERRORS];
	struct diag first; /* words about the first error */
	struct histogram latency;
};

/* Count an error with @words. */
void result_fail(struct result *result, enum result_error error, const char *words, ...)
	PRINTF_LIKE(3, 4);

/* All errors together. */
MUST_USE uint64_t result_errors(const struct result *result);

/*
 * Print @result on standard output, as one line of text or of JSON as @options says, and the first error
 * on standard error.
 */
void result_print(const struct result *result, const struct options *options);

#endif
