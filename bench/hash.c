/* SPDX-License-Identifier: MIT */
#include "bench/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/net.h"
#include "bench/options.h"
#include "bench/result.h"
#include "common/address.h"
#include "common/diag.h"

enum { CHUNK = 256 << 10, SUM_SIZE = 32 };

/* One way of the bytes: how many, and their sum. */
struct way {
	gnutls_hash_hd_t hash;
	uint64_t bytes;
};

struct exchange {
	int fd, source;
	uint64_t left;	 /* of the source, to read */
	bool finished;	 /* our FIN is sent */
	bool ended;	 /* theirs has come */
	size_t at, size; /* what is read and not sent */
	struct way out, back;
	uint8_t chunk[CHUNK];
	uint8_t buffer[CHUNK];
};

static bool
is_busy(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void
count(struct way *way, const uint8_t *data, size_t size)
{
	(void)gnutls_hash(way->hash, data, size);
	way->bytes += size;
}

/* Read the next chunk to send; the end of a file is the end of what is sent. */
static int
refill(struct exchange *exchange)
{
	size_t size = exchange->left < CHUNK ? (size_t)exchange->left : CHUNK;

	if (exchange->at < exchange->size || exchange->left == 0)
		return 0;
	ssize_t got = read(exchange->source, exchange->chunk, size);
	if (got < 0)
		return -1;
	exchange->left = got == 0 ? 0 : exchange->left - (uint64_t)got;
	exchange->at = 0;
	exchange->size = (size_t)got;
	count(&exchange->out, exchange->chunk, (size_t)got);
	return 0;
}

static int
send_chunk(struct exchange *exchange)
{
	if (refill(exchange) < 0)
		return -1;
	if (exchange->at < exchange->size) {
		ssize_t sent = send(exchange->fd, exchange->chunk + exchange->at,
			exchange->size - exchange->at, MSG_NOSIGNAL);
		if (sent < 0)
			return is_busy() ? 0 : -1;
		exchange->at += (size_t)sent;
	}
	if (exchange->at < exchange->size || exchange->left > 0)
		return 0;
	exchange->finished = true;
	return shutdown(exchange->fd, SHUT_WR);
}

static int
receive_chunk(struct exchange *exchange)
{
	ssize_t got = recv(exchange->fd, exchange->buffer, CHUNK, 0);

	if (got < 0)
		return is_busy() ? 0 : -1;
	exchange->ended = got == 0;
	count(&exchange->back, exchange->buffer, (size_t)got);
	return 0;
}

/* Returns 0 when both have ended, or -1 after counting what went wrong. */
static int
carry(struct exchange *exchange, const struct options *options, struct result *result)
{
	while (!exchange->ended) {
		struct pollfd wait = {exchange->fd, POLLIN, 0};
		wait.events |= exchange->finished ? 0 : POLLOUT;
		if (poll(&wait, 1, (int)(options->timeout * 1000)) == 0) {
			result_fail(result, RESULT_TIMEOUT, "nothing happened for %.1f s",
				options->timeout);
			return -1;
		}
		bool sending = !exchange->finished && (wait.revents & ~POLLIN);
		if ((sending && send_chunk(exchange) < 0) ||
			((wait.revents & ~POLLOUT) && receive_chunk(exchange) < 0)) {
			result_fail(result, RESULT_BROKEN,
				"after %" PRIu64 " bytes read to send, %" PRIu64 " received: %s",
				exchange->out.bytes, exchange->back.bytes, strerror(errno));
			return -1;
		}
	}
	return 0;
}

static void
print_sum(const struct way *way, uint8_t sum[static SUM_SIZE], const char *name, bool json)
{
	gnutls_hash_output(way->hash, sum);
	(void)printf(json ? "{\"%s_bytes\":%" PRIu64 ",\"sha256\":\""
			  : "%-8s %12" PRIu64 " bytes  SHA-256 ",
		name, way->bytes);
	for (size_t i = 0; i < SUM_SIZE; i++)
		(void)printf("%02x", sum[i]);
	(void)printf(json ? "\"}\n" : "\n");
}

static void
judge(struct exchange *exchange, const struct options *options, struct result *result)
{
	uint8_t out[SUM_SIZE], back[SUM_SIZE];

	print_sum(&exchange->out, out, "sent", options->json);
	print_sum(&exchange->back, back, "received", options->json);
	result->bytes = exchange->back.bytes;
	if (result_errors(result))
		return;
	if (exchange->out.bytes != exchange->back.bytes) {
		result_fail(result,
			exchange->out.bytes > exchange->back.bytes ? RESULT_SHORT : RESULT_EXTRA,
			"%" PRIu64 " bytes sent, %" PRIu64 " received", exchange->out.bytes,
			exchange->back.bytes);
	} else if (memcmp(out, back, SUM_SIZE) != 0) {
		result_fail(result, RESULT_WRONG, "what came back differs from what was sent");
	} else {
		result->done = 1;
	}
}

static uint64_t
clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Wait until connecting is over. Returns 0, or -1 with errno. */
static int
wait_connected(int fd, double timeout)
{
	struct pollfd wait = {fd, POLLOUT, 0};
	int error = ETIMEDOUT;
	socklen_t size = sizeof(error);

	if (poll(&wait, 1, (int)(timeout * 1000)) > 0 &&
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	errno = error;
	return error ? -1 : 0;
}

static int
open_both(struct exchange *exchange, const struct options *options, struct result *result,
	struct diag *diag)
{
	const char *path = options->file ? options->file : "/dev/urandom";
	struct endpoint target;

	if (net_resolve(&target, options->target, diag) < 0)
		return -1;
	exchange->left = options->file ? UINT64_MAX : options->bytes;
	exchange->source = open(path, O_RDONLY | O_CLOEXEC);
	if (exchange->source < 0)
		return diag_set(diag, "%s: %s", path, strerror(errno));
	if (gnutls_hash_init(&exchange->out.hash, GNUTLS_DIG_SHA256) < 0 ||
		gnutls_hash_init(&exchange->back.hash, GNUTLS_DIG_SHA256) < 0)
		return diag_set(diag, "SHA-256 is not available");
	exchange->fd = net_connect(&target);
	if (exchange->fd < 0 || wait_connected(exchange->fd, options->timeout) < 0)
		result_fail(result, RESULT_CONNECT, "connect: %s", strerror(errno));
	return 0;
}

int
hash_run(const struct options *options, struct result *result, struct diag *diag)
{
	static struct exchange exchange = {.fd = -1, .source = -1};

	int answer = open_both(&exchange, options, result, diag);
	uint64_t began = clock_now();
	if (answer == 0 && result_errors(result) == 0) {
		(void)carry(&exchange, options, result);
		result->nanoseconds = clock_now() - began;
		judge(&exchange, options, result);
	}
	if (exchange.out.hash)
		gnutls_hash_deinit(exchange.out.hash, NULL);
	if (exchange.back.hash)
		gnutls_hash_deinit(exchange.back.hash, NULL);
	(void)close(exchange.fd);
	(void)close(exchange.source);
	return answer;
}
