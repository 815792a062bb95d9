/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/abstract.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/files.h"
#include "common/text.h"
#include "tests/unit/identities.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/linger.h"
#include "tunnel/loan.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/ticket_key.h"
#include "tunnel/tickets.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

enum { SERVER, CLIENT, CLIENT_1_2, CLIENT_RETRY, CLIENT_OTHER_NAME, SERVICES };

static const char sections[] =
	"cert = client.crt\nkey = client.key\nca = ca.crt\n"
	"[server]\nmode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
	"cert = server.crt\nkey = server.key\npriority = NORMAL:-GROUP-ALL:+GROUP-X25519\n"
	"[client]\nmode = encrypt\naccept = 127.0.0.1:3\nconnect = localhost:1\n"
	"[client-1.2]\nmode = encrypt\naccept = 127.0.0.1:4\nconnect = localhost:1\n"
	"tls-max-version = 1.2\n"
	"[retry]\nmode = encrypt\naccept = 127.0.0.1:6\nconnect = localhost:1\n"
	"priority = NORMAL:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519\n"
	"[other]\nmode = encrypt\naccept = 127.0.0.1:5\nconnect = localhost:1\n"
	"peer-name = other.example.net\n";

static struct service *services[SERVICES];
static struct credentials *parties[SERVICES];
static struct pool_budget budget = {.limit = 64 << 20};
static struct loop loop;
static struct loan_desk desk;
static struct loan_helpers *helpers;

/* How the keys sign here. */
static struct {
	gnutls_privkey_t key;
	pthread_t loop_thread;
	atomic_uint milliseconds; /* it takes them so long */
	atomic_bool fails, gated; /* gated: it waits for the gate */
	sem_t begun, gate;
	atomic_uint signatures;
	atomic_bool elsewhere; /* all were made by helpers */
} signer;

static int
on_sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *pointer, unsigned flags,
	const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	const struct timespec delay = {.tv_nsec = (long)signer.milliseconds * 1000 * 1000};

	(void)key;
	(void)pointer;
	(void)flags;
	atomic_fetch_add(&signer.signatures, 1);
	if (pthread_equal(pthread_self(), signer.loop_thread))
		atomic_store(&signer.elsewhere, false);
	(void)sem_post(&signer.begun);
	if (signer.gated)
		(void)sem_wait(&signer.gate);
	(void)nanosleep(&delay, NULL);
	if (signer.fails)
		return GNUTLS_E_PK_SIGN_FAILED;
	return gnutls_privkey_sign_hash2(signer.key, algorithm, 0, hash, signature);
}

static int
on_sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *pointer, unsigned flags,
	const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	(void)key;
	(void)algorithm;
	(void)pointer;
	(void)flags;
	(void)data;
	(void)signature;
	return GNUTLS_E_UNIMPLEMENTED_FEATURE;
}

static int
on_info(gnutls_privkey_t key, unsigned flags, void *pointer)
{
	(void)key;
	(void)pointer;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_ECDSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return 256;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_ECDSA_SECP256R1_SHA256 ||
			GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_ECDSA_SHA256;
	return -1;
}

