/* SPDX-License-Identifier: MIT */
#include "tunnel/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/diag.h"
#include "common/socket.h"
#include "common/text.h"
#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/loop.h"
#include "tunnel/records.h"
#include "tunnel/session.h"
#include "tunnel/tls_words.h"
#include "tunnel/transport.h"

enum { RECORD_PLAINTEXT = 16 << 10, HANDSHAKE_BATCH = 16 << 10, WARNINGS_MAX = 4 };

/*
 * What was received, while it is looked at in the loop's scratch memory:
 *
 *	bytes          start            ready             end
 *	  |  given to    |  whole records  |  partial record |
 *	  |  GnuTLS      |                 |                 |
 */
struct window {
	uint8_t *bytes; /* NULL while closed */
	size_t start, ready, end;
};

struct tls {
	struct transport *transport;
	struct credentials *credentials;
	gnutls_session_t session;
	struct judgement judgement;
	char *name;
	struct buffer in; /* what was received and waits while the window is closed */
	struct window window;
	size_t batched; /* records in the loop's ciphertext scratch, to be sent at once */
	bool batching;
	bool handshaken;
	bool touched;	   /* a byte was received */
	bool fin;	   /* the peer's FIN was received */
	bool cancelled;	   /* the peer's user_canceled was received */
	bool ended;	   /* the peer's close_notify was received */
	bool finished;	   /* our close_notify was written */
	size_t record_max; /* bytes of plaintext in a record that the peer takes */
	unsigned warnings;
	gnutls_alert_description_t alert; /* what abort() tells the peer */
};

static struct tls *
tls_of(struct stream *stream)
{
	return container_of(stream, struct transport, stream)->tls;
}

/* GnuTLS reads: only ever from the window, never past whole records, and never the end. */
static ssize_t
on_pull(gnutls_transport_ptr_t pointer, void *data, size_t size)
{
	struct tls *tls = pointer;
	struct window *window = &tls->window;
	size_t have = window->ready - window->start;

	if (have == 0) {
		gnutls_transport_set_errno(tls->session, EAGAIN);
		return -1;
	}
	if (size > have)
		size = have;
	memcpy(data, window->bytes + window->start, size);
	window->start += size;
	return (ssize_t)size;
}

static int
on_pull_timeout(gnutls_transport_ptr_t pointer, unsigned milliseconds)
{
	const struct tls *tls = pointer;

	(void)milliseconds;
	return tls->window.ready > tls->window.start;
}

/* Hand the collected records to the socket, and what it does not take, to the transport. */
static enum io
send_batch(struct tls *tls, struct diag *diag)
{
	size_t size = tls->batched;

	tls->batched = 0;
	return transport_send(tls->transport, tls->transport->loop->ciphertext, size, diag);
}

/* GnuTLS writes: into the batch while there is one, else to what waits to be sent. Never refuses. */
static ssize_t
on_push(gnutls_transport_ptr_t pointer, const giovec_t *pieces, int count)
{
	struct tls *tls = pointer;
	struct transport *transport = tls->transport;
	ssize_t total = 0;
	struct diag diag;

	for (int i = 0; i < count; i++) {
		const void *bytes = pieces[i].iov_base;
		size_t size = pieces[i].iov_len;

		total += (ssize_t)size;
		if (tls->batching && LOOP_SCRATCH_CIPHER - tls->batched < size &&
			send_batch(tls, &diag) == IO_ERROR)
			goto fail;
		if (tls->batching && LOOP_SCRATCH_CIPHER - tls->batched >= size) {
			memcpy(transport->loop->ciphertext + tls->batched, bytes, size);
			tls->batched += size;
		} else if (buffer_add(&transport->out, &transport->loop->pool, bytes, size)) {
			goto fail;
		}
	}
	return total;
fail:
	gnutls_transport_set_errno(tls->session, ENOMEM);
	return -1;
}

/* Move what waits to the scratch memory, where more can be received behind it. */
static void
window_open(struct tls *tls)
{
	struct loop *loop = tls->transport->loop;
	size_t length = buffer_length(&tls->in);

	assert(!tls->window.bytes && !tls->batching);
	tls->window = (struct window){.bytes = loop->ciphertext, .end = length};
	if (length > 0)
		memcpy(loop->ciphertext, buffer_bytes(&tls->in), length);
	buffer_release(&tls->in, &loop->pool);
	tls->window.ready = records_ready(tls->window.bytes, length);
}

