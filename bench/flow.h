/* SPDX-License-Identifier: MIT */
/*
 * flow.h - one connection of the load: what it still sends, and what must come back.
 *
 * A load steers it by @send_limit and @finish alone:
 *
 *	sent ......... send_limit        bytes of the pattern to send; more may be added at any time
 *	received ..... sent              what an echo has answered, never more than was sent
 *
 * With @finish it sends FIN after the last byte and expects the other end's.
 */
#ifndef BENCH_FLOW_H
#define BENCH_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/request.h"
#include "bench/result.h"
#include "common/defs.h"
#include "common/list.h"

struct endpoint;

enum { FLOW_BUFFER_SIZE = 256 << 10 };

enum flow_state { FLOW_GOING, FLOW_ENDED, FLOW_FAILED };

struct flow {
	struct list link;
	int fd;
	size_t index;	  /* the load's own */
	uint64_t began;	  /* the load's own: when what it waits for began */
	uint64_t counted; /* the load's own */
	uint32_t watched; /* the events that epoll was last told */
	bool connecting;
	bool finish, finished;
	struct request request; /* .kind is what the other end does */
	size_t head_sent;
	uint64_t sent, send_limit;
	uint64_t received, wrong;
	uint8_t verdict[VERDICT_SIZE];
};

/*
 * Begin connecting to @endpoint with @request, whose start is the flow's pattern. NULL, with errno, when
 * that fails at once; the caller frees the result with flow_free().
 */
MUST_USE struct flow *flow_new(const struct endpoint *endpoint, const struct request *request);

/* Close and free @flow. */
void flow_free(struct flow *flow);

/* Send what is due and fits. Failures are counted in @result. */
MUST_USE enum flow_state flow_send(struct flow *flow, struct result *result);

/*
 * Receive once into @buffer of FLOW_BUFFER_SIZE and check it. At the end, judge the whole flow. Failures
 * are counted in @result.
 */
MUST_USE enum flow_state flow_receive(struct flow *flow, uint8_t *buffer, struct result *result);

/* The epoll events that @flow waits for. */
MUST_USE uint32_t flow_events(const struct flow *flow);

#endif
