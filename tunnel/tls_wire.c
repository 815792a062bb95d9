/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_wire.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/loop.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

enum { FLIGHT_MIN = 8 << 10 };

/* GnuTLS reads: only ever from the window, never past whole records, and never the end. A helper: nothing. */
static ssize_t
on_pull(gnutls_transport_ptr_t pointer, void *data, size_t size)
{
	struct tls *tls = pointer;
	size_t taken = tls_is_lent(tls) ? 0 : window_take(&tls->loop->window, data, size);

	tls->control += (uint32_t)taken;
	if (taken > 0)
		return (ssize_t)taken;
	gnutls_transport_set_errno(tls_session(tls), EAGAIN);
	return -1;
}

static int
on_pull_timeout(gnutls_transport_ptr_t pointer, unsigned milliseconds)
{
	const struct tls *tls = pointer;

	(void)milliseconds;
	return !tls_is_lent(tls) && window_has_record(&tls->loop->window);
}

enum io
tls_wire_send(struct tls *tls, struct diag *diag)
{
	size_t size = tls->batched;

	tls->batched = 0;
	return transport_send(tls->transport, tls->loop->ciphertext, size, diag);
}

/* Keep what a lent step writes. The loop's pool is not for another thread. Returns 0, or -1 without memory. */
static int
add_to_flight(struct tls_flight *flight, const void *bytes, size_t size)
{
	if (flight->size - flight->length < size) {
		size_t larger = 2 * flight->size + size;
		uint8_t *moved;

		if (larger < FLIGHT_MIN)
			larger = FLIGHT_MIN;
		moved = realloc(flight->bytes, larger);
		if (!moved)
			return -1;
		flight->bytes = moved;
		flight->size = larger;
	}
	memcpy(flight->bytes + flight->length, bytes, size);
	flight->length += size;
	return 0;
}

/* Write into the batch while there is one, else to what waits to be sent. Returns 0, or -1. */
static int
add(struct tls *tls, const void *bytes, size_t size)
{
	struct loop *loop = tls->loop;
	struct diag diag;

	if (tls_is_lent(tls))
		return add_to_flight(&tls->opening->flight, bytes, size);
	if (tls->batching && LOOP_SCRATCH_CIPHER - tls->batched < size &&
		tls_wire_send(tls, &diag) == IO_ERROR)
		return -1;
	if (!tls->batching || LOOP_SCRATCH_CIPHER - tls->batched < size)
		return buffer_add(&tls->transport->out, &loop->pool, bytes, size);
	memcpy(loop->ciphertext + tls->batched, bytes, size);
	tls->batched += (uint32_t)size;
	return 0;
}

/* GnuTLS writes. Never refuses, unless there is no memory. */
static ssize_t
on_push(gnutls_transport_ptr_t pointer, const giovec_t *pieces, int count)
{
	struct tls *tls = pointer;
	ssize_t total = 0;

	for (int i = 0; i < count; i++) {
		if (add(tls, pieces[i].iov_base, pieces[i].iov_len)) {
			gnutls_transport_set_errno(tls_session(tls), ENOMEM);
			return -1;
		}
		total += (ssize_t)pieces[i].iov_len;
	}
	return total;
}

enum io
tls_wire_add_flight(struct tls *tls, struct diag *diag)
{
	struct tls_flight *flight = &tls->opening->flight;
	size_t length = flight->length;

	flight->length = 0;
	if (buffer_add(&tls->transport->out, &tls->loop->pool, flight->bytes, length) == 0)
		return IO_DONE;
	diag_set(diag, "send: out of memory");
	return IO_ERROR;
}

void
tls_wire_connect(struct tls *tls)
{
	gnutls_transport_set_ptr(tls_session(tls), tls);
	gnutls_transport_set_pull_function(tls_session(tls), on_pull);
	gnutls_transport_set_pull_timeout_function(tls_session(tls), on_pull_timeout);
	gnutls_transport_set_vec_push_function(tls_session(tls), on_push);
}

void
tls_wire_open(struct tls *tls)
{
	struct loop *loop = tls->loop;

	assert(!tls->batching);
	window_open(&loop->window, loop->ciphertext, LOOP_SCRATCH_CIPHER, &tls->in, &loop->pool);
}

enum io
tls_wire_close(struct tls *tls, struct diag *diag)
{
	struct transport *transport = tls->transport;
	struct window *window = &tls->loop->window;

	transport->stream.readable |= window_has_record(window) ||
		(!tls->protection.opens && gnutls_record_check_pending(tls_session(tls)) > 0);
	if (window_close(window, &tls->in, &tls->loop->pool) == 0)
		return IO_DONE;
	diag_set(diag, "receive: out of memory");
	return IO_ERROR;
}

enum io
tls_wire_fill(struct tls *tls, size_t size, struct diag *diag)
{
	struct window *window = &tls->loop->window;
	size_t room = window_make_room(window), got = 0;

	enum io answer = transport_receive(
		tls->transport, window->bytes + window->end, size < room ? size : room, &got, diag);
	if (answer == IO_END)
		tls->fin = true;
	window_grow(window, got);
	return answer;
}
