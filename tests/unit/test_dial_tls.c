/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tests/unit/loopback.h"
#include "tests/unit/timed.h"
#include "tunnel/dial.h"
#include "tunnel/dialer.h"
#include "tunnel/linger.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

enum { SESSIONS = 8 };
enum { OFFLOAD, BY_TARGET, BY_PEER_NAME, SILENT_ONLY, HOLE_FIRST, HOLE_OPENS, SERVICES };

/* A connection that a backend has accepted. */
struct session {
	struct waker waker;
	struct transport *transport;
};

/* A listener on 127.0.0.1 that proves to be "localhost", or that says nothing. */
struct backend {
	int fd;
	uint16_t port;
	struct ev_io io;
};

static struct backend good, other, silent, hole;
static struct loopback_hole hole_sockets;
static struct session sessions[SESSIONS];
static struct service *services[SERVICES];
static struct pool_budget budget = {.limit = 64 << 20};
static struct loop loop;

/* What came of the dial. */
static struct {
	struct dial_waiter waiter;
	unsigned told;
	struct transport *transport;
	uint16_t port;
	struct diag diag;
	bool timed_out;
} outcome;

static void
on_session(struct waker *waker)
{
	struct session *session = container_of(waker, struct session, waker);
	struct stream *stream = &session->transport->stream;
	struct diag diag;

	switch (tls_handshake(session->transport, &diag)) {
	case IO_WANT_READ:
	case IO_WANT_WRITE:
	case IO_WAIT:
		stream_watch(stream, true, false);
		return;
	case IO_DONE:
		stream->waker = NULL;
		stream_watch(stream, false, false);
		return;
	case IO_END:
	case IO_ERROR:
		stream_abort(stream);
		session->transport = NULL;
	}
}

static void
on_client(struct ev_loop *ev, struct ev_io *io, int events)
{
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct session *session = sessions;
	struct diag diag;

	(void)ev;
	(void)events;
	while (session->transport)
		session++;
	assert_true(session < sessions + SESSIONS);
	session->transport = transport_new(&loop, fd);
	assert_non_null(session->transport);
	session->waker.wake = on_session;
	session->transport->stream.waker = &session->waker;
	assert_int_equal(tls_start(session->transport, services[OFFLOAD]->credentials[SIDE_ACCEPT],
				 &(struct tls_beginning){0}, &diag),
		0);
	on_session(&session->waker);
}

static void
backend_init(struct backend *backend, int fd, const struct sockaddr_in *address)
{
	backend->fd = fd;
	backend->port = ntohs(address->sin_port);
	ev_io_init(&backend->io, on_client, fd, EV_READ);
}

static void
listen_on(struct backend *backend)
{
	struct sockaddr_in address;
	int fd = loopback_listen(SOCK_NONBLOCK, &address);

	backend_init(backend, fd, &address);
}

static void
open_hole(void)
{
	struct sockaddr_in address;

	loopback_hole_open(&hole_sockets, &address);
	backend_init(&hole, hole_sockets.fd, &address);
}

static void
load_services(void)
{
	struct pki_pair authority;
	struct files files = {0};
	char sections[2048];

	(void)snprintf(sections, sizeof(sections),
		"cert = localhost.crt\nkey = localhost.key\nca = ca.crt\n"
		"handshake-timeout = 1s\n"
		"[offload]\nmode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
		"[by-target]\nmode = encrypt\naccept = 127.0.0.1:3\n"
		"connect = 127.0.0.1:%d\nconnect = localhost:%d\n"
		"[by-peer-name]\nmode = encrypt\naccept = 127.0.0.1:4\npeer-name = localhost\n"
		"connect = 127.0.0.1:%d\nconnect = 127.0.0.1:%d\n"
		"[silent]\nmode = encrypt\naccept = 127.0.0.1:5\nconnect = 127.0.0.1:%d\n"
		"[hole]\nmode = encrypt\naccept = 127.0.0.1:6\nconnect-timeout = 1s\n"
		"connect = 127.0.0.1:%d\nconnect = 127.0.0.1:%d\n"
		"[opens]\nmode = encrypt\naccept = 127.0.0.1:7\npeer-name = localhost\n"
		"connect = 127.0.0.1:%d\nconnect = 127.0.0.1:%d\n",
		other.port, good.port, silent.port, good.port, silent.port, hole.port, other.port,
		hole.port, silent.port);
	identities_make_authority(&authority, "authority");
	identities_add(&files, "ca", &authority);
	identities_add_leaf(&files, "localhost", &authority, "localhost");
	pki_pair_release(&authority);
	identities_services(sections, &files, services);
	files_release(&files);
}

static int
open_group(void **state)
{
	struct diag diag;

	(void)state;
	listen_on(&good);
	listen_on(&other);
	listen_on(&silent);
	open_hole();
	load_services();
	assert_int_equal(loop_init(&loop, &budget, &diag), 0);
	ev_io_start(loop.ev, &good.io);
	ev_io_start(loop.ev, &other.io);
	return 0;
}

static int
close_group(void **state)
{
	(void)state;
	ev_io_stop(loop.ev, &good.io);
	ev_io_stop(loop.ev, &other.io);
	loop_release(&loop);
	(void)close(good.fd);
	(void)close(other.fd);
	(void)close(silent.fd);
	loopback_hole_close(&hole_sockets);
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(services[i]);
	return 0;
}

