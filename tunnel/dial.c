/* SPDX-License-Identifier: MIT */
#include "tunnel/dial.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/socket.h"
#include "common/text.h"
#include "tunnel/candidates.h"
#include "tunnel/dialer.h"
#include "tunnel/loop.h"
#include "tunnel/resolver.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

static const double pace_time = 0.25; /* RFC 8305 section 5: the connection attempt delay */

/* A socket that is being connected. */
struct attempt {
	struct list link;
	struct dial *dial;
	struct ev_io io;
	size_t candidate;
};

/* The name of a target that is being resolved. */
struct lookup {
	struct resolver_waiter waiter;
	struct dial *dial;
	size_t target;
	bool open;
};

struct dial {
	struct loop *loop;
	struct service *service;
	struct dial_waiter *waiter;
	struct turn turn;
	struct candidates candidates;
	struct list attempts;
	struct ev_timer pace;	  /* until the next attempt */
	struct ev_timer deadline; /* of connecting, or of a handshake */
	struct waker waker;
	struct transport *transport; /* NULL until one is connected */
	size_t chosen;		     /* its candidate */
	size_t latest;		     /* the candidate that failed last */
	bool timed_out;
	struct diag diag;
	struct text words; /* into diag */
	struct lookup lookups[];
};

static const struct endpoint *
endpoint_of(const struct dial *dial, size_t candidate)
{
	return &dial->candidates.list[candidate].endpoint;
}

static const struct address *
target_of(const struct dial *dial, size_t candidate)
{
	return &dial->service->config->connect[dial->candidates.list[candidate].target];
}

/* Add a clause to the words of the failure. */
static void PRINTF_LIKE(2, 3) say(struct dial *dial, const char *format, ...)
{
	static const char dots[] = "...";
	struct diag clause;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(clause.text, sizeof(clause.text), format, args);
	va_end(args);
	if (dial->words.length > 0)
		text_add(&dial->words, "; ");
	text_add(&dial->words, clause.text);
	if (!dial->words.cut)
		return;
	memcpy(dial->diag.text + sizeof(dial->diag.text) - sizeof(dots), dots, sizeof(dots));
}

/* @candidate has failed, for the reason @words. */
static void
fail_candidate(struct dial *dial, size_t candidate, const char *words)
{
	char name[ADDRESS_TEXT_SIZE];
	struct text text;

	text_init(&text, name, sizeof(name));
	endpoint_print(endpoint_of(dial, candidate), &text);
	say(dial, "connect to %s: %s", name, words);
	dialer_note_failure(dial->loop->dialer, endpoint_of(dial, candidate));
	dial->latest = candidate;
	dial->timed_out = false;
}

static void
attempt_close(struct attempt *attempt)
{
	int fd = attempt->io.fd;

	ev_io_stop(attempt->dial->loop->ev, &attempt->io);
	list_remove(&attempt->link);
	free(attempt);
	socket_close(fd);
}

/* Close every attempt; what had not failed may be tried again. */
static void
close_attempts(struct dial *dial)
{
	while (!list_is_empty(&dial->attempts)) {
		struct attempt *attempt = container_of(dial->attempts.next, struct attempt, link);

		candidates_put_back(&dial->candidates, attempt->candidate);
		attempt_close(attempt);
	}
}

/* Stop everything that could call back, and free everything but the transport. */
static void
dial_free(struct dial *dial)
{
	struct ev_loop *ev = dial->loop->ev;

	loop_cancel(&dial->turn);
	ev_timer_stop(ev, &dial->pace);
	ev_timer_stop(ev, &dial->deadline);
	for (size_t i = 0; i < dial->candidates.target_count; i++)
		resolver_cancel(&dial->lookups[i].waiter);
	close_attempts(dial);
	candidates_release(&dial->candidates);
	service_unref(dial->service);
	free(dial);
}

/* Tell the waiter what happened. Frees @dial. */
static void
finish(struct dial *dial, struct transport *transport)
{
	struct dial_waiter *waiter = dial->waiter;
	struct diag diag = dial->diag;
	size_t candidate = transport ? dial->chosen : dial->latest;
	struct dial_result result = {.transport = transport, .timed_out = dial->timed_out};

	if (!transport)
		result.diag = &diag;
	if (candidate < dial->candidates.count)
		result.endpoint = *endpoint_of(dial, candidate);
	dial_free(dial);
	waiter->done(waiter, &result);
}

