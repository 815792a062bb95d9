/* SPDX-License-Identifier: MIT */
#include "tunnel/plain.h"

#include "common/diag.h"
#include "tunnel/transport.h"

static struct transport *
transport_of(struct stream *stream)
{
	return container_of(stream, struct transport, stream);
}

static enum io
plain_read(struct stream *stream, void *buffer, size_t size, size_t *got, struct diag *diag)
{
	return transport_receive(transport_of(stream), buffer, size, got, diag);
}

static enum io
plain_write(struct stream *stream, const void *bytes, size_t size, struct diag *diag)
{
	if (size == 0)
		return transport_push(transport_of(stream), diag);
	return transport_send(transport_of(stream), bytes, size, diag);
}

static enum io
plain_finish(struct stream *stream, struct diag *diag)
{
	struct transport *transport = transport_of(stream);

	transport->finish_wanted = true;
	return transport_push(transport, diag);
}

static void
plain_close(struct stream *stream)
{
	transport_free(transport_of(stream));
}

static void
plain_abort(struct stream *stream)
{
	transport_reset(transport_of(stream));
}

const struct stream_ops plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.finish = plain_finish,
	.watch = transport_watch,
	.close = plain_close,
	.abort = plain_abort,
};
