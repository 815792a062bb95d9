/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/files.h"
#include "common/text.h"
#include "tests/unit/identities.h"
#include "tests/unit/slow_key.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/credentials.h"
#include "tunnel/linger.h"
#include "tunnel/loan.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/ticket_key.h"
#include "tunnel/tickets.h"
#include "tunnel/tls.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

enum {
	SERVER,
	CLIENT,
	CLIENT_1_2,
	CLIENT_RETRY,
	CLIENT_OTHER_NAME,
	CLIENT_ANNA,
	CLIENT_BERT,
	SERVICES
};

static const char sections[] =
	"cert = client.crt\nkey = client.key\nca = ca.crt\n"
	"[server]\nmode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
	"cert = server.crt\nkey = server.key\npriority = NORMAL:-GROUP-ALL:+GROUP-X25519\n"
	"psk = psk\nallow = psk:anna\nallow = dns:localhost\n"
	"[client]\nmode = encrypt\naccept = 127.0.0.1:3\nconnect = localhost:1\n"
	"[client-1.2]\nmode = encrypt\naccept = 127.0.0.1:4\nconnect = localhost:1\n"
	"tls-max-version = 1.2\n"
	"[retry]\nmode = encrypt\naccept = 127.0.0.1:6\nconnect = localhost:1\n"
	"priority = NORMAL:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519\n"
	"[other]\nmode = encrypt\naccept = 127.0.0.1:5\nconnect = localhost:1\n"
	"peer-name = other.example.net\n"
	"[anna]\nmode = encrypt\naccept = 127.0.0.1:7\nconnect = localhost:1\n"
	"cert = none\npsk = psk\npsk-identity = anna\ntls-max-version = 1.2\n"
	"[bert]\nmode = encrypt\naccept = 127.0.0.1:8\nconnect = localhost:1\n"
	"cert = none\npsk = psk\npsk-identity = bert\ntls-max-version = 1.2\n";

static struct service *services[SERVICES];
static struct credentials *parties[SERVICES];
static struct pool_budget budget = {.limit = 64 << 20};
static struct loop loop;
static struct loan_desk desk;
static struct loan_helpers *helpers;

static int
setup_group(void **state)
{
	static const uint8_t master[TICKET_KEY_SIZE] = {1};
	struct pki_pair authority, leaf;
	struct files files = {0};
	struct diag diag;

	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	identities_add(&files, "ca", &authority);
	identities_add(&files, "server", &leaf);
	identities_add(&files, "client", &leaf);
	identities_add_text(&files, "psk",
		"anna:00112233445566778899aabbccddeeff\n"
		"bert:ffeeddccbbaa99887766554433221100\n");
	assert_int_equal(files_add(&files, TICKET_MASTER_FILE, master, sizeof(master), &diag), 0);
	identities_services(sections, &files, services);
	files_release(&files);
	slow_key_init(&leaf);
	for (int i = 0; i < SERVICES; i++) {
		parties[i] = services[i]->credentials[i == SERVER ? SIDE_ACCEPT : SIDE_CONNECT];
		if (i != CLIENT_ANNA && i != CLIENT_BERT)
			slow_key_give(parties[i], &leaf);
	}
	pki_pair_release(&leaf);
	pki_pair_release(&authority);
	return loop_init(&loop, &budget, &diag);
}

static int
teardown_group(void **state)
{
	(void)state;
	loop_release(&loop);
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(services[i]);
	slow_key_release();
	return 0;
}

/* The next handshake is a full one. */
static void
forget_tickets(void)
{
	tickets_free(loop.tickets);
	loop.tickets = tickets_new();
	assert_non_null(loop.tickets);
}

static int
setup(void **state)
{
	(void)state;
	forget_tickets();
	slow_key_start();
	helpers = loan_helpers_new(2);
	assert_non_null(helpers);
	loan_desk_init(&desk, loop.ev, helpers);
	loop.desk = &desk;
	return 0;
}

/* Run the loop until no step is lent. */
static void
await_loans(void)
{
	while (desk.out > 0)
		(void)ev_run(loop.ev, EVRUN_ONCE);
}