/* Hand the transport over. Frees @dial. */
static void
succeed(struct dial *dial)
{
	struct transport *transport = dial->transport;

	dialer_note_success(dial->loop->dialer, endpoint_of(dial, dial->chosen));
	transport->stream.waker = NULL;
	stream_watch(&transport->stream, false, false);
	dial->timed_out = false;
	finish(dial, transport);
}

/* Have the deadline strike after @seconds; 0: never. */
static void
set_deadline(struct dial *dial, double seconds)
{
	ev_timer_stop(dial->loop->ev, &dial->deadline);
	if (seconds <= 0)
		return;
	ev_timer_set(&dial->deadline, seconds, 0.);
	ev_timer_start(dial->loop->ev, &dial->deadline);
}

/* The next step is due in 250 ms. */
static void
set_pace(struct dial *dial)
{
	ev_timer_stop(dial->loop->ev, &dial->pace);
	ev_timer_set(&dial->pace, pace_time, 0.);
	ev_timer_start(dial->loop->ev, &dial->pace);
}

/* Whom the peer must prove to be, and is asked for; NULL where there is no name. */
static const char *
expected_name(const struct dial *dial)
{
	const struct tls_config *config = &dial->service->config->tls[SIDE_CONNECT];
	const struct address *target = target_of(dial, dial->chosen);

	if (config->peer_name_is_none)
		return NULL;
	if (config->peer_name)
		return config->peer_name;
	return target->kind == ADDRESS_UNIX ? NULL : target->host;
}

/* Make the transport of the connected @fd, which it takes over. Returns 0, or -1 with words. */
static int
make_transport(struct dial *dial, int fd, struct diag *diag)
{
	struct credentials *credentials = dial->service->credentials[SIDE_CONNECT];
	char target[ADDRESS_TEXT_SIZE];
	struct text text;

	dial->transport = transport_new(dial->loop, fd);
	if (!dial->transport) {
		socket_close(fd);
		return diag_set(diag, "out of memory");
	}
	dial->transport->stream.waker = &dial->waker;
	/* Nothing has come yet. */
	dial->transport->stream.readable = false;
	if (!credentials)
		return 0;
	text_init(&text, target, sizeof(target));
	endpoint_print(endpoint_of(dial, dial->chosen), &text);
	const struct tls_beginning beginning = {.name = expected_name(dial), .target = target};
	return tls_start(dial->transport, credentials, &beginning, diag);
}

/* The chosen one is not it. Another may be tried, with a clock of its own. */
static void
drop_transport(struct dial *dial, const char *words)
{
	if (dial->transport)
		stream_abort(&dial->transport->stream);
	dial->transport = NULL;
	fail_candidate(dial, dial->chosen, words);
	set_deadline(dial, dial->service->config->connect_timeout);
}

/*
 * The steps. Each does what can be done now and answers what follows; run() walks them, and only it
 * ends the dial.
 */
enum outcome {
	DIAL_AGAIN,   /* something failed: go on with what comes next */
	DIAL_WAITING, /* for a watcher, a timer or the resolver */
	DIAL_SUCCEEDED,
	DIAL_FAILED,
};

static enum outcome
handshake(struct dial *dial)
{
	struct stream *stream = &dial->transport->stream;
	struct diag diag;

	if (!dial->service->credentials[SIDE_CONNECT])
		return DIAL_SUCCEEDED;
	switch (tls_handshake(dial->transport, &diag)) {
	case IO_DONE:
		return DIAL_SUCCEEDED;
	case IO_WANT_READ:
		stream_watch(stream, true, false);
		return DIAL_WAITING;
	case IO_WANT_WRITE:
		stream_watch(stream, false, true);
		return DIAL_WAITING;
	case IO_WAIT:
		stream_watch(stream, false, false);
		return DIAL_WAITING;
	case IO_END:
		drop_transport(dial, "handshake: the peer closed the connection without a word");
		return DIAL_AGAIN;
	case IO_ERROR:
		break;
	}
	drop_transport(dial, diag.text);
	return DIAL_AGAIN;
}

/* @candidate won the race with @fd: everything else stops, and its handshake begins. */
static enum outcome
choose(struct dial *dial, size_t candidate, int fd)
{
	struct diag diag;

	assert(!dial->transport);
	close_attempts(dial);
	ev_timer_stop(dial->loop->ev, &dial->pace);
	dial->chosen = candidate;
	if (make_transport(dial, fd, &diag)) {
		drop_transport(dial, diag.text);
		return DIAL_AGAIN;
	}
	set_deadline(dial, dial->service->config->tls[SIDE_CONNECT].handshake_timeout);
	return handshake(dial);
}

