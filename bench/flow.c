/* SPDX-License-Identifier: MIT */
#include "bench/flow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/net.h"
#include "bench/pattern.h"

/* A long sender lets the others have their turn after so many writes. */
enum { SENDS_A_TURN = 4 };

static bool
is_busy(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static enum flow_state
broken(const struct flow *flow, struct result *result, const char *doing)
{
	result_fail(result, flow->connecting ? RESULT_CONNECT : RESULT_BROKEN,
		"connection %zu: %s after %" PRIu64 " bytes sent, %" PRIu64 " received: %s",
		flow->index, doing, flow->sent, flow->received, strerror(errno));
	return FLOW_FAILED;
}

static enum flow_state
finish_connecting(struct flow *flow, struct result *result)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(flow->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	errno = error;
	if (error)
		return broken(flow, result, "connect");
	flow->connecting = false;
	return FLOW_GOING;
}

/* Returns false when nothing more can be sent now; a failure sets @state. */
static bool
send_some(struct flow *flow, const uint8_t *data, size_t size, size_t *sent)
{
	ssize_t done = send(flow->fd, data, size, MSG_NOSIGNAL);

	*sent = done > 0 ? (size_t)done : 0;
	return done >= 0;
}

static bool
send_head(struct flow *flow)
{
	uint8_t head[REQUEST_SIZE];
	size_t sent;

	if (flow->request.kind == REQUEST_ECHO || flow->head_sent == sizeof(head))
		return true;
	request_encode(&flow->request, head);
	bool good = send_some(flow, head + flow->head_sent, sizeof(head) - flow->head_sent, &sent);
	flow->head_sent += sent;
	return good;
}

static bool
send_pattern(struct flow *flow)
{
	for (int i = 0; i < SENDS_A_TURN && flow->sent < flow->send_limit; i++) {
		uint64_t left = flow->send_limit - flow->sent;
		size_t size = left < PATTERN_CHUNK ? (size_t)left : PATTERN_CHUNK;
		size_t sent;
		if (!send_some(flow, pattern_at(flow->request.start, flow->sent), size, &sent))
			return false;
		flow->sent += sent;
	}
	return true;
}

static bool
head_is_sent(const struct flow *flow)
{
	return flow->request.kind == REQUEST_ECHO || flow->head_sent == REQUEST_SIZE;
}

/* How much may have come back by now. */
static uint64_t
due(const struct flow *flow)
{
	switch (flow->request.kind) {
	case REQUEST_SINK:
		return VERDICT_SIZE;
	case REQUEST_SOURCE:
		return flow->request.bytes;
	case REQUEST_ECHO:
		break;
	}
	return flow->sent;
}

static bool
is_complete(const struct flow *flow)
{
	if (flow->request.kind == REQUEST_SOURCE && flow->request.bytes == UINT64_MAX)
		return flow->finished && flow->received % REQUEST_UNIT == 0;
	return flow->received == due(flow) &&
		(flow->finished || flow->request.kind == REQUEST_SOURCE);
}

/* The other end has ended: has everything come, and right? */
static enum flow_state
judge(struct flow *flow, struct result *result)
{
	struct verdict verdict = {0};

	if (!is_complete(flow)) {
		result->wrong_bytes += flow->wrong;
		result_fail(result, RESULT_SHORT,
			"connection %zu: ended early, after %" PRIu64 " bytes sent, %" PRIu64
			" received",
			flow->index, flow->sent, flow->received);
		return FLOW_FAILED;
	}
	if (flow->request.kind == REQUEST_SINK) {
		verdict_decode(&verdict, flow->verdict);
		flow->wrong = verdict.wrong;
		flow->received = verdict.received;
	}
	result->wrong_bytes += flow->wrong;
	result->bytes += flow->received;
	if (flow->wrong || (flow->request.kind == REQUEST_SINK && verdict.received != flow->sent)) {
		result_fail(result, RESULT_WRONG,
			"connection %zu: %" PRIu64 " of %" PRIu64 " bytes are wrong (%" PRIu64
			" sent)",
			flow->index, flow->wrong, flow->received, flow->sent);
		return FLOW_FAILED;
	}
	return FLOW_ENDED;
}

static void
take(struct flow *flow, const uint8_t *data, size_t size)
{
	if (flow->request.kind == REQUEST_SINK) {
		memcpy(flow->verdict + flow->received, data, size);
	} else {
		flow->wrong += pattern_check(flow->request.start, flow->received, data, size);
	}
	flow->received += size;
}

struct flow *
flow_new(const struct endpoint *endpoint, const struct request *request)
{
	struct flow *flow = calloc(1, sizeof(*flow));

	if (!flow)
		return NULL;
	flow->fd = net_connect(endpoint);
	if (flow->fd < 0) {
		free(flow);
		return NULL;
	}
	list_init(&flow->link);
	flow->connecting = true;
	flow->request = *request;
	return flow;
}

void
flow_free(struct flow *flow)
{
	if (!flow)
		return;
	list_remove(&flow->link);
	(void)close(flow->fd);
	free(flow);
}

enum flow_state
flow_send(struct flow *flow, struct result *result)
{
	if (flow->connecting && finish_connecting(flow, result) == FLOW_FAILED)
		return FLOW_FAILED;
	if (!send_head(flow) || (head_is_sent(flow) && !send_pattern(flow)))
		return is_busy() ? FLOW_GOING : broken(flow, result, "send");
	if (!flow->finish || flow->finished || !head_is_sent(flow) || flow->sent < flow->send_limit)
		return FLOW_GOING;
	flow->finished = true;
	return shutdown(flow->fd, SHUT_WR) < 0 ? broken(flow, result, "shutdown") : FLOW_GOING;
}

enum flow_state
flow_receive(struct flow *flow, uint8_t *buffer, struct result *result)
{
	ssize_t got = recv(flow->fd, buffer, FLOW_BUFFER_SIZE, 0);

	if (got < 0)
		return is_busy() ? FLOW_GOING : broken(flow, result, "receive");
	if (got == 0)
		return judge(flow, result);
	if ((uint64_t)got > due(flow) - flow->received) {
		result_fail(result, RESULT_EXTRA,
			"connection %zu: more came back (%" PRIu64
			" and %zd) than was due (%" PRIu64 ")",
			flow->index, flow->received, got, due(flow));
		return FLOW_FAILED;
	}
	take(flow, buffer, (size_t)got);
	return FLOW_GOING;
}

uint32_t
flow_events(const struct flow *flow)
{
	bool sending = flow->connecting || !head_is_sent(flow) || flow->sent < flow->send_limit ||
		(flow->finish && !flow->finished);

	return (uint32_t)EPOLLIN | (sending ? (uint32_t)EPOLLOUT : 0U);
}
