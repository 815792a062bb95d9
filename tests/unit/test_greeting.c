/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/socket.h"
#include "tests/unit/loopback.h"
#include "tunnel/greeting.h"
#include "tunnel/group.h"
#include "tunnel/linger.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/transport.h"

/* A ClientHello for "A.test" with the protocol "h2", in two records, and a third record behind it. */
static const char hello[] = "\x16\x03\x01\x00\x30"
			    "\x01\x00\x00\x43\x03\x03"
			    "0123456789abcdef0123456789abcdef"
			    "\x00\x00\x02\x13\x01\x01\x00\x00\x18\x00"
			    "\x16\x03\x01\x00\x17"
			    "\x00\x00\x0b\x00\x09\x00\x00\x06"
			    "A.test"
			    "\x00\x10\x00\x05\x00\x03\x02"
			    "h2"
			    "\x17\x03\x03\x00\x01x";
enum { WHOLE = sizeof(hello) - 1 - 6 };

static const char *const a_names[] = {"a.test"}, *const b_names[] = {"b.test"};
static const char *const h2[] = {"http/1.1", "h2"}, *const smtp[] = {"smtp"};

static struct {
	struct pool_budget budget;
	struct loop loop;
	struct transport *transport;
	struct greeting *greeting;
	struct service_config configs[2];
	struct service services[2];
	struct diag diag;
	int client;
} fixture;

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	fixture.budget.limit = 1 << 20;
	assert_int_equal(loop_init(&fixture.loop, &fixture.budget, &fixture.diag), 0);
	loopback_pair(fds);
	fixture.client = fds[0];
	fixture.transport = transport_new(&fixture.loop, fds[1]);
	fixture.greeting = greeting_new();
	assert_non_null(fixture.transport);
	assert_non_null(fixture.greeting);
	for (size_t i = 0; i < 2; i++) {
		fixture.configs[i].tls[SIDE_ACCEPT].sni = (struct texts){i ? b_names : a_names, 1};
		fixture.services[i] =
			(struct service){.config = &fixture.configs[i], .references = 1};
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	greeting_free(fixture.greeting, &fixture.loop.pool);
	if (fixture.transport)
		transport_free(fixture.transport);
	linger_end_all(&fixture.loop);
	assert_int_equal(fixture.budget.used, 0);
	loop_release(&fixture.loop);
	if (fixture.client >= 0)
		(void)close(fixture.client);
	return 0;
}

static void
send_bytes(const char *bytes, size_t size)
{
	assert_int_equal(send(fixture.client, bytes, size, 0), (ssize_t)size);
	fixture.transport->stream.readable = true;
}

/* Read until what was sent has come: loopback is quick, but no promise. */
static enum io
read_greeting(size_t size)
{
	enum io answer = IO_WANT_READ;

	while (answer == IO_WANT_READ && buffer_length(&fixture.greeting->received) < size) {
		fixture.transport->stream.readable = true;
		answer = greeting_read(fixture.greeting, fixture.transport, &fixture.diag);
	}
	return answer;
}

static void
a_hello_is_kept_byte_by_byte_until_it_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < WHOLE; i++) {
		send_bytes(hello + i, 1);
		assert_int_equal(read_greeting(i + 1), i + 1 < WHOLE ? IO_WANT_READ : IO_DONE);
	}
	assert_memory_equal(buffer_bytes(&fixture.greeting->received), hello, WHOLE);
	assert_string_equal(fixture.greeting->hello.name, "a.test");
}

static void
a_large_hello_waits_only_while_there_is_memory(void **state)
{
	static char large[5 + (16 << 10)] = "\x16\x03\x01\x40\x00\x01\x00\xf0";

	(void)state;
	send_bytes(large, sizeof(large));
	assert_int_equal(read_greeting(sizeof(large)), IO_WANT_READ);
	fixture.budget.limit = 1;
	send_bytes("\x16", 1);
	assert_int_equal(read_greeting(sizeof(large) + 1), IO_ERROR);
	assert_int_equal(fixture.greeting->alert, HELLO_INTERNAL_ERROR);
	assert_non_null(strstr(fixture.diag.text, "buffer-memory is used up"));
}

static void
a_small_hello_needs_no_memory_that_is_left(void **state)
{
	(void)state;
	fixture.budget.limit = 1;
	send_bytes(hello, 20);
	assert_int_equal(read_greeting(20), IO_WANT_READ);
	send_bytes(hello + 20, WHOLE - 20);
	assert_int_equal(read_greeting(WHOLE), IO_DONE);
}

static void
what_came_behind_the_hello_is_kept_with_it(void **state)
{
	(void)state;
	send_bytes(hello, sizeof(hello) - 1);
	assert_int_equal(read_greeting(sizeof(hello) - 1), IO_DONE);
	assert_int_equal(buffer_length(&fixture.greeting->received), sizeof(hello) - 1);
	assert_memory_equal(buffer_bytes(&fixture.greeting->received), hello, sizeof(hello) - 1);
}

