/* SPDX-License-Identifier: MIT */
/* Over UNIX sockets, which take little and lose nothing; over TCP where a RST is to be seen. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/loopback.h"
#include "tests/unit/timed.h"
#include "tunnel/loop.h"
#include "tunnel/plain.h"
#include "tunnel/transport.h"

enum { BATCH = 1 << 20, PERIOD = 251 };

struct fixture {
	struct pool_budget budget;
	struct loop loop;
	struct stream *stream; /* NULL: the test has given it up */
	struct waker waker;
	unsigned woken;
	int peer;
	struct diag diag;
};

static struct fixture fixture;

static void
on_wake(struct waker *waker)
{
	(void)waker;
	fixture.woken++;
}

/* Put the stream on the first of @fds, with the test at the second. */
static void
open_stream(const int fds[2])
{
	fixture = (struct fixture){.budget.limit = 64 << 20, .waker.wake = on_wake, .peer = fds[1]};
	assert_int_equal(loop_init(&fixture.loop, &fixture.budget, &fixture.diag), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	struct transport *transport = transport_new(&fixture.loop, fds[0]);
	assert_non_null(transport);
	fixture.stream = &transport->stream;
	fixture.stream->waker = &fixture.waker;
	assert_ptr_equal(fixture.stream->ops, &plain_ops);
}

static int
setup_unix(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	open_stream(fds);
	return 0;
}

static int
setup_tcp(void **state)
{
	int fds[2];

	(void)state;
	loopback_pair(fds);
	open_stream(fds);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (fixture.stream)
		stream_abort(fixture.stream);
	assert_int_equal(fixture.budget.used, 0);
	loop_release(&fixture.loop);
	(void)close(fixture.peer);
	return 0;
}

static enum io
push(void)
{
	return stream_write(fixture.stream, NULL, 0, &fixture.diag);
}

/* What the peer finds: a number of bytes, 0 for an end, or -errno. */
static ssize_t
peer_finds(void)
{
	char bytes[1000];
	ssize_t got;

	(void)timed_run(fixture.loop.ev, 0.02);
	got = recv(fixture.peer, bytes, sizeof(bytes), 0);
	return got < 0 ? -errno : got;
}

/* Write more than the socket takes, as numbered bytes. */
static void
write_batch(void)
{
	uint8_t *bytes = malloc(BATCH);

	assert_non_null(bytes);
	for (size_t i = 0; i < BATCH; i++)
		bytes[i] = (uint8_t)(i % PERIOD);
	assert_int_equal(stream_write(fixture.stream, bytes, BATCH, &fixture.diag), IO_WANT_WRITE);
	free(bytes); /* the stream has them all */
}

/* The peer reads what there is, numbered on from *@position. Returns what ended that, as recv() does. */
static ssize_t
peer_drain(size_t *position)
{
	uint8_t bytes[16384];
	ssize_t got;

	while ((got = recv(fixture.peer, bytes, sizeof(bytes), 0)) > 0) {
		for (size_t i = 0; i < (size_t)got; i++)
			assert_int_equal(bytes[i], (*position + i) % PERIOD);
		*position += (size_t)got;
	}
	return got;
}

/* Push until the peer has the batch. Returns what the peer found behind it, as recv() does. */
static ssize_t
push_batch(void)
{
	size_t position = 0;
	enum io answer = IO_WANT_WRITE;

	for (int i = 0; i < 1000 && answer == IO_WANT_WRITE; i++) {
		assert_int_equal(peer_drain(&position), -1);
		answer = push();
	}
	assert_int_equal(answer, IO_DONE);
	ssize_t end = peer_drain(&position);
	assert_int_equal(position, BATCH);
	return end;
}

static void
what_is_sent_is_what_is_received(void **state)
{
	uint8_t all[256], bytes[LOOP_SCRATCH];
	size_t got = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	assert_int_equal(stream_write(fixture.stream, all, sizeof(all), &fixture.diag), IO_DONE);
	assert_int_equal(recv(fixture.peer, bytes, sizeof(bytes), 0), sizeof(all));
	assert_memory_equal(bytes, all, sizeof(all));
	assert_int_equal(send(fixture.peer, all, sizeof(all), 0), sizeof(all));
	assert_int_equal(
		stream_read(fixture.stream, bytes, sizeof(bytes), &got, &fixture.diag), IO_DONE);
	assert_int_equal(got, sizeof(all));
	assert_memory_equal(bytes, all, sizeof(all));
	assert_int_equal(stream_read(fixture.stream, bytes, sizeof(bytes), &got, &fixture.diag),
		IO_WANT_READ);
}

static void
writing_nothing_with_nothing_held_sends_nothing(void **state)
{
	(void)state;
	assert_int_equal(push(), IO_DONE);
	assert_int_equal(peer_finds(), -EAGAIN);
}

static void
a_write_takes_everything_and_writing_nothing_pushes_it(void **state)
{
	(void)state;
	write_batch();
	assert_false(fixture.stream->writable);
	assert_int_equal(push(), IO_WANT_WRITE); /* the peer has read nothing */
	assert_int_equal(push_batch(), -1);
	assert_int_equal(fixture.budget.used, 0);
}

static void
our_way_ends_behind_what_is_held(void **state)
{
	(void)state;
	write_batch();
	assert_int_equal(stream_finish(fixture.stream, &fixture.diag), IO_WANT_WRITE);
	assert_int_equal(push_batch(), 0);
}

static void
our_end_leaves_the_way_of_the_peer_open(void **state)
{
	char bytes[100];
	size_t got = 0;

	(void)state;
	assert_int_equal(stream_finish(fixture.stream, &fixture.diag), IO_DONE);
	assert_int_equal(peer_finds(), 0);
	assert_int_equal(send(fixture.peer, "late", 4, 0), 4);
	assert_int_equal(
		stream_read(fixture.stream, bytes, sizeof(bytes), &got, &fixture.diag), IO_DONE);
	assert_int_equal(got, 4);
	assert_memory_equal(bytes, "late", 4);
}

static void
an_end_of_the_peer_is_final_and_leaves_our_way_open(void **state)
{
	char bytes[100];
	size_t got = 0;

	(void)state;
	assert_int_equal(shutdown(fixture.peer, SHUT_WR), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			stream_read(fixture.stream, bytes, sizeof(bytes), &got, &fixture.diag),
			IO_END);
	}
	assert_int_equal(stream_write(fixture.stream, "late", 4, &fixture.diag), IO_DONE);
	assert_int_equal(peer_finds(), 4);
}

