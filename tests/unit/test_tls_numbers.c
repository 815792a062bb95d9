/* SPDX-License-Identifier: MIT */
/* Both ends know the numbers of their records when GnuTLS does something of its own in between. */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <string.h>

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/linger.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

enum { SERVER, CLIENT, SERVICES };

static const char sections[] = "cert = client.crt\nkey = client.key\nca = ca.crt\n"
			       "[server]\nmode = offload\naccept = 127.0.0.1:1\n"
			       "connect = 127.0.0.1:2\ncert = server.crt\nkey = server.key\n"
			       "[client]\nmode = encrypt\naccept = 127.0.0.1:3\n"
			       "connect = localhost:1\n";

static struct service *services[SERVICES];
static struct pool_budget budget = {.limit = 64 << 20};
static struct loop loop;
static struct tls_pair pair;

static int
setup_group(void **state)
{
	struct diag diag;

	(void)state;
	identities_services_of_ends(sections, services);
	return loop_init(&loop, &budget, &diag);
}

static int
teardown_group(void **state)
{
	(void)state;
	linger_end_all(&loop);
	loop_release(&loop);
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(services[i]);
	return 0;
}

static bool
has_numbers(const struct transport *end)
{
	const struct protection *protection = &end->tls->protection;

	return protection->sent.has_number && protection->received.has_number;
}

/* Go on until the numbers of both ends are not GnuTLS's. */
static void
talk(void)
{
	for (int i = 0; i < 3; i++) {
		tls_pair_client_says(&pair, "ask");
		tls_pair_server_says(&pair, "answer");
	}
	assert_true(has_numbers(pair.client));
	assert_true(has_numbers(pair.server));
}

static int
setup(void **state)
{
	enum io client, server;

	(void)state;
	tls_pair_start(&pair, &loop, services[CLIENT]->credentials[SIDE_CONNECT],
		services[SERVER]->credentials[SIDE_ACCEPT], "localhost");
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(client, IO_DONE);
	assert_int_equal(server, IO_DONE);
	talk();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tls_pair_end(&pair);
	return budget.used == 0 ? 0 : -1;
}

/* Have GnuTLS's messages of @end, which @result says were written, on the wire. */
static void
push(struct transport *end, int result)
{
	struct diag diag;

	assert_int_equal(result, 0);
	assert_int_equal(transport_push(end, &diag), IO_DONE);
	(void)tls_pair_move(&pair, SIZE_MAX);
}

static void
a_close_notify_follows_data(void **state)
{
	char text[100];

	(void)state;
	assert_int_equal(stream_finish(&pair.client->stream, &pair.client_diag), IO_DONE);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_pair_server_reads(&pair, text), IO_END);
	tls_pair_server_says(&pair, "more");
	assert_int_equal(stream_finish(&pair.server->stream, &pair.server_diag), IO_DONE);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_END);
}

static void
an_alert_follows_data(void **state)
{
	char text[100];

	(void)state;
	stream_abort(&pair.client->stream);
	pair.client_gone = true;
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_pair_server_reads(&pair, text), IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "Internal error"));
}

static void
a_ticket_follows_data(void **state)
{
	char text[100];

	(void)state;
	push(pair.server, gnutls_session_ticket_send(tls_session(pair.server->tls), 1, 0));
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_WANT_READ);
	talk();
}

static void
keys_change_between_data(void **state)
{
	static const unsigned flags[] = {0, GNUTLS_KU_PEER};
	char text[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		push(pair.client,
			gnutls_session_key_update(tls_session(pair.client->tls), flags[i]));
		assert_int_equal(tls_pair_server_reads(&pair, text), IO_WANT_READ);
		talk();
		push(pair.server,
			gnutls_session_key_update(tls_session(pair.server->tls), flags[i]));
		assert_int_equal(tls_pair_client_reads(&pair, text), IO_WANT_READ);
		talk();
	}
}

/* The client has got its ticket with the first data, and looks for no other. */
static void
data_alone_leaves_the_numbers_where_they_are(void **state)
{
	(void)state;
	assert_null(pair.client->tls->opening);
	for (int i = 0; i < 100; i++) {
		tls_pair_client_says(&pair, "ask");
		assert_true(has_numbers(pair.client));
		assert_true(has_numbers(pair.server));
		tls_pair_server_says(&pair, "answer");
		assert_true(has_numbers(pair.client));
		assert_true(has_numbers(pair.server));
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_close_notify_follows_data),
		TEST(an_alert_follows_data),
		TEST(a_ticket_follows_data),
		TEST(keys_change_between_data),
		TEST(data_alone_leaves_the_numbers_where_they_are),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
