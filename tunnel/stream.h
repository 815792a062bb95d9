/* SPDX-License-Identifier: MIT */
/*
 * stream.h - one end of a conversation: bytes both ways, each way ended on its own, or broken off.
 *
 * A relay sees streams only. What is under one (a socket, a TLS session, later a stream of HTTP/2)
 * answers through the operations. The rules:
 *
 *  - read() fills what it can now. After a read that took all there was, @readable is false, and stays
 *    so until the waker is called.
 *  - write() takes everything, always. IO_WANT_WRITE says that some of it is held by the stream; then
 *    the only thing to do is to write nothing (size 0), which pushes what is held, until IO_DONE.
 *  - finish() ends our way after what is held. It may answer IO_WANT_WRITE just like write().
 *  - After IO_ERROR the stream is good for abort() only.
 *  - close() is for a stream whose both ways have ended, abort() for every other: the peer will see
 *    that the conversation was cut. Both take the stream over; it must not be touched afterwards.
 */
#ifndef TUNNEL_STREAM_H
#define TUNNEL_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

struct diag;

enum { STREAM_SLACK = 1 }; /* bytes that a read may overwrite behind the room that it is given */

enum io {
	IO_DONE,
	IO_WANT_READ,  /* wait until the stream is readable */
	IO_WANT_WRITE, /* wait until the stream takes what it holds */
	IO_WAIT,       /* wait for the waker alone; never from the operations of a stream */
	IO_END,	       /* the peer has ended its way, cleanly; final */
	IO_ERROR,      /* broken, with words; final */
};

/* Whoever waits for a stream is called through this; it may destroy the stream. */
struct waker {
	void (*wake)(struct waker *waker);
};

struct stream {
	const struct stream_ops *ops;
	struct waker *waker;
	bool readable; /* a read may give something */
	bool writable; /* what is held may be pushed */
	bool moved;    /* bytes went in or out; cleared by the owner */
	bool reset;    /* the peer has reset it, seen while nobody read */
};

struct stream_ops {
	enum io (*read)(
		struct stream *stream, void *buffer, size_t size, size_t *got, struct diag *diag);
	enum io (*write)(struct stream *stream, const void *bytes, size_t size, struct diag *diag);
	enum io (*finish)(struct stream *stream, struct diag *diag);
	void (*watch)(struct stream *stream, bool read, bool write);
	void (*close)(struct stream *stream);
	void (*abort)(struct stream *stream);
};

/*
 * Read up to @size bytes, at least 16 KiB, into @buffer, which has STREAM_SLACK bytes more. IO_DONE
 * with 1 or more in @got, IO_WANT_READ, IO_END or IO_ERROR.
 */
MUST_USE static inline enum io
stream_read(struct stream *stream, void *buffer, size_t size, size_t *got, struct diag *diag)
{
	return stream->ops->read(stream, buffer, size, got, diag);
}

/* Write all @size bytes of @bytes; 0 pushes what is held. IO_DONE, IO_WANT_WRITE or IO_ERROR. */
MUST_USE static inline enum io
stream_write(struct stream *stream, const void *bytes, size_t size, struct diag *diag)
{
	return stream->ops->write(stream, bytes, size, diag);
}

/* End our way: FIN, close_notify. IO_DONE, IO_WANT_WRITE or IO_ERROR. */
MUST_USE static inline enum io
stream_finish(struct stream *stream, struct diag *diag)
{
	return stream->ops->finish(stream, diag);
}

/*
 * Call the waker when the stream can be read (if @read) or pushed (if @write). Neither: a stream that
 * is not read is still asked now and then whether its peer has reset it, and the waker called then.
 */
static inline void
stream_watch(struct stream *stream, bool read, bool write)
{
	stream->ops->watch(stream, read, write);
}

/* Release a stream whose both ways have ended. Takes over @stream. */
static inline void
stream_close(struct stream *stream)
{
	stream->ops->close(stream);
}

/* Cut the conversation so that the peer notices: RST, or a fatal alert and FIN. Takes over @stream. */
static inline void
stream_abort(struct stream *stream)
{
	stream->ops->abort(stream);
}

#endif
