/* SPDX-License-Identifier: MIT */
/* What happens while a step is lent: to its own tunnel, and to others. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/text.h"
#include "tests/unit/slow_ends.h"
#include "tests/unit/slow_key.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/credentials.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

/* Bring the server so far that a helper signs for it, and waits at the gate. */
static void
pair_lend_server(struct tls_pair *pair)
{
	slow_key.gated = true;
	slow_ends_greet(pair, CLIENT);
	assert_int_equal(tls_handshake(pair->server, &pair->server_diag), IO_WAIT);
}

/* The same for the client. */
static void
pair_lend_client(struct tls_pair *pair)
{
	slow_ends_reach_client(pair, CLIENT);
	while (sem_trywait(&slow_key.begun) == 0)
		continue;
	slow_key.gated = true;
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WAIT);
}

static void
while_a_step_is_lent_nothing_else_happens(void **state)
{
	char identity[300];
	struct text text;
	struct tls_pair pair;

	(void)state;
	pair_lend_client(&pair);
	slow_key_await();
	for (int i = 0; i < 3; i++)
		assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_WAIT);
	text_init(&text, identity, sizeof(identity));
	tls_print_identity(pair.client, &text);
	assert_string_equal(identity, "-");
	assert_string_equal(tls_facts(pair.client).version, "-");
	assert_int_equal(slow_ends.desk.out, 1);
	(void)sem_post(&slow_key.gate);
	slow_ends_await();
	assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_DONE);
	tls_pair_end(&pair);
}

static bool woken;

static void
on_wake(struct waker *waker)
{
	(void)waker;
	woken = true;
}

static void
the_waker_is_called_when_the_step_is_back(void **state)
{
	struct waker waker = {.wake = on_wake};
	struct tls_pair pair;

	(void)state;
	pair_lend_server(&pair);
	pair.server->stream.waker = &waker;
	woken = false;
	slow_key_await();
	(void)ev_run(slow_ends.loop.ev, EVRUN_NOWAIT);
	assert_false(woken);
	(void)sem_post(&slow_key.gate);
	while (!woken)
		(void)ev_run(slow_ends.loop.ev, EVRUN_ONCE);
	tls_pair_end(&pair);
}

/* What the other end of @wire sees of a transport that was given up: nothing but an end at once. */
static void
assert_cut(int wire)
{
	char bytes[100];

	assert_true(recv(wire, bytes, sizeof(bytes), 0) <= 0);
	assert_int_equal(send(wire, bytes, 1, MSG_NOSIGNAL), -1);
}

static void
a_server_that_is_aborted_while_lent_is_cut_at_once_and_freed_later(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_lend_server(&pair);
	slow_key_await();
	slow_ends_abort_server(&pair);
	assert_cut(pair.wire[1]);
	assert_int_equal(slow_ends.desk.out, 1);
	assert_int_equal(slow_ends.parties[SERVER]->references, 2);
	(void)sem_post(&slow_key.gate);
	slow_ends_await();
	assert_int_equal(slow_ends.parties[SERVER]->references, 1);
	tls_pair_end(&pair);
}

static void
a_client_that_is_aborted_while_lent_is_cut_at_once_and_freed_later(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_lend_client(&pair);
	slow_key_await();
	stream_abort(&pair.client->stream);
	pair.client_gone = true;
	assert_cut(pair.wire[0]);
	assert_int_equal(slow_ends.parties[CLIENT]->references, 2);
	(void)sem_post(&slow_key.gate);
	tls_pair_end(&pair);
}

static void
one_that_is_closed_while_lent_is_freed_later_too(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_lend_server(&pair);
	slow_key_await();
	tls_pair_end(&pair);
	(void)sem_post(&slow_key.gate);
}

static void
one_that_is_aborted_before_a_helper_has_it_is_cut_and_freed_at_once(void **state)
{
	struct tls_pair busy[2], pair;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(busy); i++) {
		pair_lend_server(&busy[i]);
		slow_key_await();
	}
	pair_lend_server(&pair);
	assert_int_equal(slow_ends.desk.out, 3);
	slow_ends_abort_server(&pair);
	assert_int_equal(slow_ends.desk.out, 2);
	assert_int_equal(slow_ends.parties[SERVER]->references, 3);
	assert_cut(pair.wire[1]);
	(void)sem_post(&slow_key.gate);
	(void)sem_post(&slow_key.gate);
	slow_ends_await();
	assert_int_equal(slow_key.signatures, 2);
	tls_pair_end(&pair);
	tls_pair_end(&busy[0]);
	tls_pair_end(&busy[1]);
}