static void
who_leaves_without_a_byte_is_a_probe(void **state)
{
	(void)state;
	assert_int_equal(shutdown(fixture.client, SHUT_WR), 0);
	assert_int_equal(read_greeting(1), IO_END);
	assert_int_equal(fixture.budget.used, 0);
}

static void
a_connection_that_ends_inside_the_hello_is_an_error(void **state)
{
	(void)state;
	send_bytes(hello, 20);
	assert_int_equal(shutdown(fixture.client, SHUT_WR), 0);
	assert_int_equal(read_greeting(21), IO_ERROR);
	assert_string_equal(fixture.diag.text, "handshake: the peer closed the connection");
}

static void
a_reset_inside_the_hello_is_told_as_one(void **state)
{
	(void)state;
	send_bytes(hello, 20);
	assert_int_equal(read_greeting(20), IO_WANT_READ);
	socket_reset(fixture.client);
	fixture.client = -1;
	assert_int_equal(read_greeting(21), IO_ERROR);
	assert_string_equal(fixture.diag.text, "handshake: receive: Connection reset by peer");
}

static void
what_is_no_hello_has_words_and_an_alert(void **state)
{
	(void)state;
	send_bytes("GET / HTTP/1.1\r\n\r\n", 18);
	assert_int_equal(read_greeting(18), IO_ERROR);
	assert_int_equal(fixture.greeting->alert, HELLO_UNEXPECTED_MESSAGE);
	assert_non_null(strstr(fixture.diag.text, "handshake: the peer does not speak TLS"));
}

/* What greeting_choose() says when the group has the first @count services. */
static struct service *
choose(size_t first, size_t count)
{
	struct service *services[] = {&fixture.services[0], &fixture.services[1]};
	struct group *group = group_new(services + first, count);

	assert_non_null(group);
	send_bytes(hello, sizeof(hello) - 1);
	assert_int_equal(read_greeting(WHOLE), IO_DONE);
	struct service *service = greeting_choose(fixture.greeting, group, &fixture.diag);
	group_unref(group);
	return service;
}

static void
the_name_in_the_hello_chooses_the_service(void **state)
{
	(void)state;
	assert_ptr_equal(choose(0, 2), &fixture.services[0]);
}

static void
an_unknown_name_is_refused_with_its_alert(void **state)
{
	(void)state;
	assert_null(choose(1, 1));
	assert_int_equal(fixture.greeting->alert, HELLO_UNRECOGNIZED_NAME);
	assert_string_equal(
		fixture.diag.text, "handshake: no service has the name \"a.test\" in sni");
}

static void
one_common_protocol_is_enough(void **state)
{
	(void)state;
	fixture.configs[0].tls[SIDE_ACCEPT].alpn = (struct texts){h2, 2};
	fixture.configs[1].tls[SIDE_ACCEPT].alpn = (struct texts){smtp, 1};
	assert_ptr_equal(choose(0, 2), &fixture.services[0]);
}

static void
no_common_protocol_is_refused_with_its_alert(void **state)
{
	(void)state;
	fixture.configs[0].tls[SIDE_ACCEPT].alpn = (struct texts){smtp, 1};
	assert_null(choose(0, 2));
	assert_int_equal(fixture.greeting->alert, HELLO_NO_APPLICATION_PROTOCOL);
	assert_string_equal(fixture.diag.text,
		"handshake: the client offers \"h2\", and none of that is in alpn");
}

static void
a_refusal_arrives_although_bytes_were_not_read(void **state)
{
	unsigned char got[16];

	(void)state;
	fixture.greeting->alert = HELLO_UNRECOGNIZED_NAME;
	send_bytes(hello, sizeof(hello) - 1);
	greeting_refuse(fixture.greeting, fixture.transport);
	fixture.transport = NULL;
	assert_int_equal(recv(fixture.client, got, sizeof(got), MSG_WAITALL), 7);
	assert_memory_equal(got, "\x15\x03\x03\x00\x02\x02\x70", 7);
	assert_int_equal(recv(fixture.client, got, sizeof(got), 0), 0);
}

static void
who_has_reset_the_connection_is_told_nothing(void **state)
{
	unsigned char got;

	(void)state;
	fixture.transport->stream.reset = true;
	greeting_refuse(fixture.greeting, fixture.transport);
	fixture.transport = NULL;
	assert_int_equal(recv(fixture.client, &got, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hello_is_kept_byte_by_byte_until_it_is_whole),
		TEST(a_large_hello_waits_only_while_there_is_memory),
		TEST(a_small_hello_needs_no_memory_that_is_left),
		TEST(what_came_behind_the_hello_is_kept_with_it),
		TEST(who_leaves_without_a_byte_is_a_probe),
		TEST(a_connection_that_ends_inside_the_hello_is_an_error),
		TEST(a_reset_inside_the_hello_is_told_as_one),
		TEST(what_is_no_hello_has_words_and_an_alert),
		TEST(the_name_in_the_hello_chooses_the_service),
		TEST(an_unknown_name_is_refused_with_its_alert),
		TEST(one_common_protocol_is_enough),
		TEST(no_common_protocol_is_refused_with_its_alert),
		TEST(a_refusal_arrives_although_bytes_were_not_read),
		TEST(who_has_reset_the_connection_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
