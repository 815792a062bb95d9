/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/tls_pair.h"

#include <ev.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tunnel/linger.h"
#include "tunnel/loop.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

static struct transport *
connect_end(struct loop *loop, int *wire)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	*wire = fds[1];
	struct transport *transport = transport_new(loop, fds[0]);
	assert_non_null(transport);
	return transport;
}

void
tls_pair_start(struct tls_pair *pair, struct loop *loop, struct credentials *client,
	struct credentials *server, const char *name)
{
	const struct tls_beginning client_beginning = {.name = name, .target = "192.0.2.1:1"};
	const struct tls_beginning server_beginning = {0};

	*pair = (struct tls_pair){.loop = loop};
	pair->client = connect_end(loop, &pair->wire[0]);
	pair->server = connect_end(loop, &pair->wire[1]);
	assert_int_equal(tls_start(pair->client, client, &client_beginning, &pair->client_diag), 0);
	assert_int_equal(tls_start(pair->server, server, &server_beginning, &pair->server_diag), 0);
}

static void
stir(struct transport *transport, bool gone)
{
	if (!gone)
		transport->stream.readable = transport->stream.writable = true;
}

size_t
tls_pair_move(struct tls_pair *pair, size_t limit)
{
	size_t moved = 0;

	for (int from = 0; from < 2; from++) {
		char bytes[65536];
		ssize_t got = recv(
			pair->wire[from], bytes, limit < sizeof(bytes) ? limit : sizeof(bytes), 0);

		if (got <= 0)
			continue;
		assert_int_equal(send(pair->wire[!from], bytes, (size_t)got, MSG_NOSIGNAL), got);
		moved += (size_t)got;
	}
	stir(pair->client, pair->client_gone);
	stir(pair->server, pair->server_gone);
	return moved;
}

static bool
goes_on(enum io answer)
{
	return answer == IO_WANT_READ || answer == IO_WAIT;
}

void
tls_pair_handshake(struct tls_pair *pair, size_t piece, enum io *client, enum io *server)
{
	*client = *server = IO_WANT_READ;
	for (int round = 0; round < 20000; round++) {
		/* A ticket comes behind, which nobody reads here, and small pieces fill the wire. */
		bool over = !goes_on(*client) && !goes_on(*server);

		if (goes_on(*client))
			*client = tls_handshake(pair->client, &pair->client_diag);
		if (goes_on(*server))
			*server = tls_handshake(pair->server, &pair->server_diag);
		if (*client == IO_WAIT || *server == IO_WAIT)
			(void)ev_run(pair->loop->ev, EVRUN_ONCE);
		else if (tls_pair_move(pair, over ? SIZE_MAX : piece) == 0 && over)
			return;
	}
}

static struct diag *
diag_of(struct tls_pair *pair, const struct transport *end)
{
	return end == pair->client ? &pair->client_diag : &pair->server_diag;
}

static enum io
read_all(struct tls_pair *pair, struct transport *end, char *string)
{
	struct loop *loop = pair->loop;
	size_t got = 0;
	enum io answer =
		stream_read(&end->stream, loop->plaintext, LOOP_SCRATCH, &got, diag_of(pair, end));

	memcpy(string, loop->plaintext, got);
	string[got] = '\0';
	return answer;
}

enum io
tls_pair_client_reads(struct tls_pair *pair, char *string)
{
	return read_all(pair, pair->client, string);
}

enum io
tls_pair_server_reads(struct tls_pair *pair, char *string)
{
	return read_all(pair, pair->server, string);
}

static void
carry(struct tls_pair *pair, struct transport *from, struct transport *to, const char *words)
{
	enum io answer = stream_write(&from->stream, words, strlen(words), diag_of(pair, from));
	char text[100];

	assert_int_equal(answer, IO_DONE);
	(void)tls_pair_move(pair, SIZE_MAX);
	assert_int_equal(read_all(pair, to, text), IO_DONE);
	assert_string_equal(text, words);
}

void
tls_pair_client_says(struct tls_pair *pair, const char *words)
{
	carry(pair, pair->client, pair->server, words);
}

void
tls_pair_server_says(struct tls_pair *pair, const char *words)
{
	carry(pair, pair->server, pair->client, words);
}

void
tls_pair_end(struct tls_pair *pair)
{
	if (!pair->client_gone)
		stream_close(&pair->client->stream);
	if (!pair->server_gone)
		stream_close(&pair->server->stream);
	(void)close(pair->wire[0]);
	(void)close(pair->wire[1]);
	linger_end_all(pair->loop);
}
