/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/socket.h"
#include "tests/unit/loopback.h"

static void
wait_for(int fd, short events)
{
	struct pollfd asked = {.fd = fd, .events = events};

	assert_int_equal(poll(&asked, 1, 5000), 1);
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

static void
an_accepted_peer_has_the_address_it_came_from(void **state)
{
	struct sockaddr_in address;
	int listener = loopback_listen(SOCK_NONBLOCK, &address), fd = loopback_connect(&address);
	struct endpoint peer, from = {.length = sizeof(from.v4)};

	(void)state;
	wait_for(listener, POLLIN);
	int accepted = socket_accept(listener, &peer);
	assert_true(accepted >= 0);
	assert_int_equal(getsockname(fd, &from.any, &from.length), 0);
	assert_true(endpoint_is_equal(&peer, &from));
	assert_int_equal(socket_accept(listener, &peer), -1);
	assert_int_equal(errno, EAGAIN);
	close(listener);
	close(fd);
	close(accepted);
}

static void
a_prepared_tcp_socket_has_its_options_and_a_unix_one_none(void **state)
{
	int pair[2], local[2];

	(void)state;
	loopback_pair(pair);
	socket_prepare(pair[0], 60);
	assert_int_equal(option(pair[0], IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(pair[0], SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(pair[0], IPPROTO_TCP, TCP_KEEPIDLE), 60);
	assert_int_equal(option(pair[0], IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(option(pair[0], IPPROTO_TCP, TCP_KEEPCNT), 6);
	assert_int_equal(option(pair[0], IPPROTO_TCP, TCP_USER_TIMEOUT), 120000);
	socket_prepare(pair[1], 0);
	assert_int_equal(option(pair[1], IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(pair[1], SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, local), 0);
	socket_prepare(local[0], 60);
	assert_int_equal(option(local[0], SOL_SOCKET, SO_KEEPALIVE), 0);
	close(pair[0]);
	close(pair[1]);
	close(local[0]);
	close(local[1]);
}

static void
an_abortive_socket_ends_in_a_reset_and_another_does_not(void **state)
{
	int pair[2];
	char byte;

	(void)state;
	loopback_pair(pair);
	socket_set_abortive(pair[0], true);
	close(pair[0]);
	wait_for(pair[1], POLLIN);
	assert_int_equal(socket_error(pair[1]), ECONNRESET);
	close(pair[1]);

	loopback_pair(pair);
	socket_set_abortive(pair[0], true);
	socket_set_abortive(pair[0], false);
	close(pair[0]);
	wait_for(pair[1], POLLIN);
	assert_int_equal(read(pair[1], &byte, 1), 0);
	close(pair[1]);
}

static void
bytes_that_the_peer_takes_no_more_are_unsent(void **state)
{
	static const char bytes[65536];
	int pair[2], local[2];

	(void)state;
	loopback_pair(pair);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(write(pair[0], bytes, 10), 10);
	assert_false(socket_holds_unsent(pair[0]));
	while (write(pair[0], bytes, sizeof(bytes)) > 0)
		continue;
	assert_int_equal(errno, EAGAIN);
	assert_true(socket_holds_unsent(pair[0]));
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, local), 0);
	assert_false(socket_holds_unsent(local[0]));
	close(local[0]);
	close(local[1]);
}

static void
a_refused_connect_says_so(void **state)
{
	struct endpoint there = {.length = sizeof(there.v4)};
	int bound = loopback_bind(0, &there.v4);
	struct diag diag = {""};
	bool connected = true;

	(void)state;
	int fd = socket_connect(&there, &connected, &diag);
	if (fd < 0) {
		assert_string_equal(diag.text, "Connection refused");
	} else {
		assert_false(connected);
		wait_for(fd, POLLOUT);
		assert_int_equal(socket_error(fd), ECONNREFUSED);
		close(fd);
	}
	close(bound);
}

static void
a_connection_that_met_itself_is_refused(void **state)
{
	struct sockaddr_in here;
	int fd = loopback_bind(0, &here);

	(void)state;
	assert_int_equal(connect(fd, (const struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(socket_error(fd), ECONNREFUSED);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_peer_has_the_address_it_came_from),
		cmocka_unit_test(a_prepared_tcp_socket_has_its_options_and_a_unix_one_none),
		cmocka_unit_test(an_abortive_socket_ends_in_a_reset_and_another_does_not),
		cmocka_unit_test(bytes_that_the_peer_takes_no_more_are_unsent),
		cmocka_unit_test(a_refused_connect_says_so),
		cmocka_unit_test(a_connection_that_met_itself_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
