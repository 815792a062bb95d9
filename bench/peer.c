/* SPDX-License-Identifier: MIT */
#include "bench/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/pattern.h"

static bool
is_busy(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Send what fits. Returns how much that was, or -1 when the connection is broken. */
static ssize_t
send_some(const struct peer *peer, const uint8_t *data, size_t size)
{
	ssize_t sent = send(peer->fd, data, size, MSG_NOSIGNAL);

	if (sent < 0 && is_busy())
		return 0;
	return sent;
}

/* Send @data now, and keep what does not fit. */
static bool
answer(struct peer *peer, const uint8_t *data, size_t size)
{
	ssize_t sent = send_some(peer, data, size);

	if (sent < 0)
		return false;
	if ((size_t)sent == size)
		return true;
	peer->pending_at = 0;
	peer->pending_size = size - (size_t)sent;
	peer->pending = malloc(peer->pending_size);
	if (!peer->pending)
		return false;
	memcpy(peer->pending, data + sent, peer->pending_size);
	return true;
}

static bool
flush_pending(struct peer *peer)
{
	if (!peer->pending)
		return true;
	ssize_t sent = send_some(
		peer, peer->pending + peer->pending_at, peer->pending_size - peer->pending_at);
	if (sent < 0)
		return false;
	peer->pending_at += (size_t)sent;
	if (peer->pending_at == peer->pending_size) {
		free(peer->pending);
		peer->pending = NULL;
	}
	return true;
}

/* What came before the choice was made is what an echo has to answer first. */
static bool
decide(struct peer *peer)
{
	enum request_match match = request_decode(&peer->request, peer->head, peer->head_size);

	if (match == REQUEST_INCOMPLETE && !peer->ended)
		return true;
	peer->decided = true;
	if (match == REQUEST_COMPLETE)
		return true;
	peer->request.kind = REQUEST_ECHO;
	return answer(peer, peer->head, peer->head_size);
}

static bool
take(struct peer *peer, const uint8_t *data, size_t size)
{
	if (!peer->decided) {
		memcpy(peer->head + peer->head_size, data, size);
		peer->head_size += size;
		return decide(peer);
	}
	if (peer->request.kind == REQUEST_ECHO)
		return answer(peer, data, size);
	if (peer->request.kind == REQUEST_SOURCE)
		return true;
	peer->wrong += pattern_check(peer->request.start, peer->position, data, size);
	peer->position += size;
	return true;
}

/* An unlimited source ends at the next whole unit, so that the client can see a cut. */
static void
end_source(struct peer *peer)
{
	uint64_t units = peer->position / REQUEST_UNIT + 1;

	if (peer->request.bytes == UINT64_MAX)
		peer->request.bytes = units * REQUEST_UNIT;
}

static bool
receive(struct peer *peer, uint8_t *buffer)
{
	size_t room = peer->decided ? PEER_BUFFER_SIZE : REQUEST_SIZE - peer->head_size;
	ssize_t got = recv(peer->fd, buffer, room, 0);

	if (got < 0)
		return is_busy();
	if (got > 0)
		return take(peer, buffer, (size_t)got);
	peer->ended = true;
	if (!peer->decided && !decide(peer))
		return false;
	if (peer->request.kind == REQUEST_SOURCE)
		end_source(peer);
	return true;
}

static bool
has_to_send(const struct peer *peer)
{
	return peer->decided && peer->request.kind == REQUEST_SOURCE &&
		peer->position < peer->request.bytes;
}

static bool
send_pattern(struct peer *peer)
{
	uint64_t left = peer->request.bytes - peer->position;
	size_t size = left < PATTERN_CHUNK ? (size_t)left : PATTERN_CHUNK;
	ssize_t sent = send_some(peer, pattern_at(peer->request.start, peer->position), size);

	if (sent < 0)
		return false;
	peer->position += (uint64_t)sent;
	return true;
}

/* After everything is sent: a sink's verdict, then the FIN. */
static bool
finish(struct peer *peer)
{
	const struct verdict verdict = {.received = peer->position, .wrong = peer->wrong};
	uint8_t bytes[VERDICT_SIZE];
	bool asked = peer->decided && peer->request.kind == REQUEST_SOURCE;

	if (peer->pending || peer->finished || has_to_send(peer) || !(peer->ended || asked))
		return true;
	if (peer->request.kind == REQUEST_SINK && !peer->answered) {
		peer->answered = true;
		verdict_encode(&verdict, bytes);
		if (!answer(peer, bytes, sizeof(bytes)) || peer->pending)
			return peer->pending != NULL;
	}
	peer->finished = true;
	return shutdown(peer->fd, SHUT_WR) == 0;
}

struct peer *
peer_new(int fd)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer) {
		(void)close(fd);
		return NULL;
	}
	list_init(&peer->link);
	peer->fd = fd;
	return peer;
}

void
peer_free(struct peer *peer)
{
	if (!peer)
		return;
	list_remove(&peer->link);
	(void)close(peer->fd);
	free(peer->pending);
	free(peer);
}

bool
peer_step(struct peer *peer, uint8_t *buffer)
{
	if (!flush_pending(peer))
		return false;
	if (!peer->pending && !peer->ended && !receive(peer, buffer))
		return false;
	if (!peer->pending && has_to_send(peer) && !send_pattern(peer))
		return false;
	return finish(peer) && !(peer->ended && peer->finished);
}

uint32_t
peer_events(const struct peer *peer)
{
	uint32_t reading = peer->pending || peer->ended ? 0U : (uint32_t)EPOLLIN;
	uint32_t writing = peer->pending || has_to_send(peer) ? (uint32_t)EPOLLOUT : 0U;

	return reading | writing;
}
