/* SPDX-License-Identifier: MIT */
/*
 * hash.h - send a file or random bytes through an echo, and compare SHA-256 of both ways.
 */
#ifndef BENCH_HASH_H
#define BENCH_HASH_H

#include "common/defs.h"

struct diag;
struct options;
struct result;

/*
 * Do it as @options says and print both sums on standard output. Errors, a difference among them, are
 * counted in @result. Returns 0, or -1 with words when it could not begin.
 */
MUST_USE int hash_run(const struct options *options, struct result *result, struct diag *diag);

#endif
