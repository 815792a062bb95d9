/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/encounter.h"
#include "tunnel/priority.h"
#include "tunnel/session.h"

#define OLD "tls-max-version = 1.2\n"

/* Both ends show the good certificate; they have @client and @server more. */
static void
begin(const char *client, const char *server, const char *name)
{
	char options[ENDS][512];

	(void)snprintf(options[CLIENT], sizeof(options[CLIENT]), "%s%s", good_pair, client);
	(void)snprintf(options[SERVER], sizeof(options[SERVER]), "%s%s", good_pair, server);
	encounter_make(options[CLIENT], options[SERVER], name);
}

/* Begin anew, and store the ClientHello of a client with @options that expects @name. */
static size_t
client_hello(const char *options, const char *name, void *hello, size_t size)
{
	(void)encounter_setup(NULL);
	begin(options, "", name);
	assert_int_equal(gnutls_handshake(encounter.sessions[CLIENT]), GNUTLS_E_AGAIN);
	ssize_t got = recv(encounter.fds[SERVER], hello, size, 0);
	assert_true(got > 0);
	return (size_t)got;
}

static void
the_sni_is_the_peer_unless_it_is_an_address_or_unwanted(void **state)
{
	static const struct {
		const char *options, *name, *sni; /* NULL: none */
	} rows[] = {
		{"", "db.example.net", "db.example.net"},
		{"server-name = front.example.net\n", "db.example.net", "front.example.net"},
		{"server-name = none\n", "db.example.net", NULL},
		{"", "192.0.2.1", NULL},
		{"", "2001:db8::1", NULL},
		{"", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char hello[4096];
		size_t size = client_hello(rows[i].options, rows[i].name, hello, sizeof(hello));

		if (rows[i].name && (!rows[i].sni || strcmp(rows[i].sni, rows[i].name) != 0))
			assert_null(memmem(hello, size, rows[i].name, strlen(rows[i].name)));
		if (rows[i].sni)
			assert_non_null(memmem(hello, size, rows[i].sni, strlen(rows[i].sni)));
	}
}

static void
only_the_versions_between_minimum_and_maximum_are_offered(void **state)
{
	static const char both[] = "\x00\x2b\x00\x05\x04\x03\x04\x03\x03";
	static const char only_1_3[] = "\x00\x2b\x00\x03\x02\x03\x04";
	char hello[4096];

	(void)state;
	size_t size = client_hello("tls-min-version = 1.2\n", NULL, hello, sizeof(hello));
	assert_non_null(memmem(hello, size, both, sizeof(both) - 1));
	size = client_hello("tls-min-version = 1.3\n", NULL, hello, sizeof(hello));
	assert_non_null(memmem(hello, size, only_1_3, sizeof(only_1_3) - 1));
	size = client_hello(OLD, NULL, hello, sizeof(hello));
	assert_null(memmem(hello, size, "\x00\x2b\x00", 3));
}

static void
a_client_sends_a_share_of_the_first_group_alone_unless_it_is_the_large_one(void **state)
{
	/* key_share: type, length, length of the shares, X25519, length of its share */
	static const char one[] = "\x00\x33\x00\x26\x00\x24\x00\x1d\x00\x20";
	char hello[4096];

	(void)state;
	size_t size = client_hello("", NULL, hello, sizeof(hello));
	const void *found = memmem(hello, size, one, sizeof(one) - 1);
	assert_int_equal(found == NULL, priority_has_post_quantum());
}

static void
a_server_asks_for_a_certificate_as_it_verifies(void **state)
{
	static const struct {
		const char *verify;
		bool shown;  /* by a client that has one */
		int without; /* what becomes of one that has none */
	} rows[] = {
		{"verify = no\nca = none\n", false, 0},
		{"verify = optional\n", true, 0},
		{"verify = yes\n", true, GNUTLS_E_CERTIFICATE_REQUIRED},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const char *verify = rows[i / 2].verify;
		bool has = i % 2 == 0;
		unsigned count = 0;
		char server[256];

		(void)encounter_setup(NULL);
		(void)snprintf(server, sizeof(server), "%s%s%s", good_pair,
			strstr(verify, "ca = ") ? "" : "ca = ca.crt\n", verify);
		encounter_make(has ? "cert = good.crt\nkey = good.key\nca = ca.crt\n"
				   : "cert = none\nca = ca.crt\n",
			server, "localhost");
		encounter_shake_hands();
		assert_int_equal(encounter.results[SERVER], has ? 0 : rows[i / 2].without);
		(void)gnutls_certificate_get_peers(encounter.sessions[SERVER], &count);
		assert_int_equal(count, has && rows[i / 2].shown);
	}
}

/* Begin anew, and shake hands. */
static void
meet(const char *client, const char *server)
{
	(void)encounter_setup(NULL);
	begin(client, server, "localhost");
	encounter_shake_hands();
	assert_int_equal(encounter.results[CLIENT], 0);
	assert_int_equal(encounter.results[SERVER], 0);
}

static bool
client_has_ticket(void)
{
	char byte;

	assert_int_equal(gnutls_record_recv(encounter.sessions[CLIENT], &byte, 1), GNUTLS_E_AGAIN);
	return gnutls_session_get_flags(encounter.sessions[CLIENT]) & GNUTLS_SFLAGS_SESSION_TICKET;
}

/* The decision is between them. */
static void
a_ticket_goes_out_when_the_server_says_so_and_not_with_the_handshake(void **state)
{
	(void)state;
	meet("", "");
	assert_false(client_has_ticket());
	assert_int_equal(gnutls_session_ticket_send(encounter.sessions[SERVER], 1, 0), 0);
	assert_true(client_has_ticket());
}

static void
either_end_can_do_without_tickets(void **state)
{
	(void)state;
	meet(OLD, OLD);
	assert_true(client_has_ticket());
	meet(OLD, OLD "tickets = no\n");
	assert_false(client_has_ticket());
	meet(OLD "tickets = no\n", OLD);
	assert_false(client_has_ticket());
}

/* In TLS 1.2 it can be read on the wire. */
static void
a_ticket_lives_as_long_as_is_configured(void **state)
{
	static const char lifetime[] = "\x00\x00\x2a\x30";
	bool seen = false;

	(void)state;
	begin(OLD, OLD "ticket-lifetime = 3h\n", "localhost");
	for (int round = 0; round < 3; round++) {
		char flight[8192];

		(void)gnutls_handshake(encounter.sessions[CLIENT]);
		(void)gnutls_handshake(encounter.sessions[SERVER]);
		ssize_t got = recv(
			encounter.fds[CLIENT], flight, sizeof(flight), MSG_PEEK | MSG_DONTWAIT);
		seen = seen ||
			(got > 0 && memmem(flight, (size_t)got, lifetime, sizeof(lifetime) - 1));
	}
	assert_true(seen);
}

static void
what_is_offered_inside_goes_with_the_session(void **state)
{
	gnutls_datum_t protocol;

	(void)state;
	begin("alpn = a, b\n", "alpn = b\n", "localhost");
	encounter_shake_hands();
	assert_int_equal(
		gnutls_alpn_get_selected_protocol(encounter.sessions[CLIENT], &protocol), 0);
	assert_int_equal(protocol.size, 1);
	assert_memory_equal(protocol.data, "b", 1);
}

/* What GnuTLS keeps of what the peer of @end said in signature_algorithms. */
static const void *
signatures_taken(int end)
{
	gnutls_ext_priv_data_t data = NULL;

	(void)gnutls_ext_get_data(encounter.sessions[end], 13, &data);
	return data;
}

static void
sends(int from, int to)
{
	char byte = 'x';

	assert_int_equal(gnutls_record_send(encounter.sessions[from], &byte, 1), 1);
	byte = 0;
	assert_int_equal(gnutls_record_recv(encounter.sessions[to], &byte, 1), 1);
	assert_int_equal(byte, 'x');
}

static void
what_only_a_handshake_uses_is_forgotten_after_it(void **state)
{
	static const char *const versions[] = {"", OLD};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		meet(versions[i], versions[i]);
		for (int end = 0; end < ENDS; end++) {
			assert_non_null(signatures_taken(end));
			session_forget_handshake(encounter.sessions[end]);
			assert_null(signatures_taken(end));
		}
		sends(CLIENT, SERVER);
		sends(SERVER, CLIENT);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, encounter_setup, encounter_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_sni_is_the_peer_unless_it_is_an_address_or_unwanted),
		TEST(only_the_versions_between_minimum_and_maximum_are_offered),
		TEST(a_client_sends_a_share_of_the_first_group_alone_unless_it_is_the_large_one),
		TEST(a_server_asks_for_a_certificate_as_it_verifies),
		TEST(a_ticket_goes_out_when_the_server_says_so_and_not_with_the_handshake),
		TEST(either_end_can_do_without_tickets),
		TEST(a_ticket_lives_as_long_as_is_configured),
		TEST(what_is_offered_inside_goes_with_the_session),
		TEST(what_only_a_handshake_uses_is_forgotten_after_it),
	};

	return cmocka_run_group_tests(tests, encounter_begin, encounter_end);
}
