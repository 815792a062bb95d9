/* SPDX-License-Identifier: MIT */
#include "tunnel/transport.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/diag.h"
#include "common/socket.h"
#include "tunnel/linger.h"
#include "tunnel/plain.h"

static void
wake(struct transport *transport)
{
	if (transport->stream.waker)
		transport->stream.waker->wake(transport->stream.waker);
}

static void
on_ready(struct ev_loop *ev, struct ev_io *io, int events)
{
	struct transport *transport = container_of(io, struct transport, io);

	(void)ev;
	if (events & EV_READ)
		transport->stream.readable = true;
	if (events & EV_WRITE)
		transport->stream.writable = true;
	wake(transport);
}

static void
on_reset(struct stall *stall)
{
	struct transport *transport = container_of(stall, struct transport, stall);

	transport->stream.reset = true;
	wake(transport);
}

struct transport *
transport_new(struct loop *loop, int fd)
{
	struct transport *transport = calloc(1, sizeof(*transport));

	if (!transport)
		return NULL;
	transport->stream = (struct stream){.ops = &plain_ops, .readable = true, .writable = true};
	transport->loop = loop;
	transport->fd = fd;
	ev_io_init(&transport->io, on_ready, fd, EV_NONE);
	stall_init(&transport->stall, fd, on_reset);
	return transport;
}

/* Offer @bytes to the socket. Returns what it took, or -1 with words. */
static ssize_t
offer(struct transport *transport, const void *bytes, size_t size, struct diag *diag)
{
	ssize_t sent = send(transport->fd, bytes, size, MSG_NOSIGNAL);

	if (sent >= 0) {
		transport->stream.moved |= sent > 0;
		return sent;
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return diag_set(diag, "send: %s", strerror(errno));
}

/* End our way once everything is out. */
static enum io
settle(struct transport *transport, struct diag *diag)
{
	if (buffer_length(&transport->out) > 0) {
		transport->stream.writable = false;
		return IO_WANT_WRITE;
	}
	if (!transport->finish_wanted || transport->finished)
		return IO_DONE;
	transport->finished = true;
	if (shutdown(transport->fd, SHUT_WR)) {
		diag_set(diag, "shutdown: %s", strerror(errno));
		return IO_ERROR;
	}
	return IO_DONE;
}

enum io
transport_push(struct transport *transport, struct diag *diag)
{
	size_t length = buffer_length(&transport->out);

	if (length > 0) {
		ssize_t sent = offer(transport, buffer_bytes(&transport->out), length, diag);
		if (sent < 0)
			return IO_ERROR;
		buffer_drop(&transport->out, &transport->loop->pool, (size_t)sent);
	}
	return settle(transport, diag);
}

enum io
transport_send(struct transport *transport, const void *bytes, size_t size, struct diag *diag)
{
	const char *rest = bytes;
	ssize_t sent = 0;

	if (buffer_length(&transport->out) == 0)
		sent = offer(transport, bytes, size, diag);
	if (sent < 0)
		return IO_ERROR;
	if (buffer_add(&transport->out, &transport->loop->pool, rest + sent, size - (size_t)sent)) {
		diag_set(diag, "send: out of memory");
		return IO_ERROR;
	}
	return settle(transport, diag);
}

enum io
transport_receive(
	struct transport *transport, void *buffer, size_t size, size_t *got, struct diag *diag)
{
	ssize_t received = recv(transport->fd, buffer, size, 0);

	if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
		transport->stream.readable = false;
		return IO_WANT_READ;
	}
	if (received < 0) {
		diag_set(diag, "receive: %s", strerror(errno));
		return IO_ERROR;
	}
	*got = (size_t)received;
	transport->stream.moved |= received > 0;
	transport->stream.readable = *got == size;
	return *got == 0 ? IO_END : IO_DONE;
}

void
transport_watch(struct stream *stream, bool read, bool write)
{
	struct transport *transport = container_of(stream, struct transport, stream);
	int events = (read ? EV_READ : 0) | (write ? EV_WRITE : 0);

	if (events)
		loop_unstall(&transport->stall);
	else
		loop_stall(transport->loop, &transport->stall);
	if ((transport->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(transport->loop->ev, &transport->io);
	ev_io_modify(&transport->io, events);
	if (events)
		ev_io_start(transport->loop->ev, &transport->io);
}

/* Everything but the descriptor. */
static int
dismantle(struct transport *transport)
{
	int fd = transport->fd;

	assert(!transport->tls);
	ev_io_stop(transport->loop->ev, &transport->io);
	loop_unstall(&transport->stall);
	buffer_release(&transport->out, &transport->loop->pool);
	free(transport);
	return fd;
}

void
transport_free(struct transport *transport)
{
	socket_close(dismantle(transport));
}

void
transport_reset(struct transport *transport)
{
	socket_reset(dismantle(transport));
}

void
transport_linger(struct transport *transport)
{
	struct loop *loop = transport->loop;

	linger_start(loop, dismantle(transport));
}
