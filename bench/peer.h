/* SPDX-License-Identifier: MIT */
/*
 * peer.h - one connection of the backend: what it asked for, and how far its answer is.
 *
 *	UNDECIDED -> ECHO | SINK | SOURCE        chosen by the first bytes
 *
 * It owns memory for data only while the client does not take its answer, so that thousands of idle
 * ones cost little.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/request.h"
#include "common/defs.h"
#include "common/list.h"

enum { PEER_BUFFER_SIZE = 256 << 10 };

struct peer {
	struct list link;
	int fd;
	uint32_t watched; /* the events that epoll was last told */
	bool decided;
	bool ended;    /* the client's FIN has come */
	bool answered; /* what is to be sent after the end is in pending */
	bool finished; /* ours is sent */
	uint8_t head[REQUEST_SIZE];
	size_t head_size;
	struct request request;
	uint64_t position; /* bytes received by the sink, or sent by the source */
	uint64_t wrong;
	uint8_t *pending; /* what the client has not taken yet; NULL when nothing */
	size_t pending_at, pending_size;
};

/* Make a peer of @fd, which it takes over. NULL when there is no memory; then @fd is closed. */
MUST_USE struct peer *peer_new(int fd);

/* Take @peer off its list, close and free it. */
void peer_free(struct peer *peer);

/*
 * Do what can be done now. Borrows @buffer of PEER_BUFFER_SIZE until it returns. Returns true while
 * there is more to come, false when the connection is over, well or not.
 */
MUST_USE bool peer_step(struct peer *peer, uint8_t *buffer);

/* The epoll events that @peer waits for. */
MUST_USE uint32_t peer_events(const struct peer *peer);

#endif
