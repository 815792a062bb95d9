/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tunnel/alpn.h"

/* Two ends over a pair of sockets, anonymous, since only what they agree on counts. */
struct end {
	gnutls_session_t session;
	struct tls_config config;
	int fd, result;
};

static struct end client, server;
static gnutls_anon_client_credentials_t client_credentials;
static gnutls_anon_server_credentials_t server_credentials;

static void
make_end(struct end *end, unsigned flags, const char *const *names, size_t count)
{
	static const char priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH";
	void *credentials =
		flags & GNUTLS_SERVER ? (void *)server_credentials : (void *)client_credentials;

	end->config = (struct tls_config){.alpn = {names, count}};
	assert_int_equal(gnutls_init(&end->session, flags | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_priority_set_direct(end->session, priority, NULL), 0);
	assert_int_equal(gnutls_credentials_set(end->session, GNUTLS_CRD_ANON, credentials), 0);
	gnutls_transport_set_int(end->session, end->fd);
	end->result = GNUTLS_E_AGAIN;
}

static void
shake_hands(void)
{
	for (int i = 0; i < 20; i++) {
		if (client.result == GNUTLS_E_AGAIN)
			client.result = gnutls_handshake(client.session);
		if (server.result == GNUTLS_E_AGAIN)
			server.result = gnutls_handshake(server.session);
	}
}

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	client.fd = fds[0];
	server.fd = fds[1];
	assert_int_equal(gnutls_anon_allocate_client_credentials(&client_credentials), 0);
	assert_int_equal(gnutls_anon_allocate_server_credentials(&server_credentials), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gnutls_deinit(client.session);
	gnutls_deinit(server.session);
	gnutls_anon_free_client_credentials(client_credentials);
	gnutls_anon_free_server_credentials(server_credentials);
	(void)close(client.fd);
	(void)close(server.fd);
	return 0;
}

static void
expect_refusal(const struct end *end)
{
	struct verdict verdict = alpn_judge(end->session, &end->config);

	assert_false(verdict.good);
	assert_int_equal(verdict.alert, GNUTLS_A_NO_APPLICATION_PROTOCOL);
	assert_non_null(verdict.words);
}

static void
the_servers_order_decides_and_both_are_content(void **state)
{
	static const char *const ours[] = {"h2", "smtp"}, *const theirs[] = {"imap", "smtp", "h2"};
	gnutls_datum_t selected;

	(void)state;
	make_end(&server, GNUTLS_SERVER, ours, 2);
	make_end(&client, GNUTLS_CLIENT, theirs, 3);
	assert_int_equal(alpn_set(server.session, &server.config), 0);
	assert_int_equal(alpn_set(client.session, &client.config), 0);
	shake_hands();
	assert_int_equal(client.result, 0);
	assert_int_equal(server.result, 0);
	assert_int_equal(gnutls_alpn_get_selected_protocol(client.session, &selected), 0);
	assert_int_equal(selected.size, 2);
	assert_memory_equal(selected.data, "h2", 2);
	assert_true(alpn_judge(client.session, &client.config).good);
	assert_true(alpn_judge(server.session, &server.config).good);
}

static void
without_a_common_protocol_there_is_no_session(void **state)
{
	static const char *const ours[] = {"h2"}, *const theirs[] = {"smtp"};

	(void)state;
	make_end(&server, GNUTLS_SERVER, ours, 1);
	make_end(&client, GNUTLS_CLIENT, theirs, 1);
	assert_int_equal(alpn_set(server.session, &server.config), 0);
	assert_int_equal(alpn_set(client.session, &client.config), 0);
	shake_hands();
	assert_int_equal(server.result, GNUTLS_E_NO_APPLICATION_PROTOCOL);
}

static void
who_takes_no_part_is_refused_by_either_end(void **state)
{
	static const char *const names[] = {"h2"};

	(void)state;
	make_end(&server, GNUTLS_SERVER, names, 1);
	make_end(&client, GNUTLS_CLIENT, names, 1);
	assert_int_equal(alpn_set(server.session, &server.config), 0);
	shake_hands();
	assert_int_equal(server.result, 0);
	expect_refusal(&server);
	expect_refusal(&client);
}

static void
another_protocol_than_ours_is_refused(void **state)
{
	static const char *const names[] = {"h2"}, *const others[] = {"h", "h2c"};

	(void)state;
	make_end(&server, GNUTLS_SERVER, names, 1);
	make_end(&client, GNUTLS_CLIENT, names, 1);
	assert_int_equal(alpn_set(server.session, &server.config), 0);
	assert_int_equal(alpn_set(client.session, &client.config), 0);
	shake_hands();
	client.config.alpn = (struct texts){others, 2};
	expect_refusal(&client);
}

static void
where_nothing_is_configured_nothing_is_judged(void **state)
{
	(void)state;
	make_end(&server, GNUTLS_SERVER, NULL, 0);
	make_end(&client, GNUTLS_CLIENT, NULL, 0);
	assert_int_equal(alpn_set(server.session, &server.config), 0);
	assert_int_equal(alpn_set(client.session, &client.config), 0);
	shake_hands();
	assert_int_equal(server.result, 0);
	assert_true(alpn_judge(server.session, &server.config).good);
	assert_true(alpn_judge(client.session, &client.config).good);
}

static void
as_many_and_as_long_names_as_are_possible_are_set(void **state)
{
	static const char longest[ALPN_NAME_LENGTH_MAX + 1] = "0123456789012345678901234567890";
	static const char *const names[ALPN_NAMES_MAX] = {
		"1", "2", "3", "4", "5", "6", "7", longest};
	static const char *const last[] = {longest};

	(void)state;
	make_end(&server, GNUTLS_SERVER, last, 1);
	make_end(&client, GNUTLS_CLIENT, names, ALPN_NAMES_MAX);
	assert_int_equal(alpn_set(server.session, &server.config), 0);
	assert_int_equal(alpn_set(client.session, &client.config), 0);
	shake_hands();
	assert_true(alpn_judge(server.session, &server.config).good);
	assert_true(alpn_judge(client.session, &client.config).good);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_servers_order_decides_and_both_are_content),
		TEST(without_a_common_protocol_there_is_no_session),
		TEST(who_takes_no_part_is_refused_by_either_end),
		TEST(another_protocol_than_ours_is_refused),
		TEST(where_nothing_is_configured_nothing_is_judged),
		TEST(as_many_and_as_long_names_as_are_possible_are_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
