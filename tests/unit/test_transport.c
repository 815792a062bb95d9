/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/socket.h"
#include "tests/unit/loopback.h"
#include "tests/unit/timed.h"
#include "tunnel/loop.h"
#include "tunnel/stream.h"
#include "tunnel/transport.h"

enum { BATCH = 512 << 10, SOCKET_BUFFER = 16 << 10 };

/* The stream of a plain TCP socket, and the test as its peer. */
struct fixture {
	struct pool_budget budget;
	struct loop loop;
	struct transport *transport; /* NULL: given up by the test */
	struct stream *stream;
	struct waker waker;
	unsigned woken;
	int peer;
	struct diag diag;
};

static struct fixture fixture;

static void
on_wake(struct waker *waker)
{
	assert_ptr_equal(waker, &fixture.waker);
	fixture.woken++;
}

/* A connection over the loopback interface, nonblocking at both ends. */
static void
tcp_pair(int fds[2])
{
	struct sockaddr_in address;
	int listener = loopback_listen(0, &address), size = SOCKET_BUFFER;

	/* so small that a batch does not fit */
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	fds[0] = loopback_connect(&address);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fds[1] >= 0);
	(void)close(listener);
}

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	fixture = (struct fixture){.budget.limit = 64 << 20, .waker.wake = on_wake};
	assert_int_equal(loop_init(&fixture.loop, &fixture.budget, &fixture.diag), 0);
	tcp_pair(fds);
	fixture.transport = transport_new(&fixture.loop, fds[0]);
	assert_non_null(fixture.transport);
	fixture.stream = &fixture.transport->stream;
	fixture.stream->waker = &fixture.waker;
	fixture.peer = fds[1];
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (fixture.transport)
		stream_abort(fixture.stream);
	assert_int_equal(fixture.budget.used, 0);
	loop_release(&fixture.loop);
	if (fixture.peer >= 0)
		(void)close(fixture.peer);
	return 0;
}

/* Run the loop for @seconds. */
static void
turn(double seconds)
{
	(void)timed_run(fixture.loop.ev, seconds);
}

/* Wait until @fd has @events, or an error or an end of both ways. */
static void
await(int fd, short events)
{
	struct pollfd pollfd = {.fd = fd, .events = events};

	assert_int_equal(poll(&pollfd, 1, 5000), 1);
}

static enum io
take(char *buffer, size_t size, size_t *got)
{
	*got = 0;
	await(fixture.transport->fd, POLLIN);
	return stream_read(fixture.stream, buffer, size, got, &fixture.diag);
}

/* What the peer finds when it reads: bytes, 0 for a FIN, or -errno. */
static ssize_t
peer_finds(void)
{
	char bytes[100];

	await(fixture.peer, POLLIN);
	ssize_t got = recv(fixture.peer, bytes, sizeof(bytes), 0);

	return got < 0 ? -errno : got;
}

/* The peer reads all that comes, which is numbered from *@position. */
static void
peer_drain(size_t *position)
{
	uint8_t bytes[65536];
	ssize_t got;

	while ((got = recv(fixture.peer, bytes, sizeof(bytes), 0)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			assert_int_equal(bytes[i], (*position + (size_t)i) % 251);
		*position += (size_t)got;
	}
}

/* Write @size numbered bytes at once. */
static enum io
write_numbered(size_t size)
{
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i % 251);
	enum io answer = stream_write(fixture.stream, bytes, size, &fixture.diag);
	free(bytes);
	return answer;
}

/* Push what is held of a batch while the peer reads, until it has all of it. */
static void
push_all(void)
{
	size_t position = 0;
	enum io answer = IO_WANT_WRITE;

	for (int i = 0; i < 5000 && answer == IO_WANT_WRITE; i++) {
		peer_drain(&position);
		turn(0.001);
		answer = stream_write(fixture.stream, NULL, 0, &fixture.diag);
	}
	assert_int_equal(answer, IO_DONE);
	for (int i = 0; i < 1000 && position < BATCH; i++) {
		turn(0.001);
		peer_drain(&position);
	}
	assert_int_equal(position, BATCH);
}