/* Nothing is left of anything: neither memory of the pool nor a reference to credentials. */
static int
teardown(void **state)
{
	(void)state;
	slow_key_open_gate();
	await_loans();
	linger_end_all(&loop);
	loan_desk_release(&desk);
	loan_helpers_free(helpers);
	assert_int_equal(budget.used, 0);
	for (int i = 0; i < SERVICES; i++)
		assert_int_equal(parties[i]->references, 1);
	slow_key_stop();
	return 0;
}

static void
pair_start(struct tls_pair *pair, int client)
{
	tls_pair_start(pair, &loop, parties[client], parties[SERVER],
		client == CLIENT_OTHER_NAME ? "other.example.net" : "localhost");
}

/* Begin, up to what the client says first, which has come to the server. */
static void
pair_greet(struct tls_pair *pair, int client)
{
	pair_start(pair, client);
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
}

/* Go on with @end as far as that goes without its peer. */
static enum io
go_on(struct transport *end, struct diag *diag)
{
	enum io answer;

	while ((answer = tls_handshake(end, diag)) == IO_WAIT)
		(void)ev_run(loop.ev, EVRUN_ONCE);
	return answer;
}

/* The same with a step that is lent. */
static enum io
await_step(struct transport *end, struct diag *diag)
{
	assert_int_equal(tls_handshake(end, diag), IO_WAIT);
	return go_on(end, diag);
}

/* Shake hands up to the flight of the server, which has come to the client. */
static void
pair_reach_client(struct tls_pair *pair, int client)
{
	pair_greet(pair, client);
	assert_int_equal(await_step(pair->server, &pair->server_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
}

/* Bring the server so far that a helper signs for it, and waits at the gate. */
static void
pair_lend_server(struct tls_pair *pair)
{
	slow_key.gated = true;
	pair_greet(pair, CLIENT);
	assert_int_equal(tls_handshake(pair->server, &pair->server_diag), IO_WAIT);
}

/* The same for the client. */
static void
pair_lend_client(struct tls_pair *pair)
{
	pair_reach_client(pair, CLIENT);
	while (sem_trywait(&slow_key.begun) == 0)
		continue;
	slow_key.gated = true;
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WAIT);
}

static void
pair_abort_server(struct tls_pair *pair)
{
	stream_abort(&pair->server->stream);
	pair->server_gone = true;
}

static void
exchange_words(struct tls_pair *pair)
{
	char text[100];

	assert_int_equal(
		stream_write(&pair->client->stream, "ask", 3, &pair->client_diag), IO_DONE);
	(void)tls_pair_move(pair, SIZE_MAX);
	assert_int_equal(tls_pair_server_reads(pair, text), IO_DONE);
	assert_string_equal(text, "ask");
	assert_int_equal(
		stream_write(&pair->server->stream, "say", 3, &pair->server_diag), IO_DONE);
	(void)tls_pair_move(pair, SIZE_MAX);
	assert_int_equal(tls_pair_client_reads(pair, text), IO_DONE);
	assert_string_equal(text, "say");
}

static void
pair_open(struct tls_pair *pair, int client, size_t piece)
{
	enum io client_answer, server_answer;

	pair_start(pair, client);
	tls_pair_handshake(pair, piece, &client_answer, &server_answer);
	assert_int_equal(client_answer, IO_DONE);
	assert_int_equal(server_answer, IO_DONE);
}

static void
both_ends_sign_elsewhere_and_are_who_they_are(void **state)
{
	static const size_t pieces[] = {SIZE_MAX, 1000, 1};

	(void)state;
	for (int client = CLIENT; client <= CLIENT_RETRY; client++) {
		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
			char identity[300];
			struct text text;
			struct tls_pair pair;

			forget_tickets();
			atomic_store(&slow_key.signatures, 0);
			pair_open(&pair, client, pieces[i]);
			assert_int_equal(slow_key.signatures, 2);
			assert_true(slow_key.elsewhere);
			exchange_words(&pair);
			text_init(&text, identity, sizeof(identity));
			tls_print_identity(pair.server, &text);
			assert_non_null(strstr(identity, "dns:localhost"));
			tls_pair_end(&pair);
		}
	}
}

static void
without_a_desk_they_sign_at_once(void **state)
{
	struct tls_pair pair;

	(void)state;
	loop.desk = NULL;
	pair_greet(&pair, CLIENT);
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_WANT_READ);
	assert_int_equal(slow_key.signatures, 1);
	assert_false(slow_key.elsewhere);
	tls_pair_end(&pair);
}