static void
a_peer_that_resets_while_lent_is_an_error(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_lend_server(&pair);
	slow_key_await();
	pair.server->stream.reset = true;
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "reset"));
	slow_ends_abort_server(&pair);
	(void)sem_post(&slow_key.gate);
	tls_pair_end(&pair);
}

static void
a_signature_that_fails_ends_the_handshake_with_an_alert(void **state)
{
	enum io client, server;
	struct tls_pair pair;

	(void)state;
	slow_key.fails = true;
	slow_ends_start(&pair, CLIENT);
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(server, IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "handshake: "));
	slow_ends_abort_server(&pair);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(slow_ends_go_on(pair.client, &pair.client_diag), IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "alert"));
	tls_pair_end(&pair);
}

/* One more try at what is not over. */
static void
push_on(struct tls_pair *pair, enum io *client, enum io *server)
{
	if (*client == IO_WANT_READ || *client == IO_WAIT)
		*client = tls_handshake(pair->client, &pair->client_diag);
	if (*server == IO_WANT_READ || *server == IO_WAIT)
		*server = tls_handshake(pair->server, &pair->server_diag);
	(void)tls_pair_move(pair, SIZE_MAX);
}

static void
a_signature_of_a_second_delays_no_other_tunnel(void **state)
{
	enum io client = IO_WANT_READ, server = IO_WANT_READ;
	struct tls_pair slow, busy;
	double longest = 0;
	unsigned echoes = 0;

	(void)state;
	slow_ends_open(&busy, CLIENT, SIZE_MAX);
	slow_key.milliseconds = 1000;
	slow_ends_start(&slow, CLIENT);
	double begin = clock_seconds(), last = begin;
	while (client != IO_DONE || server != IO_DONE) {
		push_on(&slow, &client, &server);
		assert_int_not_equal(client, IO_ERROR);
		assert_int_not_equal(server, IO_ERROR);
		(void)ev_run(slow_ends.loop.ev, EVRUN_NOWAIT);
		slow_ends_exchange(&busy);
		double now = clock_seconds();
		if (now - last > longest)
			longest = now - last;
		last = now;
		echoes++;
	}
	assert_true(last - begin >= 2);
	assert_true(longest < 0.75);
	assert_true(echoes > 100);
	tls_pair_end(&slow);
	tls_pair_end(&busy);
}

static void
many_handshakes_are_lent_beside_each_other(void **state)
{
	enum { PAIRS = 8 };
	enum io client[PAIRS], server[PAIRS];
	struct tls_pair pairs[PAIRS];
	int open = PAIRS;

	(void)state;
	slow_key.milliseconds = 5;
	for (int i = 0; i < PAIRS; i++) {
		slow_ends_start(&pairs[i], i % 2 ? CLIENT : CLIENT_1_2);
		client[i] = server[i] = IO_WANT_READ;
	}
	while (open > 0) {
		open = 0;
		for (int i = 0; i < PAIRS; i++) {
			push_on(&pairs[i], &client[i], &server[i]);
			assert_int_not_equal(client[i], IO_ERROR);
			open += client[i] != IO_DONE || server[i] != IO_DONE;
		}
		(void)ev_run(slow_ends.loop.ev, EVRUN_NOWAIT);
	}
	assert_int_equal(slow_key.signatures, 2 * PAIRS);
	assert_true(slow_key.elsewhere);
	for (int i = 0; i < PAIRS; i++) {
		slow_ends_exchange(&pairs[i]);
		tls_pair_end(&pairs[i]);
	}
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, slow_ends_setup, slow_ends_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(while_a_step_is_lent_nothing_else_happens),
		TEST(the_waker_is_called_when_the_step_is_back),
		TEST(a_server_that_is_aborted_while_lent_is_cut_at_once_and_freed_later),
		TEST(a_client_that_is_aborted_while_lent_is_cut_at_once_and_freed_later),
		TEST(one_that_is_closed_while_lent_is_freed_later_too),
		TEST(one_that_is_aborted_before_a_helper_has_it_is_cut_and_freed_at_once),
		TEST(a_peer_that_resets_while_lent_is_an_error),
		TEST(a_signature_that_fails_ends_the_handshake_with_an_alert),
		TEST(a_signature_of_a_second_delays_no_other_tunnel),
		TEST(many_handshakes_are_lent_beside_each_other),
	};

	return cmocka_run_group_tests(tests, slow_ends_begin, slow_ends_end);
}
