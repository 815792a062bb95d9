/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "tunnel/option_values.h"

typedef int checker(const char *value, struct diag *diag);

static void
accept_value(checker *check, const char *value)
{
	struct diag diag;

	if (check(value, &diag) != 0)
		fail_msg("\"%s\" %s", value, diag.text);
}

/* @value must be refused with @words at the beginning. */
static void
refuse(checker *check, const char *value, const char *words)
{
	struct diag diag;

	if (check(value, &diag) == 0)
		fail_msg("\"%s\" is accepted", value);
	if (strstr(diag.text, words) != diag.text)
		fail_msg("\"%s\" %s", value, diag.text);
}

static void
names_are_for_connecting_only(void **state)
{
	(void)state;
	accept_value(check_connect, "db.example.net:5432");
	accept_value(check_connect, "[::1]:5432");
	refuse(check_connect, "db.example.net", "is not an address to connect to: ");
	accept_value(check_accept, "127.0.0.1:5432");
	accept_value(check_accept, "unix:/run/s");
	refuse(check_accept, "db.example.net:5432", "is not an address to listen on: ");
}

static void
only_names_that_end_in_conf_are_included(void **state)
{
	(void)state;
	accept_value(check_include, "conf.d/*.conf");
	accept_value(check_include, ".conf");
	refuse(check_include, "conf.d/*", "does not end in .conf");
	refuse(check_include, "conf", "does not end in .conf");
	refuse(check_include, "a.conf~", "does not end in .conf");
}

static void
a_peer_name_is_a_host_or_an_address(void **state)
{
	static const char *const bad[] = {
		".a", "-a", "a..b", "a:1", "[::1]", "*.a", "a b", "a/b", "\xc3\xb6"};
	char name[255] = "";

	(void)state;
	accept_value(check_peer_name, "db-1.example_x.net.");
	accept_value(check_peer_name, "192.0.2.1");
	accept_value(check_peer_name, "2001:db8::1");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(check_peer_name, bad[i], "is neither a host name nor an IP address");
	memset(name, 'a', 253);
	accept_value(check_peer_name, name);
	name[253] = 'a';
	refuse(check_peer_name, name, "is neither");
}

static void
a_server_name_is_never_an_address(void **state)
{
	(void)state;
	accept_value(check_server_name, "db.example.net");
	refuse(check_server_name, "192.0.2.1", "is an IP address, which SNI cannot carry");
	refuse(check_server_name, "::1", "is an IP address, which SNI cannot carry");
	refuse(check_server_name, "a:1", "is not a host name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_for_connecting_only),
		cmocka_unit_test(only_names_that_end_in_conf_are_included),
		cmocka_unit_test(a_peer_name_is_a_host_or_an_address),
		cmocka_unit_test(a_server_name_is_never_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
