/* SPDX-License-Identifier: MIT */
/*
 * tls_pair.h - two ends of TLS in one thread, and a wire between them that the test moves bytes over:
 *
 *	client transport <-> wire[0] . . . wire[1] <-> server transport
 */
#ifndef TESTS_UNIT_TLS_PAIR_H
#define TESTS_UNIT_TLS_PAIR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"
#include "tunnel/stream.h"

struct credentials;
struct loop;
struct transport;

struct tls_pair {
	struct loop *loop;
	struct transport *client, *server;
	int wire[2];
	struct diag client_diag, server_diag;
	bool client_gone, server_gone; /* given up by the test */
};

/* Begin a pair on @loop, of a client that expects @name. Nothing is sent yet. */
void tls_pair_start(struct tls_pair *pair, struct loop *loop, struct credentials *client,
	struct credentials *server, const char *name);

/* Move up to @limit bytes each way. Returns how many were moved. */
size_t tls_pair_move(struct tls_pair *pair, size_t limit);

/*
 * Shake hands with pieces of @piece bytes until both are done or broken. The loop is run only while a step is
 * lent.
 */
void tls_pair_handshake(struct tls_pair *pair, size_t piece, enum io *client, enum io *server);

/* Read what an end has into a @string that has room for it. As stream_read(). */
enum io tls_pair_client_reads(struct tls_pair *pair, char *string);
enum io tls_pair_server_reads(struct tls_pair *pair, char *string);

/* An end sends @words, fewer than 100, and the other must read just them. */
void tls_pair_client_says(struct tls_pair *pair, const char *words);
void tls_pair_server_says(struct tls_pair *pair, const char *words);

/* Close what is not gone, and the wire. */
void tls_pair_end(struct tls_pair *pair);

#endif
