/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/name_server.h"

enum { HEADER = 12, TYPE_A = 1, TYPE_AAAA = 28 };

/* Where the question ends. */
static size_t
question_end(const uint8_t *packet, size_t size)
{
	size_t at = HEADER;

	while (at < size && packet[at] != 0)
		at += 1u + packet[at];
	assert_true(at + 5 <= size);
	return at + 5;
}

static size_t
add_record(
	struct name_server *server, uint8_t *at, uint8_t type, const uint8_t *data, uint8_t length)
{
	const uint8_t head[] = {0xc0, HEADER, 0, type, 0, 1};
	const uint32_t ttl = htonl(server->ttl);
	static const uint8_t none[16];

	if (memcmp(data, none, length) == 0)
		return 0;
	memcpy(at, head, sizeof(head));
	memcpy(at + 6, &ttl, 4);
	at[10] = 0;
	at[11] = length;
	memcpy(at + 12, data, length);
	return 12u + length;
}

/* Turn the question in @packet into its answer. Returns its size. */
static size_t
reply(struct name_server *server, uint8_t *packet, size_t size)
{
	size_t end = question_end(packet, size), added = 0;
	uint8_t type = packet[end - 3];

	if (server->mood == SERVER_ANSWERS && type == TYPE_A)
		added = add_record(server, packet + end, TYPE_A, server->v4, 4);
	if (server->mood == SERVER_ANSWERS && type == TYPE_AAAA)
		added = add_record(server, packet + end, TYPE_AAAA, server->v6, 16);
	packet[2] = 0x81;
	packet[3] = 0x80;
	if (server->mood == SERVER_FAILS)
		packet[3] |= 2;
	if (server->mood == SERVER_DENIES)
		packet[3] |= 3;
	memset(packet + 6, 0, 6);
	packet[7] = added > 0;
	return end + added;
}

static void
on_question(struct ev_loop *ev, struct ev_io *io, int events)
{
	struct name_server *server = io->data;
	uint8_t packet[512 + 64];
	struct sockaddr_in from;
	socklen_t length = sizeof(from);

	(void)ev;
	(void)events;
	ssize_t size = recvfrom(io->fd, packet, 512, 0, (struct sockaddr *)&from, &length);
	if (size < HEADER)
		return;
	server->asked++;
	if (server->mood == SERVER_SILENT)
		return;
	size_t total = reply(server, packet, (size_t)size);
	(void)sendto(io->fd, packet, total, 0, (struct sockaddr *)&from, length);
}

void
name_server_start(struct name_server *server, struct ev_loop *ev, const char *host, uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*server = (struct name_server){
		.ev = ev, .v4 = {192, 0, 2, 1}, .v6 = {0x20, 1, 0xd, 0xb8, [15] = 1}, .ttl = 60};
	assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	ev_io_init(&server->io, on_question, fd, EV_READ);
	server->io.data = server;
	ev_io_start(ev, &server->io);
}

void
name_server_stop(struct name_server *server)
{
	ev_io_stop(server->ev, &server->io);
	(void)close(server->io.fd);
}