/* Keep what was not used up. Returns IO_DONE, or IO_ERROR with words. */
static enum io
window_close(struct tls *tls, struct diag *diag)
{
	struct window window = tls->window;
	struct pool *pool = &tls->transport->loop->pool;

	tls->window = (struct window){0};
	tls->transport->stream.readable |=
		window.ready > window.start || gnutls_record_check_pending(tls->session) > 0;
	if (buffer_add(&tls->in, pool, window.bytes + window.start, window.end - window.start) == 0)
		return IO_DONE;
	diag_set(diag, "receive: out of memory");
	return IO_ERROR;
}

/* Receive up to @size bytes into the window. As transport_receive(). */
static enum io
window_fill(struct tls *tls, size_t size, struct diag *diag)
{
	struct window *window = &tls->window;
	size_t room, got = 0;

	window->end -= window->start;
	window->ready -= window->start;
	memmove(window->bytes, window->bytes + window->start, window->end);
	window->start = 0;
	room = LOOP_SCRATCH_CIPHER - window->end;

	enum io answer = transport_receive(
		tls->transport, window->bytes + window->end, size < room ? size : room, &got, diag);
	if (answer == IO_DONE)
		tls->touched = true;
	if (answer == IO_END)
		tls->fin = true;
	window->end += got;
	window->ready += records_ready(window->bytes + window->ready, window->end - window->ready);
	return answer;
}

/* Is @error what GnuTLS makes of bytes that are no TLS records? */
static bool
is_not_tls(int error)
{
	return error == GNUTLS_E_UNEXPECTED_PACKET || error == GNUTLS_E_UNEXPECTED_PACKET_LENGTH ||
		error == GNUTLS_E_RECORD_OVERFLOW || error == GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
}

/* Say why GnuTLS gave up, and choose the alert for it. */
static enum io
fail(struct tls *tls, const char *what, int error, struct diag *diag)
{
	int level;

	tls->alert = (gnutls_alert_description_t)gnutls_error_to_alert(error, &level);
	if (error == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		diag_set(diag, "%s: the peer sent the alert \"%s\"", what,
			gnutls_alert_get_name(gnutls_alert_get(tls->session)));
	} else if (error == GNUTLS_E_REHANDSHAKE) {
		diag_set(diag, "%s: the peer asked to renegotiate, which is refused", what);
	} else if (!tls->handshaken && is_not_tls(error)) {
		diag_set(diag, "%s: the peer does not speak TLS (%s)", what, tls_words(error).text);
	} else {
		diag_set(diag, "%s: %s", what, tls_words(error).text);
	}
	return IO_ERROR;
}

/* Does @error say that the peer is leaving, and its close_notify comes next (RFC 8446 section 6.1)? */
static bool
is_cancelled(const struct tls *tls, ssize_t error)
{
	return error == GNUTLS_E_FATAL_ALERT_RECEIVED &&
		gnutls_alert_get(tls->session) == GNUTLS_A_USER_CANCELED &&
		gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3;
}

/*
 * Decrypt what the window has into @buffer until it is used up (IO_WANT_READ), @buffer has no room for
 * another record (IO_DONE), or the peer's close_notify (IO_END).
 *
 * Java says user_canceled whenever it closes. That ends GnuTLS's session, so the close_notify behind it
 * cannot be decrypted any more; but a FIN in its place is still told from it.
 */
static enum io
decrypt(struct tls *tls, uint8_t *buffer, size_t size, size_t *got, struct diag *diag)
{
	while (!tls->ended && size - *got >= RECORD_PLAINTEXT) {
		size_t before = tls->window.start;
		ssize_t length = 0;

		if (!tls->cancelled)
			length = gnutls_record_recv(tls->session, buffer + *got, size - *got);
		else if (tls->window.ready == before)
			return IO_WANT_READ;
		if (length > 0) {
			*got += (size_t)length;
		} else if (length == 0) {
			tls->ended = true;
		} else if (is_cancelled(tls, length)) {
			tls->cancelled = true;
		} else if (length == GNUTLS_E_AGAIN || length == GNUTLS_E_INTERRUPTED) {
			/* A ticket or a key update answers like this too, with more behind it. */
			if (tls->window.start == before)
				return IO_WANT_READ;
		} else if (length != GNUTLS_E_WARNING_ALERT_RECEIVED ||
			++tls->warnings > WARNINGS_MAX) {
			return fail(tls, "receive", (int)length, diag);
		}
	}
	if (!tls->ended)
		return IO_DONE;
	/* Nothing counts that comes after the end. */
	tls->window.start = tls->window.ready = tls->window.end;
	return IO_END;
}