static void
bytes_go_both_ways_and_are_told_as_movement(void **state)
{
	char buffer[100];
	size_t got;

	(void)state;
	assert_int_equal(stream_write(fixture.stream, "ask", 3, &fixture.diag), IO_DONE);
	assert_true(fixture.stream->moved);
	assert_int_equal(peer_finds(), 3);
	fixture.stream->moved = false;
	assert_int_equal(send(fixture.peer, "answer", 6, 0), 6);
	assert_int_equal(take(buffer, sizeof(buffer), &got), IO_DONE);
	assert_int_equal(got, 6);
	assert_memory_equal(buffer, "answer", 6);
	assert_true(fixture.stream->moved);
}

static void
a_read_that_took_all_there_was_makes_the_stream_unreadable(void **state)
{
	char buffer[4];
	size_t got;

	(void)state;
	assert_int_equal(send(fixture.peer, "abcdef", 6, 0), 6);
	assert_int_equal(take(buffer, sizeof(buffer), &got), IO_DONE);
	assert_true(fixture.stream->readable);
	assert_int_equal(take(buffer, sizeof(buffer), &got), IO_DONE);
	assert_int_equal(got, 2);
	assert_false(fixture.stream->readable);
	fixture.stream->readable = true;
	fixture.stream->moved = false;
	assert_int_equal(stream_read(fixture.stream, buffer, sizeof(buffer), &got, &fixture.diag),
		IO_WANT_READ);
	assert_false(fixture.stream->readable);
	assert_false(fixture.stream->moved);
}

static void
a_fin_is_an_end_and_our_way_stays_open(void **state)
{
	char buffer[4];
	size_t got;

	(void)state;
	assert_int_equal(shutdown(fixture.peer, SHUT_WR), 0);
	assert_int_equal(take(buffer, sizeof(buffer), &got), IO_END);
	assert_int_equal(stream_write(fixture.stream, "late", 4, &fixture.diag), IO_DONE);
	assert_int_equal(peer_finds(), 4);
	assert_int_equal(stream_finish(fixture.stream, &fixture.diag), IO_DONE);
	assert_int_equal(stream_finish(fixture.stream, &fixture.diag), IO_DONE);
	assert_int_equal(peer_finds(), 0);
}

static void
what_the_socket_does_not_take_is_held_and_goes_out_in_order(void **state)
{
	(void)state;
	assert_int_equal(write_numbered(BATCH), IO_WANT_WRITE);
	assert_false(fixture.stream->writable);
	assert_true(fixture.budget.used > 0);
	push_all();
	assert_int_equal(fixture.budget.used, 0);
}

static void
our_way_ends_after_what_is_held(void **state)
{
	(void)state;
	assert_int_equal(write_numbered(BATCH), IO_WANT_WRITE);
	assert_int_equal(stream_finish(fixture.stream, &fixture.diag), IO_WANT_WRITE);
	push_all();
	assert_int_equal(peer_finds(), 0);
}

static void
a_peer_that_reset_is_told_in_words(void **state)
{
	char buffer[4];
	size_t got;

	(void)state;
	socket_reset(fixture.peer);
	fixture.peer = -1;
	turn(0.01);
	assert_int_equal(take(buffer, sizeof(buffer), &got), IO_ERROR);
	assert_string_equal(fixture.diag.text, "receive: Connection reset by peer");
	assert_int_equal(stream_write(fixture.stream, "x", 1, &fixture.diag), IO_ERROR);
	assert_string_equal(fixture.diag.text, "send: Broken pipe");
	assert_int_equal(stream_finish(fixture.stream, &fixture.diag), IO_ERROR);
	assert_non_null(strstr(fixture.diag.text, "shutdown: "));
}