static void
credentials_that_are_not_slow_are_never_lent(void **state)
{
	struct tls_pair pair;

	(void)state;
	parties[SERVER]->slow = parties[CLIENT]->slow = false;
	pair_open(&pair, CLIENT, SIZE_MAX);
	parties[SERVER]->slow = parties[CLIENT]->slow = true;
	assert_false(slow_key.elsewhere);
	tls_pair_end(&pair);
}

static void
a_server_that_has_signed_goes_on_by_itself(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_reach_client(&pair, CLIENT);
	assert_int_equal(await_step(pair.client, &pair.client_diag), IO_DONE);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_DONE);
	tls_pair_end(&pair);
}

/* A session is made and gone, and the client has its ticket. */
static void
get_ticket(int client)
{
	struct tls_pair pair;

	pair_open(&pair, client, SIZE_MAX);
	exchange_words(&pair);
	tls_pair_end(&pair);
	assert_int_equal(tickets_count(loop.tickets), 1);
	atomic_store(&slow_key.signatures, 0);
}

static void
where_a_ticket_is_taken_nothing_is_lent(void **state)
{
	struct tls_pair pair;

	(void)state;
	get_ticket(CLIENT);
	pair_greet(&pair, CLIENT);
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_WANT_READ);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_DONE);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_DONE);
	assert_true(tls_facts(pair.client).resumed);
	assert_int_equal(slow_key.signatures, 0);
	tls_pair_end(&pair);
}

static void
where_a_ticket_is_offered_in_vain_they_sign_elsewhere(void **state)
{
	uint8_t *ticket_key = parties[SERVER]->secrets.ticket_key;

	(void)state;
	for (int client = CLIENT; client <= CLIENT_1_2; client++) {
		struct tls_pair pair;

		forget_tickets();
		get_ticket(client);
		ticket_key[0] ^= 1;
		pair_open(&pair, client, SIZE_MAX);
		ticket_key[0] ^= 1;
		assert_false(tls_facts(pair.client).resumed);
		assert_int_equal(slow_key.signatures, 2);
		assert_true(slow_key.elsewhere);
		tls_pair_end(&pair);
	}
}

/* GnuTLS has one hook a session, and that in front of a ticket of TLS 1.2 must not be lost. */
static void
who_is_refused_gets_no_ticket_from_a_slow_key_either(void **state)
{
	(void)state;
	for (int client = CLIENT_ANNA; client <= CLIENT_BERT; client++) {
		enum io client_answer, server_answer;
		struct tls_pair pair;

		pair_start(&pair, client);
		tls_pair_handshake(&pair, SIZE_MAX, &client_answer, &server_answer);
		bool allowed = client == CLIENT_ANNA;
		assert_int_equal(server_answer, allowed ? IO_DONE : IO_ERROR);
		if (!allowed) {
			pair_abort_server(&pair);
			(void)tls_pair_move(&pair, SIZE_MAX);
			assert_int_equal(go_on(pair.client, &pair.client_diag), IO_ERROR);
		}
		assert_int_equal((gnutls_session_get_flags(pair.client->tls->session) &
					 GNUTLS_SFLAGS_SESSION_TICKET) != 0,
			allowed);
		tls_pair_end(&pair);
	}
}

static void
what_came_before_the_signature_is_read_after_it(void **state)
{
	static const uint8_t garbage[] = {23, 3, 3, 0, 2, 1, 2};
	struct tls_pair pair;

	(void)state;
	pair_greet(&pair, CLIENT);
	assert_int_equal(send(pair.wire[1], garbage, sizeof(garbage), 0), sizeof(garbage));
	assert_int_equal(await_step(pair.server, &pair.server_diag), IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "handshake: "));
	tls_pair_end(&pair);
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
	assert_int_equal(desk.out, 1);
	(void)sem_post(&slow_key.gate);
	await_loans();
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
	(void)ev_run(loop.ev, EVRUN_NOWAIT);
	assert_false(woken);
	(void)sem_post(&slow_key.gate);
	while (!woken)
		(void)ev_run(loop.ev, EVRUN_ONCE);
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
	pair_abort_server(&pair);
	assert_cut(pair.wire[1]);
	assert_int_equal(desk.out, 1);
	assert_int_equal(parties[SERVER]->references, 2);
	(void)sem_post(&slow_key.gate);
	await_loans();
	assert_int_equal(parties[SERVER]->references, 1);
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
	assert_int_equal(parties[CLIENT]->references, 2);
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
	assert_int_equal(desk.out, 3);
	pair_abort_server(&pair);
	assert_int_equal(desk.out, 2);
	assert_int_equal(parties[SERVER]->references, 3);
	assert_cut(pair.wire[1]);
	(void)sem_post(&slow_key.gate);
	(void)sem_post(&slow_key.gate);
	await_loans();
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
	pair_abort_server(&pair);
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
	pair_start(&pair, CLIENT);
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(server, IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "handshake: "));
	pair_abort_server(&pair);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(go_on(pair.client, &pair.client_diag), IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "alert"));
	tls_pair_end(&pair);
}