static void on_connected(struct ev_loop *ev, struct ev_io *io, int events);

static enum outcome
try_candidate(struct dial *dial, size_t candidate)
{
	const struct service_config *config = dial->service->config;
	const struct endpoint *endpoint = endpoint_of(dial, candidate);
	bool connected = false;
	struct diag diag;

	if (!config->tls[SIDE_CONNECT].used && !config->allow_remote_plaintext &&
		!endpoint_is_local(endpoint)) {
		fail_candidate(dial, candidate,
			"refused: that is not this machine, and plaintext leaves it only with "
			"allow-remote-plaintext = yes");
		return DIAL_AGAIN;
	}
	int fd = socket_connect(endpoint, (unsigned)config->keepalive, &connected, &diag);
	if (fd < 0) {
		fail_candidate(dial, candidate, diag.text);
		return DIAL_AGAIN;
	}
	if (connected)
		return choose(dial, candidate, fd);

	struct attempt *attempt = calloc(1, sizeof(*attempt));
	if (!attempt) {
		socket_close(fd);
		fail_candidate(dial, candidate, "out of memory");
		return DIAL_AGAIN;
	}
	attempt->dial = dial;
	attempt->candidate = candidate;
	list_append(&dial->attempts, &attempt->link);
	ev_io_init(&attempt->io, on_connected, fd, EV_WRITE);
	ev_io_start(dial->loop->ev, &attempt->io);
	set_pace(dial);
	return DIAL_WAITING;
}

static enum outcome
resolve(struct dial *dial, size_t target)
{
	const char *host = dial->service->config->connect[target].host;
	struct resolver *resolver = dialer_resolver(dial->loop->dialer);
	struct lookup *lookup = &dial->lookups[target];
	struct diag diag;

	if (resolver_lookup(resolver, host, &lookup->waiter, &diag)) {
		say(dial, "\"%s\" cannot be resolved: %s", host, diag.text);
		candidates_settle(&dial->candidates, target);
		return DIAL_AGAIN;
	}
	lookup->open = true;
	set_pace(dial);
	return DIAL_WAITING;
}

/* Do what comes next, unless something is connected. */
static enum outcome
advance(struct dial *dial)
{
	struct candidates_step step = candidates_next(&dial->candidates);

	ev_timer_stop(dial->loop->ev, &dial->pace);
	switch (step.action) {
	case CANDIDATES_TRY:
		return try_candidate(dial, step.candidate);
	case CANDIDATES_RESOLVE:
		return resolve(dial, step.target);
	case CANDIDATES_WAIT:
		return DIAL_WAITING;
	case CANDIDATES_OVER:
		break;
	}
	return list_is_empty(&dial->attempts) ? DIAL_FAILED : DIAL_WAITING;
}

/* Walk the steps from @outcome of the last one. Frees @dial at the end: the last call of a callback. */
static void
run(struct dial *dial, enum outcome outcome)
{
	while (outcome == DIAL_AGAIN)
		outcome = advance(dial);
	if (outcome == DIAL_SUCCEEDED)
		succeed(dial);
	if (outcome == DIAL_FAILED)
		finish(dial, NULL);
}

static void
on_turn(struct turn *turn)
{
	struct dial *dial = container_of(turn, struct dial, turn);

	set_deadline(dial, dial->service->config->connect_timeout);
	run(dial, DIAL_AGAIN);
}

static void
on_connected(struct ev_loop *ev, struct ev_io *io, int events)
{
	struct attempt *attempt = container_of(io, struct attempt, io);
	struct dial *dial = attempt->dial;
	size_t candidate = attempt->candidate;
	int fd = io->fd, error = socket_error(fd, endpoint_of(dial, candidate));

	(void)events;
	if (error) {
		attempt_close(attempt);
		fail_candidate(dial, candidate, strerror(error));
		run(dial, DIAL_AGAIN);
		return;
	}
	ev_io_stop(ev, io);
	list_remove(&attempt->link);
	free(attempt);
	run(dial, choose(dial, candidate, fd));
}

static void
on_pace(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)ev;
	(void)events;
	run(container_of(timer, struct dial, pace), DIAL_AGAIN);
}

static void
on_wake(struct waker *waker)
{
	struct dial *dial = container_of(waker, struct dial, waker);

	run(dial, handshake(dial));
}

