/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/log.h"
#include "common/socket.h"
#include "tunnel/dialer.h"
#include "tunnel/loop.h"
#include "tunnel/relay.h"
#include "tunnel/service.h"
#include "tunnel/transport.h"
#include "tunnel/tunnel.h"

/*
 * A tunnel between two plain sockets: the test is the client and the backend, and turns the loop by
 * hand, so that each of them can be as slow as it likes. TLS is test_tls.c's matter.
 */
struct fixture {
	struct pool_budget budget;
	struct loop loop;
	struct address target;
	struct service_config config;
	struct service service;
	int listener, client, backend;
};

static struct fixture fixture;

static int
setup(void **state)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	struct diag diag;

	(void)state;
	log_configure(&(struct log_settings){.level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO});
	fixture = (struct fixture){.budget.limit = 16 << 20, .client = -1, .backend = -1};
	assert_int_equal(loop_init(&fixture.loop, &fixture.budget, &diag), 0);
	fixture.loop.dialer = dialer_new(&fixture.loop, &diag);
	assert_non_null(fixture.loop.dialer);

	fixture.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fixture.listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fixture.listener, 8), 0);
	assert_int_equal(getsockname(fixture.listener, (struct sockaddr *)&address, &length), 0);

	fixture.target = (struct address){.kind = ADDRESS_IP, .host = "127.0.0.1"};
	fixture.target.port = ntohs(address.sin_port);
	fixture.config = (struct service_config){
		.name = "test",
		.mode = MODE_ENCRYPT,
		.connect = &fixture.target,
		.connect_count = 1,
		.connect_timeout = 5,
		.half_close_timeout = 60,
	};
	fixture.service = (struct service){.config = &fixture.config, .references = 1};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(fixture.loop.tunnel_count, 0);
	assert_int_equal(fixture.service.references, 1);
	assert_int_equal(fixture.budget.used, 0);
	dialer_free(fixture.loop.dialer);
	loop_release(&fixture.loop);
	(void)close(fixture.listener);
	if (fixture.client >= 0)
		(void)close(fixture.client);
	if (fixture.backend >= 0)
		(void)close(fixture.backend);
	return 0;
}

static void
on_limit(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(ev, EVBREAK_ALL);
}

/* Turn the loop for @seconds. */
static void
turn(double seconds)
{
	struct ev_timer limit;

	ev_timer_init(&limit, on_limit, seconds, 0.);
	ev_now_update(fixture.loop.ev);
	ev_timer_start(fixture.loop.ev, &limit);
	ev_run(fixture.loop.ev, 0);
	ev_timer_stop(fixture.loop.ev, &limit);
}

/* A connection to a listener of its own: the near end for the test, the far end for the tunnel. */
static void
open_client(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct endpoint endpoint = {.length = sizeof(endpoint.v4)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	fixture.client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fixture.client, (struct sockaddr *)&address, length), 0);
	int accepted = accept4(listener, &endpoint.any, &endpoint.length, SOCK_NONBLOCK);
	assert_true(accepted >= 0);
	(void)close(listener);
	tunnel_start(&fixture.loop, &fixture.service, accepted, &endpoint);
}

/* Start a tunnel and take its connection at the backend. */
static void
open_tunnel(void)
{
	open_client();
	for (int i = 0; i < 100 && fixture.backend < 0; i++) {
		turn(0.01);
		fixture.backend = accept4(fixture.listener, NULL, NULL, SOCK_NONBLOCK);
	}
	assert_true(fixture.backend >= 0);
	turn(0.02);
	assert_int_equal(fcntl(fixture.client, F_SETFL, O_NONBLOCK), 0);
}

static void
expect(int fd, const char *string)
{
	char bytes[100];
	ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

	assert_int_equal(got, (ssize_t)strlen(string));
	assert_memory_equal(bytes, string, strlen(string));
}

static void
expect_end(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static void
expect_reset(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

static void
bytes_go_both_ways_and_an_idle_tunnel_holds_no_memory(void **state)
{
	(void)state;
	open_tunnel();
	assert_int_equal(send(fixture.client, "ask", 3, 0), 3);
	assert_int_equal(send(fixture.backend, "answer", 6, 0), 6);
	turn(0.02);
	expect(fixture.backend, "ask");
	expect(fixture.client, "answer");
	assert_int_equal(fixture.budget.used, 0);
	assert_int_equal(shutdown(fixture.client, SHUT_WR), 0);
	assert_int_equal(shutdown(fixture.backend, SHUT_WR), 0);
	turn(0.02);
	expect_end(fixture.client);
	expect_end(fixture.backend);
	assert_int_equal(fixture.service.counters.ended, 1);
}

static void
each_way_ends_on_its_own(void **state)
{
	(void)state;
	open_tunnel();
	assert_int_equal(send(fixture.client, "last", 4, 0), 4);
	assert_int_equal(shutdown(fixture.client, SHUT_WR), 0);
	turn(0.02);
	expect(fixture.backend, "last");
	expect_end(fixture.backend);
	assert_int_equal(fixture.loop.tunnel_count, 1);
	turn(0.05);
	assert_int_equal(send(fixture.backend, "late answer", 11, 0), 11);
	assert_int_equal(shutdown(fixture.backend, SHUT_WR), 0);
	turn(0.02);
	expect(fixture.client, "late answer");
	expect_end(fixture.client);
}

static void
a_reset_of_one_side_is_a_reset_of_the_other(void **state)
{
	(void)state;
	open_tunnel();
	socket_reset(fixture.client);
	fixture.client = -1;
	turn(0.02);
	expect_reset(fixture.backend);
}

static void
a_backend_that_refuses_is_a_reset_of_the_client(void **state)
{
	(void)state;
	(void)close(fixture.listener);
	fixture.listener = -1;
	open_client();
	turn(0.1);
	expect_reset(fixture.client);
	assert_int_equal(fixture.service.counters.failed, 1);
}

/* Send until the socket takes no more. Returns how much it took. */
static size_t
flood(int fd, size_t position)
{
	uint8_t bytes[65536];
	size_t total = 0;

	for (;;) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)((position + total + i) % 251);
		ssize_t sent = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
		if (sent < 0)
			return total;
		total += (size_t)sent;
	}
}

