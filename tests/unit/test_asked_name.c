/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tunnel/asked_name.h"

/* Shake hands without certificates, the client asking for @asked, and compare with @name at the server. */
static bool
is_equal(const char *asked, const char *name)
{
	static const char priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH";
	gnutls_anon_client_credentials_t client_credentials;
	gnutls_anon_server_credentials_t server_credentials;
	gnutls_session_t client, server;
	int fds[2], results[2] = {GNUTLS_E_AGAIN, GNUTLS_E_AGAIN};

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(gnutls_anon_allocate_client_credentials(&client_credentials), 0);
	assert_int_equal(gnutls_anon_allocate_server_credentials(&server_credentials), 0);
	assert_int_equal(gnutls_init(&client, GNUTLS_CLIENT | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_init(&server, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
	assert_int_equal(gnutls_priority_set_direct(client, priority, NULL), 0);
	assert_int_equal(gnutls_priority_set_direct(server, priority, NULL), 0);
	assert_int_equal(gnutls_credentials_set(client, GNUTLS_CRD_ANON, client_credentials), 0);
	assert_int_equal(gnutls_credentials_set(server, GNUTLS_CRD_ANON, server_credentials), 0);
	gnutls_transport_set_int(client, fds[0]);
	gnutls_transport_set_int(server, fds[1]);
	if (asked)
		assert_int_equal(
			gnutls_server_name_set(client, GNUTLS_NAME_DNS, asked, strlen(asked)), 0);
	for (int i = 0; i < 20; i++) {
		if (results[i % 2] == GNUTLS_E_AGAIN)
			results[i % 2] = gnutls_handshake(i % 2 ? server : client);
	}
	assert_int_equal(results[1], 0);
	bool equal = asked_name_is(server, name);
	gnutls_deinit(client);
	gnutls_deinit(server);
	gnutls_anon_free_client_credentials(client_credentials);
	gnutls_anon_free_server_credentials(server_credentials);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return equal;
}

static void
the_same_name_is_equal_in_any_case(void **state)
{
	(void)state;
	assert_true(is_equal("www.example.net", "www.example.net"));
	assert_true(is_equal("WWW.Example.Net", "www.example.net"));
}

static void
no_name_is_equal_to_none_alone(void **state)
{
	(void)state;
	assert_true(is_equal(NULL, ""));
	assert_false(is_equal(NULL, "www.example.net"));
	assert_false(is_equal("www.example.net", ""));
}

static void
another_name_is_not_equal(void **state)
{
	(void)state;
	assert_false(is_equal("www.example.net", "ww.example.net"));
	assert_false(is_equal("www.example.net", "www.example.net2"));
}

static void
the_longest_name_is_compared_to_its_end(void **state)
{
	char name[256];

	(void)state;
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[sizeof(name) - 1] = '\0';
	char other[256];
	memcpy(other, name, sizeof(name));
	assert_true(is_equal(name, other));
	other[254] = 'b';
	assert_false(is_equal(name, other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_name_is_equal_in_any_case),
		cmocka_unit_test(no_name_is_equal_to_none_alone),
		cmocka_unit_test(another_name_is_not_equal),
		cmocka_unit_test(the_longest_name_is_compared_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