/* Say of everything that is still open that it took too long. */
static void
give_up(struct dial *dial)
{
	double seconds = dial->service->config->connect_timeout;
	struct diag diag;

	diag_set(&diag, "no answer within the connect-timeout of %g s", seconds);
	while (!list_is_empty(&dial->attempts)) {
		struct attempt *attempt = container_of(dial->attempts.next, struct attempt, link);

		fail_candidate(dial, attempt->candidate, diag.text);
		attempt_close(attempt);
	}
	for (size_t i = 0; i < dial->candidates.target_count; i++) {
		const char *host = dial->service->config->connect[i].host;

		if (dial->lookups[i].open)
			say(dial, "\"%s\" cannot be resolved: %s", host, diag.text);
	}
}

static void
on_deadline(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	struct dial *dial = container_of(timer, struct dial, deadline);
	struct diag diag;

	(void)ev;
	(void)events;
	if (!dial->transport) {
		give_up(dial);
		dial->timed_out = true;
		finish(dial, NULL);
		return;
	}
	diag_set(&diag, "handshake: not done within the handshake-timeout of %g s",
		dial->service->config->tls[SIDE_CONNECT].handshake_timeout);
	drop_transport(dial, diag.text);
	dial->timed_out = true;
	run(dial, DIAL_AGAIN);
}

/* Add an address of @target. Returns 0, or -1 without memory. */
static int
add(struct dial *dial, size_t target, const struct endpoint *endpoint)
{
	bool failing = dialer_is_failing(dial->loop->dialer, endpoint);

	return candidates_add(&dial->candidates, target, endpoint, failing);
}

static void
on_resolved(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
	struct lookup *lookup = container_of(waiter, struct lookup, waiter);
	struct dial *dial = lookup->dial;
	const struct address *address = &dial->service->config->connect[lookup->target];

	lookup->open = false;
	candidates_settle(&dial->candidates, lookup->target);
	if (answer->count == 0)
		say(dial, "\"%s\" cannot be resolved: %s", address->host, answer->words);
	for (size_t i = 0; i < answer->count; i++) {
		struct endpoint endpoint = answer->endpoints[i];

		endpoint.v4.sin_port = htons(address->port);
		if (add(dial, lookup->target, &endpoint))
			say(dial, "\"%s\": out of memory", address->host);
	}
	/* While an attempt has its 250 ms, the next one waits. */
	if (dial->transport)
		return;
	if (list_is_empty(&dial->attempts) || !ev_is_active(&dial->pace))
		run(dial, DIAL_AGAIN);
}

/* What needs no resolving is known from the beginning. Returns 0, or -1 without memory. */
static int
add_targets(struct dial *dial)
{
	const struct service_config *config = dial->service->config;

	for (size_t i = 0; i < config->connect_count; i++) {
		struct endpoint endpoint;

		if (config->connect[i].kind == ADDRESS_NAME)
			continue;
		address_endpoint(&config->connect[i], &endpoint);
		if (add(dial, i, &endpoint))
			return -1;
		candidates_settle(&dial->candidates, i);
	}
	return 0;
}

struct dial *
dial_start(struct loop *loop, struct service *service, struct dial_waiter *waiter)
{
	size_t count = service->config->connect_count;
	struct dial *dial = calloc(1, sizeof(*dial) + count * sizeof(dial->lookups[0]));

	if (!dial)
		return NULL;
	/* A TLS side without credentials would go out as plaintext. */
	assert(service->config->tls[SIDE_CONNECT].used ==
		(service->credentials[SIDE_CONNECT] != NULL));
	dial->loop = loop;
	dial->service = service_ref(service);
	dial->waiter = waiter;
	dial->waker.wake = on_wake;
	list_init(&dial->attempts);
	turn_init(&dial->turn, on_turn);
	ev_init(&dial->pace, on_pace);
	ev_init(&dial->deadline, on_deadline);
	text_init(&dial->words, dial->diag.text, sizeof(dial->diag.text));
	for (size_t i = 0; i < count; i++) {
		dial->lookups[i] = (struct lookup){.dial = dial, .target = i};
		resolver_waiter_init(&dial->lookups[i].waiter, on_resolved);
	}
	if (candidates_init(&dial->candidates, count) || add_targets(dial)) {
		dial_free(dial);
		return NULL;
	}
	loop_defer(loop, &dial->turn);
	return dial;
}

void
dial_stop(struct dial *dial)
{
	if (!dial)
		return;
	if (dial->transport)
		stream_abort(&dial->transport->stream);
	dial_free(dial);
}