/* Have @party show the certificate of @pair and sign by the signer. */
static void
make_slow(struct credentials *party, const struct pki_pair *pair)
{
	gnutls_pcert_st chain;
	gnutls_privkey_t key;

	gnutls_certificate_free_credentials(party->certificate);
	assert_int_equal(gnutls_certificate_allocate_credentials(&party->certificate), 0);
	gnutls_certificate_set_verify_function(party->certificate, authorise_callback);
	assert_int_equal(gnutls_pcert_import_x509(&chain, pair->crt, 0), 0);
	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_import_ext4(
				 key, NULL, on_sign_data, on_sign_hash, NULL, NULL, on_info, 0),
		0);
	assert_int_equal(
		gnutls_certificate_set_key(party->certificate, NULL, 0, &chain, 1, key), 0);
	party->slow = true;
}

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
	assert_int_equal(files_add(&files, TICKET_MASTER_FILE, master, sizeof(master), &diag), 0);
	identities_services(sections, &files, services);
	files_release(&files);
	assert_int_equal(gnutls_privkey_init(&signer.key), 0);
	assert_int_equal(
		gnutls_privkey_import_x509(signer.key, leaf.key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	for (int i = 0; i < SERVICES; i++) {
		parties[i] = services[i]->credentials[i == SERVER ? SIDE_ACCEPT : SIDE_CONNECT];
		make_slow(parties[i], &leaf);
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
	gnutls_privkey_deinit(signer.key);
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
	signer.loop_thread = pthread_self();
	signer.milliseconds = 0;
	signer.fails = signer.gated = false;
	atomic_store(&signer.signatures, 0);
	atomic_store(&signer.elsewhere, true);
	assert_int_equal(sem_init(&signer.begun, 0, 0), 0);
	assert_int_equal(sem_init(&signer.gate, 0, 0), 0);
	helpers = loan_helpers_new(2);
	assert_non_null(helpers);
	loan_desk_init(&desk, loop.ev, helpers);
	loop.desk = &desk;
	return 0;
}

/* Nothing is left of anything: neither memory of the pool nor a reference to credentials. */
static int
teardown(void **state)
{
	(void)state;
	/* What a test that failed has left at the gate. */
	atomic_store(&signer.gated, false);
	for (int i = 0; i < 4; i++)
		(void)sem_post(&signer.gate);
	while (desk.out > 0)
		(void)ev_run(loop.ev, EVRUN_ONCE);
	linger_end_all(&loop);
	loan_desk_release(&desk);
	loan_helpers_free(helpers);
	assert_int_equal(budget.used, 0);
	for (int i = 0; i < SERVICES; i++)
		assert_int_equal(parties[i]->references, 1);
	(void)sem_destroy(&signer.begun);
	(void)sem_destroy(&signer.gate);
	return 0;
}

static void
pair_start(struct tls_pair *pair, int client)
{
	tls_pair_start(pair, &loop, parties[client], parties[SERVER],
		client == CLIENT_OTHER_NAME ? "other.example.net" : "localhost");
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
			atomic_store(&signer.signatures, 0);
			pair_open(&pair, client, pieces[i]);
			assert_int_equal(signer.signatures, 2);
			assert_true(signer.elsewhere);
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
	enum io answer;
	struct tls_pair pair;

	(void)state;
	loop.desk = NULL;
	pair_start(&pair, CLIENT);
	answer = tls_handshake(pair.client, &pair.client_diag);
	assert_int_equal(answer, IO_WANT_READ);
	(void)tls_pair_move(&pair, SIZE_MAX);
	answer = tls_handshake(pair.server, &pair.server_diag);
	assert_int_equal(answer, IO_WANT_READ);
	assert_int_equal(signer.signatures, 1);
	assert_false(signer.elsewhere);
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
	assert_false(signer.elsewhere);
	tls_pair_end(&pair);
}

/* Go on with @end, which has lent a step, until that is done. */
static enum io
await_step(struct transport *end, struct diag *diag)
{
	enum io answer = tls_handshake(end, diag);

	assert_int_equal(answer, IO_WAIT);
	while (answer == IO_WAIT) {
		(void)ev_run(loop.ev, EVRUN_ONCE);
		answer = tls_handshake(end, diag);
	}
	return answer;
}

/* Shake hands up to the flight of the server, which has come to the client. */
static void
pair_reach_client(struct tls_pair *pair, int client)
{
	pair_start(pair, client);
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
	assert_int_equal(await_step(pair->server, &pair->server_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
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

static void
a_client_whose_ticket_is_taken_goes_on_by_itself(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_open(&pair, CLIENT, SIZE_MAX);
	exchange_words(&pair);
	tls_pair_end(&pair);
	pair_reach_client(&pair, CLIENT);
	assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_DONE);
	assert_true(tls_facts(pair.client).resumed);
	tls_pair_end(&pair);
}

/* Bring the server so far that a helper signs for it, and waits at the gate. */
static void
pair_lend_server(struct tls_pair *pair)
{
	signer.gated = true;
	pair_start(pair, CLIENT);
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
	assert_int_equal(tls_handshake(pair->server, &pair->server_diag), IO_WAIT);
}

/* The same for the client. */
static void
pair_lend_client(struct tls_pair *pair)
{
	pair_start(pair, CLIENT);
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
	enum io answer = tls_handshake(pair->server, &pair->server_diag);
	assert_int_equal(answer, IO_WAIT);
	while (answer == IO_WAIT) {
		(void)ev_run(loop.ev, EVRUN_ONCE);
		answer = tls_handshake(pair->server, &pair->server_diag);
	}
	assert_int_equal(answer, IO_WANT_READ);
	while (sem_trywait(&signer.begun) == 0)
		continue;
	signer.gated = true;
	(void)tls_pair_move(pair, SIZE_MAX);
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WAIT);
}

static void
wait_for_signer(void)
{
	while (sem_wait(&signer.begun) != 0)
		continue;
}

static void
while_a_step_is_lent_nothing_else_happens(void **state)
{
	char identity[300];
	struct text text;
	struct tls_pair pair;

	(void)state;
	pair_lend_client(&pair);
	wait_for_signer();
	for (int i = 0; i < 3; i++)
		assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_WAIT);
	/* The server was judged already, but by the helper. */
	text_init(&text, identity, sizeof(identity));
	tls_print_identity(pair.client, &text);
	assert_string_equal(identity, "-");
	assert_string_equal(tls_facts(pair.client).version, "-");
	assert_int_equal(desk.out, 1);
	(void)sem_post(&signer.gate);
	while (desk.out > 0)
		(void)ev_run(loop.ev, EVRUN_ONCE);
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
	wait_for_signer();
	(void)ev_run(loop.ev, EVRUN_NOWAIT);
	assert_false(woken);
	(void)sem_post(&signer.gate);
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
	wait_for_signer();
	stream_abort(&pair.server->stream);
	pair.server_gone = true;
	assert_cut(pair.wire[1]);
	assert_int_equal(desk.out, 1);
	assert_int_equal(parties[SERVER]->references, 2);
	(void)sem_post(&signer.gate);
	while (desk.out > 0)
		(void)ev_run(loop.ev, EVRUN_ONCE);
	assert_int_equal(parties[SERVER]->references, 1);
	tls_pair_end(&pair);
}

static void
a_client_that_is_aborted_while_lent_is_cut_at_once_and_freed_later(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_lend_client(&pair);
	wait_for_signer();
	stream_abort(&pair.client->stream);
	pair.client_gone = true;
	assert_cut(pair.wire[0]);
	assert_int_equal(parties[CLIENT]->references, 2);
	(void)sem_post(&signer.gate);
	tls_pair_end(&pair);
}

static void
one_that_is_closed_while_lent_is_freed_later_too(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_lend_server(&pair);
	wait_for_signer();
	tls_pair_end(&pair);
	(void)sem_post(&signer.gate);
}

static void
one_that_is_aborted_before_a_helper_has_it_says_so(void **state)
{
	struct tls_pair busy[2], pair;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(busy); i++) {
		pair_lend_server(&busy[i]);
		wait_for_signer();
	}
	pair_lend_server(&pair);
	assert_int_equal(desk.out, 3);
	stream_abort(&pair.server->stream);
	pair.server_gone = true;
	assert_int_equal(desk.out, 2);
	(void)tls_pair_move(&pair, SIZE_MAX);
	signer.gated = false;
	enum io answer = IO_WAIT;
	(void)sem_post(&signer.gate);
	(void)sem_post(&signer.gate);
	while (answer == IO_WAIT) {
		answer = tls_handshake(pair.client, &pair.client_diag);
		if (answer == IO_WAIT)
			(void)ev_run(loop.ev, EVRUN_ONCE);
	}
	assert_int_equal(answer, IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "Internal error"));
	assert_int_equal(signer.signatures, 2);
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
	wait_for_signer();
	pair.server->stream.reset = true;
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "reset"));
	stream_abort(&pair.server->stream);
	pair.server_gone = true;
	(void)sem_post(&signer.gate);
	tls_pair_end(&pair);
}

