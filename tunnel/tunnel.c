/* SPDX-License-Identifier: MIT */
#include "tunnel/tunnel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/log.h"
#include "common/socket.h"
#include "tunnel/dialer.h"
#include "tunnel/greeting.h"
#include "tunnel/group.h"
#include "tunnel/report.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"
#include "tunnel/tunnel_state.h"

enum { TURN_BUDGET = 512 << 10 };

static void run(struct tunnel *tunnel);

/* Set why the tunnel ends; the words are in @ending->reason already. Returns the state for it. */
static enum tunnel_state
over(struct ending *ending, enum ending_kind kind, enum ending_side by)
{
	ending->kind = kind;
	ending->by = by;
	return TUNNEL_OVER;
}

static void
set_timer(struct tunnel *tunnel, double seconds)
{
	ev_timer_stop(tunnel->loop->ev, &tunnel->timer);
	if (seconds <= 0)
		return;
	ev_timer_set(&tunnel->timer, seconds, 0.);
	ev_timer_start(tunnel->loop->ev, &tunnel->timer);
}

/* How long nothing may move: the longer patience once one way has ended. 0: for ever. */
static double
idle_limit(const struct tunnel *tunnel)
{
	const struct service_config *config = tunnel->service->config;

	return tunnel->half_closed ? config->half_close_timeout : config->idle_timeout;
}

static enum tunnel_state
dial(struct tunnel *tunnel, struct ending *ending)
{
	set_timer(tunnel, 0);
	tunnel->dial = dial_start(tunnel->loop, tunnel->service, &tunnel->waiter);
	if (tunnel->dial)
		return TUNNEL_DIALING;
	diag_set(&ending->reason, "connect: out of memory");
	return over(ending, ENDING_FAILED, ENDED_BY_US);
}

/* The service of the tunnel is known: it is @service. */
static void
settle(struct tunnel *tunnel, struct service *service)
{
	struct service *before = tunnel->service;

	tunnel->service = service_ref(service);
	service_unref(before);
	group_unref(tunnel->group);
	tunnel->group = NULL;
	atomic_fetch_add_explicit(&service->counters.accepted, 1, memory_order_relaxed);
}

static void
forget_greeting(struct tunnel *tunnel)
{
	greeting_free(tunnel->greeting, &tunnel->loop->pool);
	tunnel->greeting = NULL;
}

/* The ClientHello is whole: begin TLS as the service that it asks for. */
static enum tunnel_state
begin_tls(struct tunnel *tunnel, struct ending *ending)
{
	struct greeting *greeting = tunnel->greeting;
	struct service *service = greeting_choose(greeting, tunnel->group, &ending->reason);

	if (!service)
		return over(ending, ENDING_REFUSED, ENDED_BY_CLIENT);
	settle(tunnel, service);
	const struct endpoint from = endpoint_unpack(tunnel->client_address);
	const struct tls_beginning beginning = {
		.from = &from,
		.received = &greeting->received,
		.sni = tunnel->sni ? tunnel->sni : "",
		.small_records = greeting->hello.small_records,
	};
	if (tls_start(tunnel->client, service->credentials[SIDE_ACCEPT], &beginning,
		    &ending->reason) < 0)
		return over(ending, ENDING_REFUSED, ENDED_BY_US);
	forget_greeting(tunnel);
	return TUNNEL_HANDSHAKING;
}

static enum tunnel_state
greeting(struct tunnel *tunnel, struct ending *ending)
{
	struct greeting *greeting = tunnel->greeting;

	switch (greeting_read(greeting, tunnel->client, &ending->reason)) {
	case IO_END:
		return over(ending, ENDING_PROBE, ENDED_BY_CLIENT);
	case IO_ERROR:
		return over(ending, ENDING_REFUSED, ENDED_BY_CLIENT);
	case IO_DONE:
		break;
	default:
		return TUNNEL_GREETING;
	}
	if (greeting->hello.name[0] && !(tunnel->sni = strdup(greeting->hello.name))) {
		diag_set(&ending->reason, "out of memory");
		return over(ending, ENDING_REFUSED, ENDED_BY_US);
	}
	return begin_tls(tunnel, ending);
}

