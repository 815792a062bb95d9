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

static void
clients_can_ask_for_names_alone(void **state)
{
	static const char *const bad[] = {
		"a,192.0.2.1", "::1", "a b", "*", "*.*.x", "x.*", "a..b", "a.", ".a", "*."};
	char name[300] = "";

	(void)state;
	accept_value(check_sni, "a");
	accept_value(check_sni, "A.example.net, *.example.net ,default");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(check_sni, bad[i], "is not a list of names that clients ask for: \"");
	refuse(check_sni, "a,192.0.2.1",
		"is not a list of names that clients ask for: \"192.0.2.1\": is an IP address, ");
	memset(name, 'a', sizeof(name) - 1);
	refuse(check_sni, name, "is not a list of names");
}

static void
protocols_are_few_and_short_and_each_is_one(void **state)
{
	(void)state;
	accept_value(check_alpn, "h2, http/1.1");
	accept_value(check_alpn, "1,2,3,4,5,6,7,8");
	accept_value(check_alpn, "a234567890123456789012345678901");
	refuse(check_alpn, "h2,a2345678901234567890123456789012",
		"has \"a2345678901234567890123456789012\", which is too long ");
	refuse(check_alpn, "1,2,3,4,5,6,7,8,9", "has too many names; write up to eight");
	refuse(check_alpn, "h2, http/1.1,h2", "has \"h2\" twice; remove one of both");
}

static void
rules_and_pins_are_what_can_match(void **state)
{
	(void)state;
	accept_value(check_rule, "dns:app.example.net, from:10.0.0.0/8");
	refuse(check_rule, "host:x", "");
	accept_value(check_pin, "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	refuse(check_pin, "sha256:AAAA", "");
}

static void
the_identity_of_a_psk_fits_into_its_file(void **state)
{
	char name[129] = "";

	(void)state;
	memset(name, 'a', 127);
	accept_value(check_psk_identity, name);
	name[127] = 'a';
	refuse(check_psk_identity, name, "is no identity of a pre-shared key");
	refuse(check_psk_identity, "a:b", "is no identity of a pre-shared key");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_for_connecting_only),
		cmocka_unit_test(only_names_that_end_in_conf_are_included),
		cmocka_unit_test(a_peer_name_is_a_host_or_an_address),
		cmocka_unit_test(a_server_name_is_never_an_address),
		cmocka_unit_test(clients_can_ask_for_names_alone),
		cmocka_unit_test(protocols_are_few_and_short_and_each_is_one),
		cmocka_unit_test(rules_and_pins_are_what_can_match),
		cmocka_unit_test(the_identity_of_a_psk_fits_into_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
