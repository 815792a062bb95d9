/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/files.h"
#include "tunnel/command_pki.h"
#include "tunnel/config.h"
#include "tunnel/dial.h"
#include "tunnel/dialer.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

enum { BACKENDS = 4, SESSIONS = 8, FILLERS = 2 };
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

static char directory[] = "/tmp/sallyport-test-dial-XXXXXX";
static struct backend good, other, silent, hole;
static int fillers[FILLERS]; /* connections that fill the backlog of the hole */
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
pki(const char *const *words)
{
	char *argv[8];
	int argc = 0;

	while (words[argc]) {
		argv[argc] = strdup(words[argc]);
		argc++;
	}
	argv[argc] = NULL;
	assert_int_equal(command_pki(argc, argv), 0);
	while (argc > 0)
		free(argv[--argc]);
}

static void
on_session(struct waker *waker)
{
	struct session *session = container_of(waker, struct session, waker);
	struct stream *stream = &session->transport->stream;
	struct diag diag;

	switch (tls_handshake(session->transport, &diag)) {
	case IO_WANT_READ:
	case IO_WANT_WRITE:
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
				 NULL, &diag),
		0);
	on_session(&session->waker);
}

static void
listen_on(struct backend *backend)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);

	backend->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(backend->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(backend->fd, 8), 0);
	assert_int_equal(getsockname(backend->fd, (struct sockaddr *)&address, &length), 0);
	backend->port = ntohs(address.sin_port);
	ev_io_init(&backend->io, on_client, backend->fd, EV_READ);
}

/* Nobody who connects to it gets an answer any more. */
static void
fill_backlog(const struct backend *backend)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(backend->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	assert_int_equal(listen(backend->fd, 0), 0);
	for (size_t i = 0; i < FILLERS; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fillers[i], (struct sockaddr *)&address, sizeof(address));
	}
}

static void
load_services(void)
{
	char sections[2048], path[64];
	struct config_text text = {.name = path, .data = sections};
	struct config_texts texts = {0};
	struct files files = {0};
	struct diag diag;

	(void)snprintf(path, sizeof(path), "%s/sallyport.conf", directory);
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
	text.size = strlen(sections);
	assert_int_equal(config_texts_add(&texts, &text, &diag), 0);
	struct config *config = config_new(&texts, stderr);
	assert_non_null(config);
	assert_int_equal(config_read_files(config, &files, stderr), 0);
	assert_int_equal(services_new(config, &files, services, stderr), 0);
	config_unref(config);
	files_release(&files);
	config_texts_release(&texts);
}

static int
open_group(void **state)
{
	struct diag diag;

	(void)state;
	assert_non_null(mkdtemp(directory));
	pki((const char *const[]){"pki", "init", directory, NULL});
	pki((const char *const[]){
		"pki", "issue", directory, "localhost", "--dns", "localhost", NULL});
	listen_on(&good);
	listen_on(&other);
	listen_on(&silent);
	listen_on(&hole);
	fill_backlog(&hole);
	load_services();
	assert_int_equal(loop_init(&loop, &budget, &diag), 0);
	ev_io_start(loop.ev, &good.io);
	ev_io_start(loop.ev, &other.io);
	return 0;
}

static int
close_group(void **state)
{
	static const char *const names[] = {"ca.crt", "ca.key", "localhost.crt", "localhost.key"};
	const int fds[BACKENDS] = {good.fd, other.fd, silent.fd, hole.fd};
	char path[64];

	(void)state;
	ev_io_stop(loop.ev, &good.io);
	ev_io_stop(loop.ev, &other.io);
	loop_release(&loop);
	for (size_t i = 0; i < BACKENDS; i++)
		(void)close(fds[i]);
	for (size_t i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(services[i]);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		(void)unlink(path);
	}
	return rmdir(directory);
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
	transport_end_linger(&loop);
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

static void
on_time(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(ev, EVBREAK_ONE);
}

static double
run(double seconds)
{
	double begin = clock_seconds();
	struct ev_timer timer;

	ev_now_update(loop.ev);
	ev_timer_init(&timer, on_time, seconds, 0.);
	ev_timer_start(loop.ev, &timer);
	(void)ev_run(loop.ev, 0);
	ev_timer_stop(loop.ev, &timer);
	return clock_seconds() - begin;
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
