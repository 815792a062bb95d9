/* SPDX-License-Identifier: MIT */
/* Which steps are lent, and that nothing else changes by that. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>

#include "common/text.h"
#include "tests/unit/slow_ends.h"
#include "tests/unit/slow_key.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/credentials.h"
#include "tunnel/tickets.h"
#include "tunnel/tls.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

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

			slow_ends_forget_tickets();
			atomic_store(&slow_key.signatures, 0);
			slow_ends_open(&pair, client, pieces[i]);
			assert_int_equal(slow_key.signatures, 2);
			assert_true(slow_key.elsewhere);
			slow_ends_exchange(&pair);
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
	slow_ends.loop.desk = NULL;
	slow_ends_greet(&pair, CLIENT);
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
	slow_ends.parties[SERVER]->slow = slow_ends.parties[CLIENT]->slow = false;
	slow_ends_open(&pair, CLIENT, SIZE_MAX);
	slow_ends.parties[SERVER]->slow = slow_ends.parties[CLIENT]->slow = true;
	assert_false(slow_key.elsewhere);
	tls_pair_end(&pair);
}

static void
a_server_that_has_signed_goes_on_by_itself(void **state)
{
	struct tls_pair pair;

	(void)state;
	slow_ends_reach_client(&pair, CLIENT);
	assert_int_equal(slow_ends_await_step(pair.client, &pair.client_diag), IO_DONE);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_DONE);
	tls_pair_end(&pair);
}

/* A session is made and gone, and the client has its ticket. */
static void
get_ticket(int client)
{
	struct tls_pair pair;

	slow_ends_open(&pair, client, SIZE_MAX);
	slow_ends_exchange(&pair);
	tls_pair_end(&pair);
	assert_int_equal(tickets_count(slow_ends.loop.tickets), 1);
	atomic_store(&slow_key.signatures, 0);
}

static void
where_a_ticket_is_taken_nothing_is_lent(void **state)
{
	struct tls_pair pair;

	(void)state;
	get_ticket(CLIENT);
	slow_ends_greet(&pair, CLIENT);
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
	uint8_t *ticket_key = slow_ends.parties[SERVER]->secrets.ticket_key;

	(void)state;
	for (int client = CLIENT; client <= CLIENT_1_2; client++) {
		struct tls_pair pair;

		slow_ends_forget_tickets();
		get_ticket(client);
		ticket_key[0] ^= 1;
		slow_ends_open(&pair, client, SIZE_MAX);
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

		slow_ends_start(&pair, client);
		tls_pair_handshake(&pair, SIZE_MAX, &client_answer, &server_answer);
		bool allowed = client == CLIENT_ANNA;
		assert_int_equal(server_answer, allowed ? IO_DONE : IO_ERROR);
		if (!allowed) {
			slow_ends_abort_server(&pair);
			(void)tls_pair_move(&pair, SIZE_MAX);
			assert_int_equal(slow_ends_go_on(pair.client, &pair.client_diag), IO_ERROR);
		}
		assert_int_equal((gnutls_session_get_flags(tls_session(pair.client->tls)) &
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
	slow_ends_greet(&pair, CLIENT);
	assert_int_equal(send(pair.wire[1], garbage, sizeof(garbage), 0), sizeof(garbage));
	assert_int_equal(slow_ends_await_step(pair.server, &pair.server_diag), IO_ERROR);
	assert_non_null(strstr(pair.server_diag.text, "handshake: "));
	tls_pair_end(&pair);
}

static void
for_a_peer_that_is_refused_nothing_is_signed(void **state)
{
	enum io client, server;
	struct tls_pair pair;

	(void)state;
	slow_ends_start(&pair, CLIENT_OTHER_NAME);
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(client, IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "name"));
	assert_int_equal(server, IO_WANT_READ);
	assert_int_equal(slow_key.signatures, 1);
	tls_pair_end(&pair);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, slow_ends_setup, slow_ends_teardown)

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
		TEST(for_a_peer_that_is_refused_nothing_is_signed),
	};

	return cmocka_run_group_tests(tests, slow_ends_begin, slow_ends_end);
}