static enum tunnel_state
handshaking(struct tunnel *tunnel, struct ending *ending)
{
	tunnel->wanted = tls_handshake(tunnel->client, &ending->reason);
	switch (tunnel->wanted) {
	case IO_DONE:
		return dial(tunnel, ending);
	case IO_END:
		return over(ending, ENDING_PROBE, ENDED_BY_CLIENT);
	case IO_ERROR:
		return over(ending, ENDING_REFUSED, ENDED_BY_CLIENT);
	case IO_WANT_READ:
	case IO_WANT_WRITE:
	case IO_WAIT:
		break;
	}
	return TUNNEL_HANDSHAKING;
}

static enum tunnel_state
dialing(struct tunnel *tunnel, struct ending *ending)
{
	if (tunnel->client->stream.reset) {
		diag_set(&ending->reason, "the client reset the connection");
		return over(ending, ENDING_ABORTED, ENDED_BY_CLIENT);
	}
	if (!tunnel->backend)
		return TUNNEL_DIALING;
	relay_init(&tunnel->to_backend);
	relay_init(&tunnel->to_client);
	tunnel->active = clock_seconds();
	set_timer(tunnel, idle_limit(tunnel));
	return TUNNEL_RELAYING;
}

/* A socket that nobody reads was reset. */
static enum tunnel_state
relaying_reset(struct tunnel *tunnel, struct ending *ending)
{
	bool by_client = tunnel->client->stream.reset;

	diag_set(&ending->reason, "the connection was reset while nothing was read from it");
	return over(ending, ENDING_ABORTED, by_client ? ENDED_BY_CLIENT : ENDED_BY_BACKEND);
}

static void
note_backend_failure(const struct tunnel *tunnel)
{
	if (!tunnel->backend_address)
		return;
	struct endpoint endpoint = endpoint_unpack(tunnel->backend_address);
	dialer_note_failure(tunnel->loop->dialer, &endpoint);
}

/* A relay broke in @turn: blame the side whose stream it was. */
static enum tunnel_state
relaying_broken(struct tunnel *tunnel, const struct relay_turn *turn, struct ending *ending)
{
	const struct stream *broken = turn->broken_by_sink ? turn->sink : turn->source;
	bool by_client = broken == &tunnel->client->stream;

	/* A TLS 1.3 server judges our certificate when we believe to be connected already. */
	if (!by_client && tunnel->backend->tls && tunnel->to_client.bytes == 0)
		note_backend_failure(tunnel);
	return over(ending, ENDING_ABORTED, by_client ? ENDED_BY_CLIENT : ENDED_BY_BACKEND);
}

/* Note progress, and with the first end of a way, whose it was. */
static void
note_progress(struct tunnel *tunnel)
{
	struct stream *client = &tunnel->client->stream, *backend = &tunnel->backend->stream;

	if (client->moved || backend->moved)
		tunnel->active = clock_seconds();
	client->moved = backend->moved = false;
	bool client_ended = tunnel->to_backend.state != RELAY_OPEN;
	bool backend_ended = tunnel->to_client.state != RELAY_OPEN;
	if (tunnel->half_closed || !(client_ended || backend_ended))
		return;
	tunnel->half_closed = true;
	tunnel->client_ended_first = client_ended;
	set_timer(tunnel, idle_limit(tunnel));
}

/*
 * How much memory a turn may take. Others may never give back what they hold, so whoever has @waited
 * gets enough for the smallest batch: memory that is used up slows a tunnel and does not stop it.
 */
static size_t
room(const struct loop *loop, bool waited)
{
	size_t left = pool_room(&loop->pool);

	return waited && left < RELAY_BATCH_MIN ? RELAY_BATCH_MIN : left;
}

/* A relay has used up its turn: queue for the next one, or wait until there is memory again. */
static void
queue(struct tunnel *tunnel, bool starved)
{
	tunnel->starved = starved;
	if (starved)
		loop_starve(tunnel->loop, &tunnel->turn);
	else
		loop_defer(tunnel->loop, &tunnel->turn);
}

