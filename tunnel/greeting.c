/* SPDX-License-Identifier: MIT */
#include "tunnel/greeting.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/group.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/transport.h"

enum { RECEIVE_SIZE = 16 << 10 };

struct greeting *
greeting_new(void)
{
	struct greeting *greeting = calloc(1, sizeof(*greeting));

	if (greeting)
		greeting->alert = HELLO_INTERNAL_ERROR;
	return greeting;
}

void
greeting_free(struct greeting *greeting, struct pool *pool)
{
	if (!greeting)
		return;
	buffer_release(&greeting->received, pool);
	free(greeting);
}

/* The connection ended before the ClientHello was whole, in a FIN or as @broken says. */
static enum io
end(const struct greeting *greeting, const struct diag *broken, struct diag *diag)
{
	if (buffer_length(&greeting->received) == 0)
		return IO_END;
	diag_set(diag, "handshake: %s", broken ? broken->text : "the peer closed the connection");
	return IO_ERROR;
}

/* Look at what has come, the latest bytes included. */
static enum io
look(struct greeting *greeting, struct diag *diag)
{
	const struct buffer *received = &greeting->received;

	switch (hello_read(
		&greeting->hello, buffer_bytes(received), buffer_length(received), diag)) {
	case HELLO_MORE:
		return IO_WANT_READ;
	case HELLO_WHOLE:
		return IO_DONE;
	case HELLO_BAD:
		break;
	}
	greeting->alert = greeting->hello.alert;
	diag_prefix(diag, "handshake");
	return IO_ERROR;
}

/*
 * Every ClientHello may take as much as one read, and a larger one only what tunnels have left: strangers
 * that never end theirs must not fill the memory, nor slow those down who were let in.
 */
static enum io
limit(struct greeting *greeting, const struct loop *loop, struct diag *diag)
{
	if (buffer_length(&greeting->received) <= RECEIVE_SIZE || pool_room(&loop->pool) > 0)
		return IO_WANT_READ;
	greeting->alert = HELLO_INTERNAL_ERROR;
	diag_set(diag, "handshake: the ClientHello is large, and buffer-memory is used up");
	return IO_ERROR;
}

enum io
greeting_read(struct greeting *greeting, struct transport *transport, struct diag *diag)
{
	struct loop *loop = transport->loop;
	enum io answer = IO_WANT_READ;

	while (answer == IO_WANT_READ && transport->stream.readable) {
		struct diag receiving;
		size_t got = 0;

		answer = transport_receive(
			transport, loop->ciphertext, RECEIVE_SIZE, &got, &receiving);
		if (answer == IO_END || answer == IO_ERROR)
			return end(greeting, answer == IO_ERROR ? &receiving : NULL, diag);
		if (answer == IO_WANT_READ)
			break;
		if (buffer_add(&greeting->received, &loop->pool, loop->ciphertext, got) < 0) {
			diag_set(diag, "receive: out of memory");
			return IO_ERROR;
		}
		answer = look(greeting, diag);
		if (answer == IO_WANT_READ)
			answer = limit(greeting, loop, diag);
	}
	return answer;
}

static struct service *
refuse_name(struct greeting *greeting, struct diag *diag)
{
	const char *name = greeting->hello.name;
	char escaped[HELLO_NAME_SIZE * 4];
	struct text text;

	greeting->alert = HELLO_UNRECOGNIZED_NAME;
	text_init(&text, escaped, sizeof(escaped));
	text_escape(&text, name, strlen(name));
	if (name[0])
		diag_set(diag, "handshake: no service has the name \"%s\" in sni", escaped);
	else
		diag_set(diag,
			"handshake: the client sent no name, and no service has sni = default");
	return NULL;
}

static struct service *
refuse_protocols(struct greeting *greeting, struct diag *diag)
{
	const struct hello *hello = &greeting->hello;
	char offered[HELLO_ALPN_SIZE * 6];
	struct text text;

	greeting->alert = HELLO_NO_APPLICATION_PROTOCOL;
	text_init(&text, offered, sizeof(offered));
	hello_print_alpn(hello, &text);
	if (hello->alpn_length == 0)
		diag_set(diag, "handshake: the client offers no protocol (ALPN), but alpn is set");
	else
		diag_set(diag, "handshake: the client offers %s, and none of that is in alpn",
			offered);
	return NULL;
}

struct service *
greeting_choose(struct greeting *greeting, const struct group *group, struct diag *diag)
{
	struct service *service = group_choose(group, greeting->hello.name);

	if (!service)
		return refuse_name(greeting, diag);
	const struct texts *alpn = &service->config->tls[SIDE_ACCEPT].alpn;
	if (alpn->count > 0 && !hello_offers(&greeting->hello, alpn))
		return refuse_protocols(greeting, diag);
	return service;
}

void
greeting_refuse(const struct greeting *greeting, struct transport *transport)
{
	/* RFC 8446 sections 5.1 and 6: a record of two bytes, level fatal. */
	const uint8_t alert[] = {21, 3, 3, 0, 2, 2, (uint8_t)greeting->alert};
	struct diag diag;

	if (!transport->stream.reset &&
		transport_send(transport, alert, sizeof(alert), &diag) == IO_DONE)
		transport_linger(transport);
	else
		transport_reset(transport);
}
