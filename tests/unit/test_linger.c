/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/loopback.h"
#include "tests/unit/timed.h"
#include "tunnel/linger.h"
#include "tunnel/loop.h"

/* A socket that lingers, and the test as its peer. */
static struct {
	struct pool_budget budget;
	struct loop loop;
	int fd, peer;
} fixture;

static int
setup(void **state)
{
	struct diag diag;
	int fds[2];

	(void)state;
	assert_int_equal(loop_init(&fixture.loop, &fixture.budget, &diag), 0);
	loopback_pair(fds);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	fixture.fd = fds[0];
	fixture.peer = fds[1];
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	linger_end_all(&fixture.loop);
	assert_int_equal(fixture.loop.lingering, 0);
	loop_release(&fixture.loop);
	(void)close(fixture.peer);
	return 0;
}

static void
turn(double seconds)
{
	(void)timed_run(fixture.loop.ev, seconds);
}

static void
send_some(void)
{
	char bytes[10000] = "";

	assert_int_equal(send(fixture.peer, bytes, sizeof(bytes), 0), sizeof(bytes));
}

/* The error that the peer's socket has: EPIPE for a RST that came after a FIN. */
static int
peer_error(void)
{
	struct pollfd asked = {.fd = fixture.peer};
	int error = 0;
	socklen_t length = sizeof(error);

	assert_int_equal(poll(&asked, 1, 5000), 1);
	assert_int_equal(getsockopt(fixture.peer, SOL_SOCKET, SO_ERROR, &error, &length), 0);
	return error;
}

/* Begin; the peer sees a FIN at once. */
static void
begin(void)
{
	char byte;

	linger_start(&fixture.loop, fixture.fd);
	assert_int_equal(recv(fixture.peer, &byte, 1, 0), 0);
	assert_int_equal(fixture.loop.lingering, 1);
}

static void
it_reads_on_until_the_peer_ends(void **state)
{
	(void)state;
	begin();
	send_some();
	turn(0.02);
	assert_int_equal(fixture.loop.lingering, 1);
	assert_int_equal(shutdown(fixture.peer, SHUT_WR), 0);
	turn(0.02);
	assert_int_equal(fixture.loop.lingering, 0);
	assert_int_equal(peer_error(), 0);
}

static void
who_sends_on_and_on_is_reset(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 7; i++) {
		assert_int_equal(fixture.loop.lingering, 1);
		send_some();
		turn(0.02);
	}
	assert_int_equal(fixture.loop.lingering, 0);
	assert_int_equal(peer_error(), EPIPE);
}

static void
who_does_not_end_in_two_seconds_is_reset(void **state)
{
	(void)state;
	begin();
	turn(1.5);
	assert_int_equal(fixture.loop.lingering, 1);
	turn(1.0);
	assert_int_equal(fixture.loop.lingering, 0);
	assert_int_equal(peer_error(), EPIPE);
}

static void
the_end_of_the_loop_resets_who_still_lingers(void **state)
{
	(void)state;
	begin();
	linger_end_all(&fixture.loop);
	assert_int_equal(fixture.loop.lingering, 0);
	assert_int_equal(peer_error(), EPIPE);
}

static void
where_too_many_linger_the_next_is_reset_at_once(void **state)
{
	char byte;

	(void)state;
	fixture.loop.lingering = 1024;
	linger_start(&fixture.loop, fixture.fd);
	assert_int_equal(fixture.loop.lingering, 1024);
	assert_true(list_is_empty(&fixture.loop.lingers));
	assert_int_equal(recv(fixture.peer, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	fixture.loop.lingering = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_reads_on_until_the_peer_ends),
		TEST(who_sends_on_and_on_is_reset),
		TEST(who_does_not_end_in_two_seconds_is_reset),
		TEST(the_end_of_the_loop_resets_who_still_lingers),
		TEST(where_too_many_linger_the_next_is_reset_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
