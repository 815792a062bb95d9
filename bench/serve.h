/* SPDX-License-Identifier: MIT */
/*
 * serve.h - the plaintext backend: echo, sink and source on the same addresses.
 *
 * A connection's first bytes choose what it gets (request.h); what does not begin like a request is
 * echoed. A client's FIN is answered with a FIN once everything before it is answered.
 */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#include <stddef.h>

#include "common/defs.h"

struct diag;

enum { SERVE_ADDRESSES = 8 };

/*
 * Listen on the @count texts in @addresses, print "listening on ADDRESS" for each on standard output,
 * and serve until SIGTERM or SIGINT. Returns 0 then, or -1 with words when it could not begin.
 */
MUST_USE int serve_run(const char *const *addresses, size_t count, struct diag *diag);

#endif
