/* SPDX-License-Identifier: MIT */
/*
 * tls_failure.h - say why TLS failed, to the operator in words and to the peer by an alert.
 */
#ifndef TUNNEL_TLS_FAILURE_H
#define TUNNEL_TLS_FAILURE_H

#include "tunnel/stream.h"

struct diag;
struct tls;

/* GnuTLS gave up with @error while we did @what. Chooses the alert. Returns IO_ERROR with words. */
enum io tls_failure(struct tls *tls, const char *what, int error, struct diag *diag);

#endif