/* The peer's FIN came without close_notify, and everything before it was decrypted. */
static enum io
judge_fin(struct tls *tls, struct diag *diag)
{
	if (tls->window.end > tls->window.start) {
		diag_set(diag, "the connection was cut inside a TLS record");
		return IO_ERROR;
	}
	if (tls->credentials->config->truncation == TRUNCATION_ACCEPT)
		return IO_END;
	diag_set(diag, "the connection was cut: it ended without close_notify");
	return IO_ERROR;
}

/* The body of a read, between opening and closing the window. */
static enum io
read_window(struct tls *tls, void *buffer, size_t size, size_t *got, struct diag *diag)
{
	enum io answer = decrypt(tls, buffer, size, got, diag);

	if (answer == IO_WANT_READ && *got == 0 && !tls->fin) {
		answer = window_fill(tls, size + size / 64 + RECORD_HEADER, diag);
		if (answer == IO_DONE || answer == IO_END)
			answer = decrypt(tls, buffer, size, got, diag);
	}
	if (answer == IO_ERROR)
		return IO_ERROR;
	if (*got > 0) {
		tls->transport->stream.readable |= answer == IO_END || tls->fin;
		return IO_DONE;
	}
	if (answer == IO_WANT_READ && tls->fin)
		return judge_fin(tls, diag);
	return answer;
}

static enum io
tls_read(struct stream *stream, void *buffer, size_t size, size_t *got, struct diag *diag)
{
	struct tls *tls = tls_of(stream);

	window_open(tls);
	enum io answer = read_window(tls, buffer, size, got, diag);
	if (window_close(tls, diag) == IO_ERROR)
		return IO_ERROR;
	if (answer == IO_WANT_READ)
		stream->readable = false;
	/* A key update is answered; if the answer does not fit now, it goes with the next write. */
	if (answer != IO_ERROR && transport_push(tls->transport, diag) == IO_ERROR)
		return IO_ERROR;
	return answer;
}

static enum io
tls_write(struct stream *stream, const void *bytes, size_t size, struct diag *diag)
{
	struct tls *tls = tls_of(stream);
	const char *next = bytes;
	ssize_t sent = 0;

	if (size == 0)
		return transport_push(tls->transport, diag);
	tls->batching = true;
	while (size > 0 && sent >= 0) {
		sent = gnutls_record_send(
			tls->session, next, size < tls->record_max ? size : tls->record_max);
		if (sent > 0) {
			next += sent;
			size -= (size_t)sent;
		}
	}
	tls->batching = false;
	if (sent < 0)
		return fail(tls, "send", (int)sent, diag);
	return send_batch(tls, diag);
}

static enum io
tls_finish(struct stream *stream, struct diag *diag)
{
	struct tls *tls = tls_of(stream);
	int error = gnutls_bye(tls->session, GNUTLS_SHUT_WR);

	if (error < 0)
		return fail(tls, "close_notify", error, diag);
	tls->finished = true;
	return transport_push(tls->transport, diag);
}

/* Free what makes @transport a TLS one, and leave the socket. */
static void
detach(struct transport *transport)
{
	struct tls *tls = transport->tls;

	transport->tls = NULL;
	buffer_release(&tls->in, &transport->loop->pool);
	if (tls->session)
		gnutls_deinit(tls->session);
	credentials_unref(tls->credentials);
	free(tls->judgement.identity);
	free(tls->name);
	free(tls);
}

static void
tls_close(struct stream *stream)
{
	struct transport *transport = container_of(stream, struct transport, stream);

	detach(transport);
	transport_free(transport);
}

/* The alert where it can still be sent in order, else a RST: never a FIN that looks like an end. */
static void
tls_abort(struct stream *stream)
{
	struct transport *transport = container_of(stream, struct transport, stream);
	struct tls *tls = transport->tls;
	struct diag diag;
	bool told = false;

	if (!stream->reset && !tls->finished && transport_push(transport, &diag) == IO_DONE &&
		!socket_holds_unsent(transport->fd))
		told = gnutls_alert_send(tls->session, GNUTLS_AL_FATAL, tls->alert) >= 0 &&
			transport_push(transport, &diag) == IO_DONE;
	detach(transport);
	if (told)
		transport_linger(transport);
	else
		transport_reset(transport);
}

static const struct stream_ops tls_ops = {
	.read = tls_read,
	.write = tls_write,
	.finish = tls_finish,
	.watch = transport_watch,
	.close = tls_close,
	.abort = tls_abort,
};

