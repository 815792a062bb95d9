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
assert_prepared(int fd, int keepalive)
{
	struct linger linger = {0};
	socklen_t length = sizeof(linger);

	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length), 0);
	assert_true(linger.l_onoff && linger.l_linger == 0);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), keepalive > 0);
	if (keepalive == 0)
		return;
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), keepalive);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 6);
}

static void
both_ends_of_a_connection_are_prepared(void **state)
{
	static const unsigned seconds[] = {60, 0};
	struct sockaddr_in here;
	struct endpoint there = {.length = sizeof(there.v4)}, peer;
	int listener = loopback_listen(SOCK_NONBLOCK, &here);
	struct diag diag;
	bool connected;

	(void)state;
	there.v4 = here;
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		socket_prepare(listener, seconds[i]);
		int fd = socket_connect(&there, seconds[i], &connected, &diag);
		wait_for(listener, POLLIN);
		int accepted = socket_accept(listener, &peer);
		assert_prepared(fd, (int)seconds[i]);
		assert_prepared(accepted, (int)seconds[i]);
		close(fd);
		close(accepted);
	}
	close(listener);
}

static void
a_prepared_socket_ends_in_a_reset_unless_it_is_closed_by_name(void **state)
{
	int pair[2];
	char byte;

	(void)state;
	loopback_pair(pair);
	socket_prepare(pair[0], 0);
	close(pair[0]);
	wait_for(pair[1], POLLIN);
	assert_int_equal(option(pair[1], SOL_SOCKET, SO_ERROR), ECONNRESET);
	close(pair[1]);

	loopback_pair(pair);
	socket_prepare(pair[0], 0);
	socket_close(pair[0]);
	wait_for(pair[1], POLLIN);
	assert_int_equal(read(pair[1], &byte, 1), 0);
	close(pair[1]);

	loopback_pair(pair);
	socket_reset(pair[0]);
	wait_for(pair[1], POLLIN);
	assert_int_equal(option(pair[1], SOL_SOCKET, SO_ERROR), ECONNRESET);
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
	int fd = socket_connect(&there, 0, &connected, &diag);
	if (fd < 0) {
		assert_string_equal(diag.text, "Connection refused");
	} else {
		assert_false(connected);
		wait_for(fd, POLLOUT);
		assert_int_equal(socket_error(fd, &there), ECONNREFUSED);
		close(fd);
	}
	close(bound);
}

static void
a_connection_that_met_itself_is_refused(void **state)
{
	struct endpoint here = {.length = sizeof(here.v4)};
	int fd = loopback_bind(0, &here.v4);

	(void)state;
	assert_int_equal(connect(fd, &here.any, here.length), 0);
	assert_int_equal(socket_error(fd, &here), ECONNREFUSED);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_peer_has_the_address_it_came_from),
		cmocka_unit_test(both_ends_of_a_connection_are_prepared),
		cmocka_unit_test(a_prepared_socket_ends_in_a_reset_unless_it_is_closed_by_name),
		cmocka_unit_test(bytes_that_the_peer_takes_no_more_are_unsent),
		cmocka_unit_test(a_refused_connect_says_so),
		cmocka_unit_test(a_connection_that_met_itself_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