static void
a_signature_that_fails_ends_the_handshake_with_an_alert(void **state)
{
	enum io client, server;
	struct tls_pair pair;

	(void)state;
	signer.fails = true;
	pair_start(&pair, CLIENT);
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(server, IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "handshake: "));
	stream_abort(&pair.server->stream);
	pair.server_gone = true;
	(void)tls_pair_move(&pair, SIZE_MAX);
	client = IO_WAIT;
	while (client == IO_WAIT) {
		client = tls_handshake(pair.client, &pair.client_diag);
		if (client == IO_WAIT)
			(void)ev_run(loop.ev, EVRUN_ONCE);
	}
	assert_int_equal(client, IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "alert"));
	tls_pair_end(&pair);
}

static void
a_peer_that_is_judged_in_a_helper_is_refused_with_the_same_words(void **state)
{
	enum io client, server;
	struct tls_pair pair;

	(void)state;
	pair_start(&pair, CLIENT_OTHER_NAME);
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(client, IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "name"));
	assert_int_equal(server, IO_WANT_READ);
	assert_int_equal(signer.signatures, 1);
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
	signer.milliseconds = 300;
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
	signer.milliseconds = 5;
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
	assert_int_equal(signer.signatures, 2 * PAIRS);
	assert_true(signer.elsewhere);
	for (int i = 0; i < PAIRS; i++) {
		exchange_words(&pairs[i]);
		tls_pair_end(&pairs[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			both_ends_sign_elsewhere_and_are_who_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_server_that_has_signed_goes_on_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_client_whose_ticket_is_taken_goes_on_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_desk_they_sign_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			credentials_that_are_not_slow_are_never_lent, setup, teardown),
		cmocka_unit_test_setup_teardown(
			while_a_step_is_lent_nothing_else_happens, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_waker_is_called_when_the_step_is_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_server_that_is_aborted_while_lent_is_cut_at_once_and_freed_later, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_client_that_is_aborted_while_lent_is_cut_at_once_and_freed_later, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			one_that_is_closed_while_lent_is_freed_later_too, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_is_aborted_before_a_helper_has_it_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_peer_that_resets_while_lent_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_signature_that_fails_ends_the_handshake_with_an_alert, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_peer_that_is_judged_in_a_helper_is_refused_with_the_same_words, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_signature_of_300_ms_delays_no_other_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(
			many_handshakes_are_lent_beside_each_other, setup, teardown),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
