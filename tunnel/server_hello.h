/* SPDX-License-Identifier: MIT */
/*
 * server_hello.h - what the plaintext beginning of a server's flight tells of the rest (RFC 8446 section 4.1.3).
 *
 * A hint about where the time goes, taken from bytes that may be hostile: nothing is decided by it.
 */
#ifndef TUNNEL_SERVER_HELLO_H
#define TUNNEL_SERVER_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server_hello {
	bool is_there; /* the first record begins with a whole ServerHello */
	bool is_retry; /* it is a HelloRetryRequest, and another one follows */
	bool resumes;  /* it is of TLS 1.3 and takes up a session, so nobody signs */
};

struct server_hello server_hello_read(const uint8_t *records, size_t size);

#endif