static void
only_what_is_watched_for_wakes(void **state)
{
	(void)state;
	fixture.stream->readable = fixture.stream->writable = false;
	stream_watch(fixture.stream, true, false);
	turn(0.02);
	assert_int_equal(fixture.woken, 0);
	assert_int_equal(send(fixture.peer, "x", 1, 0), 1);
	turn(0.02);
	assert_true(fixture.woken > 0);
	assert_true(fixture.stream->readable);
	assert_false(fixture.stream->writable);

	fixture.stream->readable = false;
	stream_watch(fixture.stream, false, true);
	turn(0.02);
	assert_true(fixture.stream->writable);
	assert_false(fixture.stream->readable);

	stream_watch(fixture.stream, false, false);
	fixture.woken = 0;
	turn(0.02);
	assert_int_equal(fixture.woken, 0);
}

static void
a_stream_that_nobody_reads_is_told_of_a_reset(void **state)
{
	(void)state;
	stream_watch(fixture.stream, true, false);
	stream_watch(fixture.stream, false, false);
	socket_reset(fixture.peer);
	fixture.peer = -1;
	turn(1.3);
	assert_int_equal(fixture.woken, 1);
	assert_true(fixture.stream->reset);
}

static void
an_end_is_no_reset(void **state)
{
	(void)state;
	stream_watch(fixture.stream, false, false);
	assert_int_equal(shutdown(fixture.transport->fd, SHUT_WR), 0);
	(void)close(fixture.peer);
	fixture.peer = -1;
	turn(1.3);
	assert_int_equal(fixture.woken, 0);
	assert_false(fixture.stream->reset);
}

/* Two whose peers have reset them; whoever is told first ends the other. */
static struct doomed {
	struct waker waker;
	struct transport *transport, *other;
} doomed[2];

static void
end_the_other(struct waker *waker)
{
	struct doomed *one = container_of(waker, struct doomed, waker);

	fixture.woken++;
	transport_reset(one->other);
}

static void
whoever_is_told_of_a_reset_may_end_another(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int fds[2];

		tcp_pair(fds);
		doomed[i].waker.wake = end_the_other;
		doomed[i].transport = transport_new(&fixture.loop, fds[0]);
		assert_non_null(doomed[i].transport);
		doomed[i].transport->stream.waker = &doomed[i].waker;
		doomed[!i].other = doomed[i].transport;
		stream_watch(&doomed[i].transport->stream, false, false);
		socket_reset(fds[1]);
	}
	turn(1.3);
	assert_int_equal(fixture.woken, 1);
	assert_true(doomed[0].transport->stream.reset);
	transport_reset(doomed[0].transport);
}

static void
an_abort_is_a_reset(void **state)
{
	(void)state;
	stream_abort(fixture.stream);
	fixture.transport = NULL;
	assert_int_equal(peer_finds(), -ECONNRESET);
}

static void
a_close_is_a_fin(void **state)
{
	(void)state;
	stream_close(fixture.stream);
	fixture.transport = NULL;
	assert_int_equal(peer_finds(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_both_ways_and_are_told_as_movement),
		cmocka_unit_test_setup_teardown(
			a_read_that_took_all_there_was_makes_the_stream_unreadable, setup,
			teardown),
		TEST(a_fin_is_an_end_and_our_way_stays_open),
		cmocka_unit_test_setup_teardown(
			what_the_socket_does_not_take_is_held_and_goes_out_in_order, setup,
			teardown),
		TEST(our_way_ends_after_what_is_held),
		TEST(a_peer_that_reset_is_told_in_words),
		TEST(only_what_is_watched_for_wakes),
		TEST(a_stream_that_nobody_reads_is_told_of_a_reset),
		TEST(an_end_is_no_reset),
		TEST(whoever_is_told_of_a_reset_may_end_another),
		TEST(an_abort_is_a_reset),
		TEST(a_close_is_a_fin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
