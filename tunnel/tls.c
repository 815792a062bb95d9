/* SPDX-License-Identifier: MIT */
#include "tunnel/tls.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/diag.h"
#include "common/socket.h"
#include "common/text.h"
#include "tunnel/asked_name.h"
#include "tunnel/credentials.h"
#include "tunnel/loop.h"
#include "tunnel/protection.h"
#include "tunnel/records.h"
#include "tunnel/resumption.h"
#include "tunnel/session.h"
#include "tunnel/tls_failure.h"
#include "tunnel/tls_loan.h"
#include "tunnel/tls_state.h"
#include "tunnel/tls_wire.h"
#include "tunnel/transport.h"

static struct tls *
tls_of(struct stream *stream)
{
	return container_of(stream, struct transport, stream)->tls;
}

/* Does @error say that the peer is leaving, and its close_notify comes next (RFC 8446 section 6.1)? */
static bool
is_cancelled(struct tls *tls, ssize_t error)
{
	return error == GNUTLS_E_FATAL_ALERT_RECEIVED &&
		gnutls_alert_get(tls_session(tls)) == GNUTLS_A_USER_CANCELED &&
		gnutls_protocol_get_version(tls_session(tls)) == GNUTLS_TLS1_3;
}

/* Receive the data of a record into @buffer, which has room for the longest. As gnutls_record_recv(). */
static ssize_t
receive(struct tls *tls, uint8_t *buffer, size_t size)
{
	struct window *window = &tls->loop->window;
	size_t before = window->start, opened = protection_open(&tls->protection, window, buffer);

	if (opened > 0)
		return (ssize_t)opened;
	/* Behind data GnuTLS holds nothing back. */
	if (tls->protection.opens && !window_has_record(window))
		return GNUTLS_E_AGAIN;
	ssize_t length = gnutls_record_recv(tls_session(tls), buffer, size);
	if (window->start > before)
		protection_received(&tls->protection, length > 0);
	if (length > 0)
		tls->control = 0;
	return tls->control > TLS_CONTROL_MAX ? GNUTLS_E_HANDSHAKE_TOO_LARGE : length;
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
	struct window *window = &tls->loop->window;

	while (!tls->ended && size - *got >= TLS_RECORD_PLAINTEXT) {
		size_t before = window->start;
		ssize_t length = 0;

		if (!tls->cancelled)
			length = receive(tls, buffer + *got, size - *got);
		else if (window->ready == before)
			return IO_WANT_READ;
		if (length > 0) {
			*got += (size_t)length;
		} else if (length == 0) {
			tls->ended = true;
		} else if (is_cancelled(tls, length)) {
			tls->cancelled = true;
		} else if (length == GNUTLS_E_AGAIN || length == GNUTLS_E_INTERRUPTED) {
			/* A ticket or a key update answers like this too, with more behind it. */
			if (window->start == before)
				return IO_WANT_READ;
			resumption_keep(tls);
		} else if (length != GNUTLS_E_WARNING_ALERT_RECEIVED ||
			++tls->warnings > TLS_WARNINGS_MAX) {
			return tls_failure(tls, "receive", (int)length, diag);
		}
	}
	if (!tls->ended)
		return IO_DONE;
	/* Nothing counts that comes after the end. */
	window_drop(window);
	return IO_END;
}

/* The peer's FIN came without close_notify, and everything before it was decrypted. */
static enum io
judge_fin(struct tls *tls, struct diag *diag)
{
	const struct window *window = &tls->loop->window;

	if (window->end > window->start) {
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
		answer = tls_wire_fill(tls, size + size / 64 + RECORD_HEADER, diag);
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

	tls_wire_open(tls);
	enum io answer = read_window(tls, buffer, size, got, diag);
	if (tls_wire_close(tls, diag) == IO_ERROR)
		return IO_ERROR;
	if (answer == IO_WANT_READ)
		stream->readable = false;
	/* A key update is answered; if the answer does not fit now, it goes with the next write. */
	if (answer != IO_ERROR && transport_push(tls->transport, diag) == IO_ERROR)
		return IO_ERROR;
	return answer;
}

/* Put a record of up to @size bytes into the batch. As gnutls_record_send(). */
static ssize_t
send_record(struct tls *tls, const void *bytes, size_t size)
{
	uint8_t *record = tls->loop->ciphertext + tls->batched;
	size_t length = protection_seal(
		&tls->protection, bytes, size, record, LOOP_SCRATCH_CIPHER - tls->batched);

	tls->batched += (uint32_t)length;
	if (length > 0)
		return (ssize_t)size;
	ssize_t sent = gnutls_record_send(tls_session(tls), bytes, size);
	if (sent > 0)
		protection_sent(&tls->protection, (size_t)sent);
	/* The peer takes no more. */
	if (sent > 0 && (size_t)sent < size)
		tls->record_max = (uint16_t)sent;
	return sent;
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
		sent = send_record(tls, next, size < tls->record_max ? size : tls->record_max);
		if (sent > 0) {
			next += sent;
			size -= (size_t)sent;
		}
	}
	tls->batching = false;
	if (sent < 0)
		return tls_failure(tls, "send", (int)sent, diag);
	return tls_wire_send(tls, diag);
}

static enum io
tls_finish(struct stream *stream, struct diag *diag)
{
	struct tls *tls = tls_of(stream);
	int error = gnutls_bye(tls_session(tls), GNUTLS_SHUT_WR);

	if (error < 0)
		return tls_failure(tls, "close_notify", error, diag);
	tls->finished = true;
	return transport_push(tls->transport, diag);
}

