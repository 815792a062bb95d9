/* SPDX-License-Identifier: MIT */
#include "tunnel/transport.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/diag.h"
#include "common/socket.h"
#include "tunnel/linger.h"
#include "tunnel/plain.h"

enum { STALL_BATCH = 256 };

static const double stall_period = 1.0;

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

/*
 * Ask up to STALL_BATCH sockets of @pending. POLLERR is a reset; POLLHUP alone is only that both ways have ended.
 * Those asked go back to the loop's list first, since a waker may free any of them.
 */
static void
ask_some(struct loop *loop, struct list *pending)
{
	struct pollfd asked[STALL_BATCH];
	struct transport *transports[STALL_BATCH];
	nfds_t count = 0;

	while (count < STALL_BATCH && !list_is_empty(pending)) {
		struct transport *transport =
			container_of(pending->next, struct transport, stalled);

		transports[count] = transport;
		asked[count++] = (struct pollfd){.fd = transport->fd};
		list_remove(&transport->stalled);
		list_append(&loop->stalled, &transport->stalled);
	}
	if (poll(asked, count, 0) <= 0)
		return;

	struct list reset;
	list_init(&reset);
	for (nfds_t i = 0; i < count; i++) {
		if (!(asked[i].revents & POLLERR))
			continue;
		list_remove(&transports[i]->stalled);
		list_append(&reset, &transports[i]->stalled);
	}
	while (!list_is_empty(&reset)) {
		struct transport *transport = container_of(reset.next, struct transport, stalled);

		list_remove(&transport->stalled);
		transport->stream.reset = true;
		wake(transport);
	}
}

static void
on_stall_timer(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	struct loop *loop = container_of(timer, struct loop, stall_timer);
	struct list pending;

	(void)events;
	list_init(&pending);
	list_move(&pending, &loop->stalled);
	while (!list_is_empty(&pending))
		ask_some(loop, &pending);
	if (list_is_empty(&loop->stalled))
		ev_timer_stop(ev, timer);
}

/* Have @transport asked until it is taken off the list. */
static void
stall(struct transport *transport)
{
	struct loop *loop = transport->loop;

	if (!list_is_empty(&transport->stalled))
		return;
	list_append(&loop->stalled, &transport->stalled);
	if (ev_is_active(&loop->stall_timer))
		return;
	ev_timer_init(&loop->stall_timer, on_stall_timer, stall_period, stall_period);
	ev_timer_start(loop->ev, &loop->stall_timer);
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
	list_init(&transport->stalled);
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
		list_remove(&transport->stalled);
	else
		stall(transport);
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
	list_remove(&transport->stalled);
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