static void
a_reader_that_stops_stops_the_sender_and_loses_nothing(void **state)
{
	size_t sent = 0, received = 0;

	(void)state;
	open_tunnel();
	for (int i = 0; i < 50; i++) {
		sent += flood(fixture.client, sent);
		turn(0.005);
		assert_true(fixture.budget.used <= 512 << 10);
	}
	size_t before = sent;
	sent += flood(fixture.client, sent);
	assert_int_equal(sent, before);
	assert_true(fixture.budget.used > 0);
	assert_int_equal(shutdown(fixture.client, SHUT_WR), 0);
	while (received < sent) {
		uint8_t bytes[65536];
		ssize_t got = recv(fixture.backend, bytes, sizeof(bytes), 0);

		for (ssize_t i = 0; i < got; i++)
			assert_int_equal(bytes[i], (received + (size_t)i) % 251);
		received += got > 0 ? (size_t)got : 0;
		turn(0.001);
	}
	turn(0.02);
	expect_end(fixture.backend);
	assert_int_equal(shutdown(fixture.backend, SHUT_WR), 0);
	turn(0.02);
}

static void
a_reset_crosses_a_stalled_tunnel(void **state)
{
	(void)state;
	open_tunnel();
	for (int i = 0; i < 50; i++) {
		(void)flood(fixture.client, 0);
		turn(0.005);
	}
	socket_reset(fixture.client);
	fixture.client = -1;
	turn(1.3);
	assert_int_equal(fixture.loop.tunnel_count, 0);
}

static void
an_idle_tunnel_is_aborted_and_data_renews_it(void **state)
{
	(void)state;
	fixture.config.idle_timeout = 0.2;
	open_tunnel();
	turn(0.12);
	assert_int_equal(send(fixture.client, "x", 1, 0), 1);
	turn(0.12);
	assert_int_equal(fixture.loop.tunnel_count, 1);
	expect(fixture.backend, "x");
	turn(0.12);
	assert_int_equal(fixture.loop.tunnel_count, 0);
	expect_reset(fixture.backend);
	expect_reset(fixture.client);
}

static void
a_half_closed_tunnel_has_a_patience_of_its_own(void **state)
{
	(void)state;
	fixture.config.idle_timeout = 0.05;
	fixture.config.half_close_timeout = 0.3;
	open_tunnel();
	assert_int_equal(shutdown(fixture.backend, SHUT_WR), 0);
	turn(0.2);
	assert_int_equal(fixture.loop.tunnel_count, 1);
	turn(0.2);
	assert_int_equal(fixture.loop.tunnel_count, 0);
	expect_reset(fixture.backend);
}

static void
an_aborted_tunnel_resets_both_sides(void **state)
{
	(void)state;
	open_tunnel();
	tunnel_abort(fixture.loop.tunnels.next, "the test says so");
	expect_reset(fixture.client);
	expect_reset(fixture.backend);
}

static void
memory_that_is_used_up_slows_a_tunnel_but_does_not_stop_it(void **state)
{
	size_t sent, received = 0;

	(void)state;
	open_tunnel();
	fixture.budget.limit = 0;
	sent = flood(fixture.client, 0);
	for (int i = 0; i < 50; i++) {
		turn(0.005);
		assert_true(fixture.budget.used <= RELAY_BATCH_MIN);
	}
	for (int i = 0; i < 5000 && received < sent; i++) {
		uint8_t bytes[65536];
		ssize_t got = recv(fixture.backend, bytes, sizeof(bytes), 0);

		received += got > 0 ? (size_t)got : 0;
		assert_true(fixture.budget.used <= RELAY_BATCH_MIN);
		turn(0.001);
	}
	assert_int_equal(received, sent);
	tunnel_abort(fixture.loop.tunnels.next, "the test is over");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_both_ways_and_an_idle_tunnel_holds_no_memory),
		TEST(each_way_ends_on_its_own),
		TEST(a_reset_of_one_side_is_a_reset_of_the_other),
		TEST(a_backend_that_refuses_is_a_reset_of_the_client),
		TEST(a_reader_that_stops_stops_the_sender_and_loses_nothing),
		TEST(a_reset_crosses_a_stalled_tunnel),
		TEST(an_idle_tunnel_is_aborted_and_data_renews_it),
		TEST(a_half_closed_tunnel_has_a_patience_of_its_own),
		TEST(an_aborted_tunnel_resets_both_sides),
		TEST(memory_that_is_used_up_slows_a_tunnel_but_does_not_stop_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