/* Part @transport from what makes it a TLS one, which is freed: now, or when a helper thread gives it back. */
static void
detach(struct transport *transport)
{
	struct tls *tls = transport->tls;

	transport->tls = NULL;
	if (!tls_loan_stop(tls))
		tls_free(tls, &transport->loop->pool);
}

static void
tls_close(struct stream *stream)
{
	struct transport *transport = container_of(stream, struct transport, stream);

	detach(transport);
	transport_free(transport);
}

/* Are messages still held back, by GnuTLS or by a step that was lent, without which no peer reads an alert? */
static bool
is_within_step(const struct tls *tls)
{
	return tls->opening && tls->opening->loan_state != LOAN_NONE;
}

/* Send the alert, in order. Returns whether all of it is on its way. */
static bool
tell(struct transport *transport)
{
	struct tls *tls = transport->tls;
	struct diag diag;

	if (is_within_step(tls) || transport->stream.reset || tls->finished ||
		transport_push(transport, &diag) != IO_DONE || socket_holds_unsent(transport->fd))
		return false;
	return gnutls_alert_send(tls_session(tls), GNUTLS_AL_FATAL, tls->alert) >= 0 &&
		transport_push(transport, &diag) == IO_DONE;
}

/* The alert where it can still be sent in order, else a RST: never a FIN that looks like an end. */
static void
tls_abort(struct stream *stream)
{
	struct transport *transport = container_of(stream, struct transport, stream);
	bool told = tell(transport);

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

/* A copy of @text into @copy, which stays NULL for NULL. Returns 0, or -1 without memory. */
static int
copy_text(char **copy, const char *text)
{
	*copy = text ? strdup(text) : NULL;
	return text && !*copy ? -1 : 0;
}

/* Take from @beginning what is kept. Returns 0, or -1 without memory. */
static int
begin(struct tls *tls, const struct tls_beginning *beginning)
{
	struct tls_opening *opening = calloc(1, sizeof(*opening));

	if (!opening)
		return -1;
	tls->opening = opening;
	opening->tls = tls;
	if (beginning->from)
		opening->from = *beginning->from;
	opening->touched = buffer_length(&tls->in) > 0;
	if (copy_text(&opening->name, beginning->name) ||
		copy_text(&opening->target, beginning->target) ||
		copy_text(&opening->sni, beginning->sni))
		return -1;
	opening->judgement = (struct judgement){
		.credentials = tls->credentials,
		.name = opening->name,
		.from = beginning->from ? &opening->from : NULL,
	};
	return 0;
}

/* Before a certificate is shown, the client must have asked GnuTLS for what it asked us for. */
static int
on_client_hello(gnutls_session_t session)
{
	struct judgement *judgement = gnutls_session_get_ptr(session);
	const struct tls_opening *opening = container_of(judgement, struct tls_opening, judgement);

	return asked_name_is(session, opening->sni) ? 0 : GNUTLS_E_RECEIVED_DISALLOWED_NAME;
}

int
tls_start(struct transport *transport, struct credentials *credentials,
	const struct tls_beginning *beginning, struct diag *diag)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	struct buffer received = {0};
	gnutls_session_t session;

	if (beginning->received) {
		received = *beginning->received;
		*beginning->received = (struct buffer){0};
	}
	if (!tls) {
		buffer_release(&received, &transport->loop->pool);
		return diag_set(diag, "TLS: out of memory");
	}
	transport->tls = tls;
	tls->in = received;
	tls->loop = transport->loop;
	tls->transport = transport;
	tls->credentials = credentials_ref(credentials);
	tls->alert = GNUTLS_A_INTERNAL_ERROR;
	if (begin(tls, beginning)) {
		diag_set(diag, "TLS: out of memory");
		goto fail;
	}
	if (session_new(credentials, tls->opening->name, beginning->small_records, &session, diag))
		goto fail;
	protection_init(&tls->protection, session);
	resumption_offer(tls);
	gnutls_session_set_ptr(tls_session(tls), &tls->opening->judgement);
	if (tls->opening->sni)
		gnutls_handshake_set_post_client_hello_function(tls_session(tls), on_client_hello);
	tls_loan_prepare(tls);
	tls_wire_connect(tls);
	transport->stream.ops = &tls_ops;
	return 0;
fail:
	detach(transport);
	return -1;
}

void
tls_print_identity(const struct transport *transport, struct text *text)
{
	const struct tls *tls = transport->tls;
	const struct tls_opening *opening = tls->opening;
	const char *identity = tls->identity;

	if (opening)
		identity = tls_is_lent(tls) ? NULL : opening->judgement.identity;
	text_add(text, identity ? identity : "-");
}

struct tls_facts
tls_facts(const struct transport *transport)
{
	struct tls *tls = transport->tls;
	struct tls_facts facts = {"-", "-", "-", false};

	if (!tls->handshaken)
		return facts;
	facts.version = gnutls_protocol_get_name(gnutls_protocol_get_version(tls_session(tls)));
	facts.cipher = gnutls_cipher_get_name(gnutls_cipher_get(tls_session(tls)));
	facts.group = gnutls_group_get_name(gnutls_group_get(tls_session(tls)));
	facts.resumed = gnutls_session_is_resumed(tls_session(tls)) != 0;
	if (!facts.group)
		facts.group = "-";
	return facts;
}