static enum tunnel_state
relaying(struct tunnel *tunnel, struct ending *ending)
{
	struct loop *loop = tunnel->loop;
	bool waited = tunnel->starved && list_is_empty(&tunnel->turn.link);
	struct stream *client = &tunnel->client->stream, *backend = &tunnel->backend->stream;
	struct relay_turn turn = {
		.source = client,
		.sink = backend,
		.scratch = loop->plaintext,
		.room = room(loop, waited),
		.budget = TURN_BUDGET,
	};

	/* An event may come before the end of the wait, and make it needless. */
	loop_cancel(&tunnel->turn);
	tunnel->starved = false;
	if (client->reset || backend->reset)
		return relaying_reset(tunnel, ending);
	enum io there = relay_run(&tunnel->to_backend, &turn, &ending->reason);
	if (there == IO_ERROR)
		return relaying_broken(tunnel, &turn, ending);
	turn.source = backend;
	turn.sink = client;
	turn.budget = TURN_BUDGET;
	enum io back = relay_run(&tunnel->to_client, &turn, &ending->reason);
	if (back == IO_ERROR)
		return relaying_broken(tunnel, &turn, ending);
	note_progress(tunnel);
	if (there == IO_END && back == IO_END)
		return over(ending, ENDING_CLOSED,
			tunnel->client_ended_first ? ENDED_BY_CLIENT : ENDED_BY_BACKEND);
	if (there == IO_DONE || back == IO_DONE)
		queue(tunnel, turn.room < RELAY_BATCH_MIN);
	return TUNNEL_RELAYING;
}

/* The one place that says for which events the tunnel waits. */
static void
watch(struct tunnel *tunnel)
{
	struct stream *client = &tunnel->client->stream;
	const struct relay *there = &tunnel->to_backend, *back = &tunnel->to_client;

	if (tunnel->state == TUNNEL_GREETING) {
		stream_watch(client, true, false);
		return;
	}
	if (tunnel->state == TUNNEL_HANDSHAKING) {
		stream_watch(
			client, tunnel->wanted == IO_WANT_READ, tunnel->wanted == IO_WANT_WRITE);
		return;
	}
	if (tunnel->state == TUNNEL_DIALING) {
		stream_watch(client, false, false);
		return;
	}
	bool reading = !tunnel->starved;
	stream_watch(client, reading && relay_wants_source(there), relay_wants_sink(back));
	stream_watch(&tunnel->backend->stream, reading && relay_wants_source(back),
		relay_wants_sink(there));
}

static void
end_streams(struct tunnel *tunnel, enum ending_kind kind)
{
	bool cleanly = kind == ENDING_CLOSED || kind == ENDING_PROBE;
	struct transport *ends[] = {tunnel->client, tunnel->backend};

	if (tunnel->greeting && !cleanly) {
		tunnel->client->stream.waker = NULL;
		greeting_refuse(tunnel->greeting, tunnel->client);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (!ends[i])
			continue;
		ends[i]->stream.waker = NULL;
		if (cleanly)
			stream_close(&ends[i]->stream);
		else
			stream_abort(&ends[i]->stream);
	}
}

/* Free what nothing else knows of. */
static void
tunnel_free(struct tunnel *tunnel)
{
	if (!tunnel)
		return;
	free(tunnel->sni);
	free(tunnel->client_address);
	free(tunnel->backend_address);
	free(tunnel);
}

/* Log, end both sides, and free the tunnel: the only place that does. */
static void
end(struct tunnel *tunnel, const struct ending *ending)
{
	struct loop *loop = tunnel->loop;

	if (tunnel->group)
		settle(tunnel, group_main(tunnel->group));
	report_end(tunnel, ending);
	dial_stop(tunnel->dial);
	ev_timer_stop(loop->ev, &tunnel->timer);
	loop_cancel(&tunnel->turn);
	end_streams(tunnel, ending->kind);
	forget_greeting(tunnel);
	list_remove(&tunnel->link);
	loop->tunnel_count--;
	service_unref(tunnel->service);
	tunnel_free(tunnel);
	if (loop->on_tunnel_end)
		loop->on_tunnel_end->wake(loop->on_tunnel_end);
}

/* Make all the steps that can be made now, then wait or end. The last call of every callback. */
static void
run(struct tunnel *tunnel)
{
	static enum tunnel_state (*const steps[])(struct tunnel *, struct ending *) = {
		[TUNNEL_GREETING] = greeting,
		[TUNNEL_HANDSHAKING] = handshaking,
		[TUNNEL_DIALING] = dialing,
		[TUNNEL_RELAYING] = relaying,
	};
	enum tunnel_state before;
	struct ending ending;

	ending.reason.text[0] = '\0';
	do {
		before = tunnel->state;
		tunnel->state = steps[before](tunnel, &ending);
	} while (tunnel->state != before && tunnel->state != TUNNEL_OVER);
	if (tunnel->state == TUNNEL_OVER)
		end(tunnel, &ending);
	else
		watch(tunnel);
}

/* An event. A tunnel that is queued for its next turn does not jump the queue. */
static void
on_wake(struct waker *waker)
{
	struct tunnel *tunnel = container_of(waker, struct tunnel, waker);

	if (list_is_empty(&tunnel->turn.link) || tunnel->starved)
		run(tunnel);
}

