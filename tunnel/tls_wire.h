/* SPDX-License-Identifier: MIT */
/*
 * tls_wire.h - what a GnuTLS session reads from and writes to, instead of a socket.
 */
#ifndef TUNNEL_TLS_WIRE_H
#define TUNNEL_TLS_WIRE_H

#include <stddef.h>

#include "common/defs.h"
#include "tunnel/stream.h"

struct diag;
struct tls;

/* Have the session of @tls read from its window and write to its batch or to what waits to be sent. */
void tls_wire_connect(struct tls *tls);

/* Open the window in the scratch memory of the loop, in which nothing is batched meanwhile. */
void tls_wire_open(struct tls *tls);

/* Close it, and keep what was not used up. Returns IO_DONE, or IO_ERROR with words. */
MUST_USE enum io tls_wire_close(struct tls *tls, struct diag *diag);

/* Receive up to @size bytes into the open window. As transport_receive(). */
MUST_USE enum io tls_wire_fill(struct tls *tls, size_t size, struct diag *diag);

/* Put what a lent step wrote behind what waits to be sent. Returns IO_DONE, or IO_ERROR with words. */
MUST_USE enum io tls_wire_add_flight(struct tls *tls, struct diag *diag);

/* Hand the collected records to the socket, and what it does not take, to the transport. */
MUST_USE enum io tls_wire_send(struct tls *tls, struct diag *diag);

#endif