int
tls_start(struct transport *transport, struct credentials *credentials, const char *name,
	struct diag *diag)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return diag_set(diag, "TLS: out of memory");
	transport->tls = tls;
	tls->transport = transport;
	tls->credentials = credentials_ref(credentials);
	tls->alert = GNUTLS_A_INTERNAL_ERROR;
	tls->name = name ? strdup(name) : NULL;
	if (name && !tls->name) {
		diag_set(diag, "TLS: out of memory");
		goto fail;
	}
	tls->judgement = (struct judgement){.credentials = credentials, .name = tls->name};
	if (session_new(credentials, tls->name, &tls->session, diag))
		goto fail;
	gnutls_session_set_ptr(tls->session, &tls->judgement);
	gnutls_transport_set_ptr(tls->session, tls);
	gnutls_transport_set_pull_function(tls->session, on_pull);
	gnutls_transport_set_pull_timeout_function(tls->session, on_pull_timeout);
	gnutls_transport_set_vec_push_function(tls->session, on_push);
	transport->stream.ops = &tls_ops;
	return 0;
fail:
	detach(transport);
	return -1;
}

/* The handshake ended badly: in words, and with the alert that fits. */
static enum io
fail_handshake(struct tls *tls, int error, struct diag *diag)
{
	const struct judgement *judgement = &tls->judgement;
	enum io answer = fail(tls, "handshake", error, diag);
	bool no_certificate =
		error == GNUTLS_E_NO_CERTIFICATE_FOUND || error == GNUTLS_E_CERTIFICATE_REQUIRED;

	if (!judgement->judged && !no_certificate)
		return answer;
	if (authorise(tls->session, &tls->judgement))
		return answer;
	tls->alert = judgement->alert;
	if (judgement->identity) {
		diag_set(diag, "handshake: %s is refused: %s", judgement->identity,
			judgement->words);
	} else {
		diag_set(diag, "handshake: %s", judgement->words);
	}
	return answer;
}

/* The peer closed or reset the connection before the handshake was over. */
static enum io
end_handshake(struct tls *tls, struct diag *diag)
{
	if (!tls->touched)
		return IO_END;
	diag_set(diag, "handshake: the peer closed the connection");
	return IO_ERROR;
}

/* The body of the handshake, between opening and closing the window. */
static enum io
handshake_window(struct tls *tls, struct diag *diag)
{
	for (;;) {
		int error = gnutls_handshake(tls->session);

		if (error == GNUTLS_E_SUCCESS)
			return IO_DONE;
		if (error == GNUTLS_E_WARNING_ALERT_RECEIVED && ++tls->warnings <= WARNINGS_MAX)
			continue;
		if (error != GNUTLS_E_AGAIN && error != GNUTLS_E_INTERRUPTED)
			return fail_handshake(tls, error, diag);
		if (tls->window.ready > tls->window.start)
			continue;
		/* Our flight leaves before we wait for the answer to it. */
		enum io answer = transport_push(tls->transport, diag);
		if (answer != IO_DONE)
			return answer;
		if (!tls->transport->stream.readable)
			return IO_WANT_READ;
		answer = window_fill(tls, HANDSHAKE_BATCH, diag);
		if (answer == IO_END || (answer == IO_ERROR && !tls->touched))
			return end_handshake(tls, diag);
		if (answer != IO_DONE)
			return answer;
	}
}

enum io
tls_handshake(struct transport *transport, struct diag *diag)
{
	struct tls *tls = transport->tls;

	if (tls->handshaken)
		return transport_push(transport, diag);
	window_open(tls);
	enum io answer = handshake_window(tls, diag);
	if (window_close(tls, diag) == IO_ERROR)
		return IO_ERROR;
	if (answer != IO_DONE)
		return answer;
	if (!authorise(tls->session, &tls->judgement))
		return fail_handshake(tls, GNUTLS_E_CERTIFICATE_ERROR, diag);
	/* GnuTLS 3.7 keeps to a max_fragment_length in TLS 1.3 only. */
	tls->record_max = gnutls_record_get_max_size(tls->session);
	if (tls->record_max > RECORD_PLAINTEXT)
		tls->record_max = RECORD_PLAINTEXT;
	tls->handshaken = true;
	return transport_push(transport, diag);
}

void
tls_print_identity(const struct transport *transport, struct text *text)
{
	const struct judgement *judgement = &transport->tls->judgement;

	text_add(text, judgement->identity ? judgement->identity : "-");
}

struct tls_facts
tls_facts(const struct transport *transport)
{
	const struct tls *tls = transport->tls;
	struct tls_facts facts = {"-", "-", "-", false};

	if (!tls->handshaken)
		return facts;
	facts.version = gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session));
	facts.cipher = gnutls_cipher_get_name(gnutls_cipher_get(tls->session));
	facts.group = gnutls_group_get_name(gnutls_group_get(tls->session));
	facts.resumed = gnutls_session_is_resumed(tls->session) != 0;
	if (!facts.group)
		facts.group = "-";
	return facts;
}