static void
on_turn(struct turn *turn)
{
	run(container_of(turn, struct tunnel, turn));
}

static void
on_timer(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	struct tunnel *tunnel = container_of(timer, struct tunnel, timer);
	struct ending ending = {.by = ENDED_BY_US};

	(void)ev;
	(void)events;
	if (tunnel->state == TUNNEL_GREETING || tunnel->state == TUNNEL_HANDSHAKING) {
		ending.kind = ENDING_REFUSED;
		diag_set(&ending.reason, "handshake-timeout: the client was not done in %g s",
			tunnel->service->config->tls[SIDE_ACCEPT].handshake_timeout);
		end(tunnel, &ending);
		return;
	}

	double limit = idle_limit(tunnel), idle = clock_seconds() - tunnel->active;
	if (idle < limit) {
		set_timer(tunnel, limit - idle);
		return;
	}
	ending.kind = ENDING_ABORTED;
	diag_set(&ending.reason, "%s: nothing moved for %g s",
		tunnel->half_closed ? "half-close-timeout" : "idle-timeout", limit);
	end(tunnel, &ending);
}

static void
on_dialed(struct dial_waiter *waiter, const struct dial_result *result)
{
	struct tunnel *tunnel = container_of(waiter, struct tunnel, waiter);
	struct ending ending = {.kind = ENDING_FAILED, .by = ENDED_BY_BACKEND};

	tunnel->dial = NULL;
	if (result->endpoint.length > 0)
		tunnel->backend_address = endpoint_pack(&result->endpoint);
	if (result->transport) {
		tunnel->backend = result->transport;
		tunnel->backend->stream.waker = &tunnel->waker;
		run(tunnel);
		return;
	}
	ending.reason = *result->diag;
	end(tunnel, &ending);
}

/* Takes over @fd. */
static struct tunnel *
tunnel_new(struct loop *loop, struct group *group, int fd, const struct endpoint *address)
{
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
	struct transport *client = NULL;

	if (tunnel)
		tunnel->client_address = endpoint_pack(address);
	if (tunnel && tunnel->client_address)
		client = transport_new(loop, fd);
	if (!client) {
		tunnel_free(tunnel);
		socket_reset(fd);
		return NULL;
	}
	tunnel->loop = loop;
	tunnel->group = group_ref(group);
	tunnel->serial = ++loop->tunnel_serial;
	tunnel->client = client;
	tunnel->started = clock_seconds();
	tunnel->waker.wake = on_wake;
	tunnel->waiter.done = on_dialed;
	client->stream.waker = &tunnel->waker;
	turn_init(&tunnel->turn, on_turn);
	ev_init(&tunnel->timer, on_timer);
	list_append(&loop->tunnels, &tunnel->link);
	loop->tunnel_count++;
	return tunnel;
}

/* The first state: a TLS client is listened to, for a plaintext one its backend is dialled. */
static enum tunnel_state
begin(struct tunnel *tunnel, struct ending *ending)
{
	struct service *service = group_main(tunnel->group);

	if (!service->credentials[SIDE_ACCEPT]) {
		settle(tunnel, service);
		return dial(tunnel, ending);
	}
	tunnel->service = service_ref(service);
	set_timer(tunnel, service->config->tls[SIDE_ACCEPT].handshake_timeout);
	tunnel->greeting = greeting_new();
	if (tunnel->greeting)
		return TUNNEL_GREETING;
	diag_set(&ending->reason, "out of memory");
	return over(ending, ENDING_REFUSED, ENDED_BY_US);
}

void
tunnel_start(struct loop *loop, struct group *group, int fd, const struct endpoint *address)
{
	const struct service_config *config = group_main(group)->config;
	struct ending ending = {.reason.text = ""};

	struct tunnel *tunnel = tunnel_new(loop, group, fd, address);
	if (!tunnel) {
		log_write(LOG_LEVEL_WARNING, "service %s: a connection is refused: out of memory",
			config->name);
		return;
	}
	tunnel->state = begin(tunnel, &ending);
	if (tunnel->state == TUNNEL_OVER)
		end(tunnel, &ending);
	else
		run(tunnel);
}

void
tunnel_abort(struct list *link, const char *reason)
{
	struct ending ending = {.kind = ENDING_ABORTED, .by = ENDED_BY_US};

	diag_set(&ending.reason, "%s", reason);
	end(container_of(link, struct tunnel, link), &ending);
}