/* Each test begins with nothing remembered. */
static int
open_dialer(void **state)
{
	struct diag diag;

	(void)state;
	loop.dialer = dialer_new(&loop, &diag);
	return loop.dialer ? 0 : -1;
}

static int
close_dialer(void **state)
{
	(void)state;
	for (size_t i = 0; i < SESSIONS; i++) {
		if (sessions[i].transport)
			stream_abort(&sessions[i].transport->stream);
		sessions[i].transport = NULL;
	}
	if (outcome.transport)
		stream_abort(&outcome.transport->stream);
	outcome.transport = NULL;
	linger_end_all(&loop);
	dialer_free(loop.dialer);
	return 0;
}

static void
on_done(struct dial_waiter *waiter, const struct dial_result *result)
{
	(void)waiter;
	outcome.told++;
	outcome.transport = result->transport;
	outcome.port = ntohs(result->endpoint.v4.sin_port);
	outcome.timed_out = result->timed_out;
	if (result->diag)
		outcome.diag = *result->diag;
	ev_break(loop.ev, EVBREAK_ONE);
}

static double
run(double seconds)
{
	return timed_run(loop.ev, seconds);
}

static struct dial *
start(int service)
{
	outcome.told = 0;
	outcome.waiter.done = on_done;
	struct dial *dial = dial_start(&loop, services[service], &outcome.waiter);
	assert_non_null(dial);
	return dial;
}

static double
dial(int service)
{
	(void)start(service);
	double seconds = run(20.);
	assert_int_equal(outcome.told, 1);
	return seconds;
}

static bool
is_failing(const struct backend *backend)
{
	struct address address = {.kind = ADDRESS_IP, .port = backend->port, .host = "127.0.0.1"};
	struct endpoint endpoint;

	address_endpoint(&address, &endpoint);
	return dialer_is_failing(loop.dialer, &endpoint);
}

/* 127.0.0.1 is not a name in the certificate, localhost is. */
static void
the_host_of_each_target_must_be_proved_and_a_failed_handshake_is_a_failed_address(void **state)
{
	(void)state;
	(void)dial(BY_TARGET);
	assert_non_null(outcome.transport);
	assert_int_equal(outcome.port, good.port);
	assert_string_equal(tls_facts(outcome.transport).version, "TLS1.3");
	assert_null(outcome.transport->stream.waker);
	assert_true(is_failing(&other));
	assert_false(is_failing(&good));
}

static void
handshake_timeout_ends_a_silent_handshake_and_the_next_address_is_tried(void **state)
{
	double seconds;

	(void)state;
	seconds = dial(BY_PEER_NAME);
	assert_true(seconds > 0.9 && seconds < 1.6);
	assert_non_null(outcome.transport);
	assert_int_equal(outcome.port, good.port);
	assert_false(outcome.timed_out);
	assert_true(is_failing(&silent));
}

static void
a_handshake_that_timed_out_is_said(void **state)
{
	char words[128];

	(void)state;
	(void)dial(SILENT_ONLY);
	assert_null(outcome.transport);
	assert_true(outcome.timed_out);
	(void)snprintf(words, sizeof(words),
		"connect to 127.0.0.1:%d: handshake: not done within the handshake-timeout of 1 s",
		silent.port);
	assert_string_equal(outcome.diag.text, words);
}

static void
what_lost_the_race_to_a_bad_backend_is_tried_again_with_a_new_clock(void **state)
{
	double seconds;

	(void)state;
	seconds = dial(HOLE_FIRST);
	assert_null(outcome.transport);
	assert_true(outcome.timed_out);
	assert_int_equal(outcome.port, hole.port);
	assert_non_null(strstr(outcome.diag.text, "handshake: "));
	assert_non_null(strstr(outcome.diag.text, "no answer within the connect-timeout of 1 s"));
	assert_true(seconds > 1.2 && seconds < 1.8); /* 250 ms, then the second time */
}

static void
a_dial_that_is_stopped_in_its_handshake_leaves_nothing_behind(void **state)
{
	(void)state;
	struct dial *stopped = start(SILENT_ONLY);

	(void)run(0.1);
	dial_stop(stopped);
	(void)run(0.1);
	assert_int_equal(outcome.told, 0);
}

/* Its SYN is sent once more after a second, when it could get an answer. */
static void
what_lost_the_race_cannot_break_into_the_handshake_of_the_winner(void **state)
{
	(void)state;
	(void)start(HOLE_OPENS);
	(void)run(0.5);
	ev_io_start(loop.ev, &hole.io);
	double seconds = run(20.);
	ev_io_stop(loop.ev, &hole.io);
	assert_true(seconds > 0.7); /* the silent one had its time */
	assert_non_null(outcome.transport);
	assert_int_equal(outcome.port, hole.port);
	assert_true(is_failing(&silent));
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, open_dialer, close_dialer)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_host_of_each_target_must_be_proved_and_a_failed_handshake_is_a_failed_address),
		TEST(handshake_timeout_ends_a_silent_handshake_and_the_next_address_is_tried),
		TEST(a_handshake_that_timed_out_is_said),
		TEST(what_lost_the_race_to_a_bad_backend_is_tried_again_with_a_new_clock),
		TEST(what_lost_the_race_cannot_break_into_the_handshake_of_the_winner),
		TEST(a_dial_that_is_stopped_in_its_handshake_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, open_group, close_group);
}
