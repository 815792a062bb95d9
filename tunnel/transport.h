/* SPDX-License-Identifier: MIT */
/*
 * transport.h - a connected socket with its watcher, and the stream on it: plain or TLS.
 *
 * plain.c and tls.c implement the stream's operations, and this file what both share: watching,
 * bytes that wait to be sent, and the ends: close, reset, and for TLS the linger after an alert. A socket
 * that nobody reads is asked once a second whether it was reset, since a stopped watcher would not tell.
 *
 * A transport has one owner. stream_close() and stream_abort() end the ownership.
 */
#ifndef TUNNEL_TRANSPORT_H
#define TUNNEL_TRANSPORT_H

#include <ev.h>
#include <stdbool.h>

#include "common/buffer.h"
#include "common/defs.h"
#include "tunnel/loop.h"
#include "tunnel/stream.h"

struct diag;
struct tls;

struct transport {
	struct stream stream; /* its owner sets the waker */
	struct loop *loop;
	struct tls *tls; /* NULL: plain */
	struct ev_io io;
	struct list stalled; /* on the loop's list while nobody reads it */
	struct buffer out;   /* waits to be sent */
	int fd;
	bool finish_wanted; /* after that, our way ends */
	bool finished;	    /* our way has ended */
};

/*
 * Make a plain transport, which is thought to be readable, of @fd: UNIX, or TCP and prepared (socket.h).
 * Takes over @fd, on success only. NULL without memory.
 */
MUST_USE struct transport *transport_new(struct loop *loop, int fd);

/*
 * Send what waits in @out, as far as the socket takes it. IO_DONE, IO_WANT_WRITE or IO_ERROR.
 */
MUST_USE enum io transport_push(struct transport *transport, struct diag *diag);

/*
 * Send @size bytes of @bytes after what waits; what the socket does not take, waits. As above.
 */
MUST_USE enum io transport_send(
	struct transport *transport, const void *bytes, size_t size, struct diag *diag);

/*
 * Receive into @buffer. IO_DONE with @got, IO_WANT_READ, IO_END for a FIN, IO_ERROR. Marks the stream
 * unreadable when the socket had less than @size.
 */
MUST_USE enum io transport_receive(
	struct transport *transport, void *buffer, size_t size, size_t *got, struct diag *diag);

/* Stop watching, close the socket, free everything. Takes over @transport. */
void transport_free(struct transport *transport);

/* The same with a RST instead of a FIN where the socket is TCP. */
void transport_reset(struct transport *transport);

/* Free everything but the socket, which lingers (linger.h). Takes over @transport. */
void transport_linger(struct transport *transport);

/* The operation watch() of both streams. */
void transport_watch(struct stream *stream, bool read, bool write);

#endif