static void
the_waker_is_called_for_what_is_watched(void **state)
{
	(void)state;
	fixture.stream->readable = false;
	assert_int_equal(send(fixture.peer, "x", 1, 0), 1);
	(void)timed_run(fixture.loop.ev, 0.02);
	assert_int_equal(fixture.woken, 0);
	stream_watch(fixture.stream, true, false);
	(void)timed_run(fixture.loop.ev, 0.02);
	assert_true(fixture.woken > 0);
	assert_true(fixture.stream->readable);
}

static void
a_peer_that_is_gone_is_told_in_words(void **state)
{
	(void)state;
	assert_int_equal(shutdown(fixture.peer, SHUT_RD), 0);
	assert_int_equal(stream_write(fixture.stream, "x", 1, &fixture.diag), IO_ERROR);
	assert_string_equal(fixture.diag.text, "send: Broken pipe");
}

static void
closing_is_an_end_for_the_peer(void **state)
{
	(void)state;
	stream_close(fixture.stream);
	fixture.stream = NULL;
	assert_int_equal(peer_finds(), 0);
}

static void
aborting_is_a_reset_for_the_peer(void **state)
{
	(void)state;
	stream_abort(fixture.stream);
	fixture.stream = NULL;
	assert_int_equal(peer_finds(), -ECONNRESET);
}

static void
aborting_frees_what_is_held(void **state)
{
	(void)state;
	write_batch();
	assert_true(fixture.budget.used > 0);
	stream_abort(fixture.stream);
	fixture.stream = NULL;
	assert_int_equal(fixture.budget.used, 0);
}

#define OVER_UNIX(claim) cmocka_unit_test_setup_teardown(claim, setup_unix, teardown)
#define OVER_TCP(claim)	 cmocka_unit_test_setup_teardown(claim, setup_tcp, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_UNIX(what_is_sent_is_what_is_received),
		OVER_UNIX(writing_nothing_with_nothing_held_sends_nothing),
		OVER_UNIX(a_write_takes_everything_and_writing_nothing_pushes_it),
		OVER_UNIX(our_way_ends_behind_what_is_held),
		OVER_UNIX(our_end_leaves_the_way_of_the_peer_open),
		OVER_UNIX(an_end_of_the_peer_is_final_and_leaves_our_way_open),
		OVER_UNIX(the_waker_is_called_for_what_is_watched),
		OVER_UNIX(a_peer_that_is_gone_is_told_in_words),
		OVER_TCP(closing_is_an_end_for_the_peer),
		OVER_TCP(aborting_is_a_reset_for_the_peer),
		OVER_UNIX(aborting_frees_what_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