static void
for_a_peer_that_is_refused_nothing_is_signed(void **state)
{
	enum io client, server;
	struct tls_pair pair;

	(void)state;
	pair_start(&pair, CLIENT_OTHER_NAME);
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(client, IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "name"));
	assert_int_equal(server, IO_WANT_READ);
	assert_int_equal(slow_key.signatures, 1);
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
a_signature_of_300_ms_delays_no_other_tunnel(void **state)
{
	enum io client = IO_WANT_READ, server = IO_WANT_READ;
	struct tls_pair slow, busy;
	double longest = 0;
	unsigned echoes = 0;

	(void)state;
	pair_open(&busy, CLIENT, SIZE_MAX);
	slow_key.milliseconds = 300;
	pair_start(&slow, CLIENT);
	double begin = clock_seconds(), last = begin;
	while (client != IO_DONE || server != IO_DONE) {
		push_on(&slow, &client, &server);
		assert_int_not_equal(client, IO_ERROR);
		assert_int_not_equal(server, IO_ERROR);
		(void)ev_run(loop.ev, EVRUN_NOWAIT);
		exchange_words(&busy);
		double now = clock_seconds();
		if (now - last > longest)
			longest = now - last;
		last = now;
		echoes++;
	}
	assert_true(last - begin >= 0.6);
	assert_true(longest < 0.15);
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
		pair_start(&pairs[i], i % 2 ? CLIENT : CLIENT_1_2);
		client[i] = server[i] = IO_WANT_READ;
	}
	while (open > 0) {
		open = 0;
		for (int i = 0; i < PAIRS; i++) {
			push_on(&pairs[i], &client[i], &server[i]);
			assert_int_not_equal(client[i], IO_ERROR);
			open += client[i] != IO_DONE || server[i] != IO_DONE;
		}
		(void)ev_run(loop.ev, EVRUN_NOWAIT);
	}
	assert_int_equal(slow_key.signatures, 2 * PAIRS);
	assert_true(slow_key.elsewhere);
	for (int i = 0; i < PAIRS; i++) {
		exchange_words(&pairs[i]);
		tls_pair_end(&pairs[i]);
	}
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_ends_sign_elsewhere_and_are_who_they_are),
		TEST(a_server_that_has_signed_goes_on_by_itself),
		TEST(where_a_ticket_is_taken_nothing_is_lent),
		TEST(where_a_ticket_is_offered_in_vain_they_sign_elsewhere),
		TEST(who_is_refused_gets_no_ticket_from_a_slow_key_either),
		TEST(what_came_before_the_signature_is_read_after_it),
		TEST(without_a_desk_they_sign_at_once),
		TEST(credentials_that_are_not_slow_are_never_lent),
		TEST(while_a_step_is_lent_nothing_else_happens),
		TEST(the_waker_is_called_when_the_step_is_back),
		TEST(a_server_that_is_aborted_while_lent_is_cut_at_once_and_freed_later),
		TEST(a_client_that_is_aborted_while_lent_is_cut_at_once_and_freed_later),
		TEST(one_that_is_closed_while_lent_is_freed_later_too),
		TEST(one_that_is_aborted_before_a_helper_has_it_is_cut_and_freed_at_once),
		TEST(a_peer_that_resets_while_lent_is_an_error),
		TEST(a_signature_that_fails_ends_the_handshake_with_an_alert),
		TEST(for_a_peer_that_is_refused_nothing_is_signed),
		TEST(a_signature_of_300_ms_delays_no_other_tunnel),
		TEST(many_handshakes_are_lent_beside_each_other),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
