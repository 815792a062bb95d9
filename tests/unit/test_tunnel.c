/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/log.h"
#include "common/socket.h"
#include "tests/unit/loopback.h"
#include "tests/unit/timed.h"
#include "tunnel/dialer.h"
#include "tunnel/group.h"
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
	struct sockaddr_in address;
	struct diag diag;

	(void)state;
	log_configure(&(struct log_settings){.level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO});
	fixture = (struct fixture){.budget.limit = 16 << 20, .client = -1, .backend = -1};
	assert_int_equal(loop_init(&fixture.loop, &fixture.budget, &diag), 0);
	fixture.loop.dialer = dialer_new(&fixture.loop, &diag);
	assert_non_null(fixture.loop.dialer);

	fixture.listener = loopback_listen(SOCK_NONBLOCK, &address);
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

/* Turn the loop for @seconds. */
static void
turn(double seconds)
{
	(void)timed_run(fixture.loop.ev, seconds);
}

/* A connection: the near end for the test, the far end for the tunnel. */
static void
open_client(void)
{
	struct endpoint endpoint = {.length = sizeof(endpoint.v4)};
	struct service *service = &fixture.service;
	struct group *group = group_new(&service, 1);
	int fds[2];

	assert_non_null(group);

	loopback_pair(fds);
	fixture.client = fds[0];
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(getpeername(fds[1], &endpoint.any, &endpoint.length), 0);
	tunnel_start(&fixture.loop, group, fds[1], &endpoint);
	group_unref(group);
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
	fixture.config.idle_timeout = 1;
	open_tunnel();
	turn(0.6);
	assert_int_equal(send(fixture.client, "x", 1, 0), 1);
	turn(0.6);
	assert_int_equal(fixture.loop.tunnel_count, 1);
	expect(fixture.backend, "x");
	turn(1.1);
	assert_int_equal(fixture.loop.tunnel_count, 0);
	expect_reset(fixture.backend);
	expect_reset(fixture.client);
}

static void
a_half_closed_tunnel_has_a_patience_of_its_own(void **state)
{
	(void)state;
	fixture.config.idle_timeout = 0.5;
	fixture.config.half_close_timeout = 2;
	open_tunnel();
	assert_int_equal(shutdown(fixture.backend, SHUT_WR), 0);
	turn(1.2);
	assert_int_equal(fixture.loop.tunnel_count, 1);
	turn(1.2);
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

/* Whoever does not get past the greeting never needs credentials, so these are but there. */
static void
open_greeting(void)
{
	static struct credentials *const none;

	fixture.service.credentials[SIDE_ACCEPT] = (struct credentials *)(uintptr_t)&none;
	fixture.config.tls[SIDE_ACCEPT].handshake_timeout = 0.5;
	open_client();
}

static void
expect_alert(unsigned char description)
{
	unsigned char alert[] = {21, 3, 3, 0, 2, 2, description}, got[sizeof(alert)];

	assert_int_equal(
		recv(fixture.client, got, sizeof(got), MSG_WAITALL), (ssize_t)sizeof(alert));
	assert_memory_equal(got, alert, sizeof(alert));
	expect_end(fixture.client);
	(void)close(fixture.client);
	fixture.client = -1;
	turn(0.02);
	assert_int_equal(fixture.loop.lingering, 0);
	assert_int_equal(fixture.service.counters.accepted, 1);
	assert_int_equal(fixture.service.counters.refused, 1);
}

static void
what_is_no_hello_gets_an_alert_and_no_backend(void **state)
{
	(void)state;
	open_greeting();
	assert_int_equal(send(fixture.client, "GET / HTTP/1.1\r\n", 16, 0), 16);
	turn(0.02);
	assert_int_equal(fixture.loop.tunnel_count, 0);
	expect_alert(10);
	assert_int_equal(accept(fixture.listener, NULL, NULL), -1);
}

static void
a_name_that_no_service_has_gets_its_alert(void **state)
{
	static const char hello[] = "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03"
				    "0123456789abcdef0123456789abcdef"
				    "\x00\x00\x02\x13\x01\x01\x00";
	static const char *const patterns[] = {"a.test"};

	(void)state;
	fixture.config.tls[SIDE_ACCEPT].sni = (struct texts){patterns, 1};
	open_greeting();
	assert_int_equal(
		send(fixture.client, hello, sizeof(hello) - 1, 0), (ssize_t)sizeof(hello) - 1);
	turn(0.02);
	expect_alert(112);
}

static void
a_greeting_that_does_not_end_is_ended(void **state)
{
	(void)state;
	open_greeting();
	assert_int_equal(send(fixture.client, "\x16\x03\x01", 3, 0), 3);
	turn(0.05);
	assert_int_equal(fixture.loop.tunnel_count, 1);
	assert_true(fixture.budget.used > 0);
	turn(0.6);
	assert_int_equal(fixture.loop.tunnel_count, 0);
	expect_alert(80);
}

static void
who_leaves_without_a_word_is_a_probe(void **state)
{
	(void)state;
	open_greeting();
	turn(0.02);
	assert_int_equal(fixture.budget.used, 0);
	assert_int_equal(shutdown(fixture.client, SHUT_WR), 0);
	turn(0.02);
	expect_end(fixture.client);
	assert_int_equal(fixture.service.counters.probes, 1);
	assert_int_equal(fixture.service.counters.accepted, 1);
}

static void
a_greeting_can_be_aborted(void **state)
{
	(void)state;
	open_greeting();
	assert_int_equal(send(fixture.client, "\x16\x03\x01", 3, 0), 3);
	turn(0.02);
	tunnel_abort(fixture.loop.tunnels.next, "the test says so");
	assert_int_equal(fixture.budget.used, 0);
	assert_int_equal(fixture.service.counters.ended, 1);
	(void)close(fixture.client);
	fixture.client = -1;
	turn(0.02);
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
		TEST(what_is_no_hello_gets_an_alert_and_no_backend),
		TEST(a_name_that_no_service_has_gets_its_alert),
		TEST(a_greeting_that_does_not_end_is_ended),
		TEST(who_leaves_without_a_word_is_a_probe),
		TEST(a_greeting_can_be_aborted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
