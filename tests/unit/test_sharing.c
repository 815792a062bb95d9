/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/resolving.h"
#include "tunnel/sharing.h"

/* Six lines each. */
#define A "[a]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\ncert = c\nca = a\n"
#define B "[b]\nmode = bridge\naccept = *:1\nconnect = h:2\ncert = c\nca = a\n"
#define C "[c]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\ncert = c\nca = a\n"

static const char *
complaints_about(const char *text)
{
	resolving_start("m", text);
	sharing_check(&resolving.resolved, &resolving.complaints);
	return resolving_tell();
}

static void
services_share_an_address_when_names_tell_them_apart(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(A "sni = a, *.a\n" B "sni = b\n" C "sni = *.b, default\n"), "");
	assert_string_equal(complaints_about(A "sni = a\n"), "");
	assert_string_equal(complaints_about(A), "");
}

static void
a_service_without_names_shares_with_nobody(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(A "sni = a\n" B),
		"m:10: service b: accept: \"*:1\" is taken by service a in m:3; give one of both "
		"another address, or say in both with sni which names are theirs\n");
	assert_string_equal(complaints_about(A B "sni = b\n" C "sni = c\n"),
		"m:9: service b: accept: \"*:1\" is taken by service a in m:3; give one of both "
		"another address, or say in both with sni which names are theirs\n");
	assert_string_equal(
		complaints_about(A "sni = a\n[e]\nmode = encrypt\naccept = *:1\nconnect = h:2\n"),
		"m:10: service e: accept: \"*:1\" is taken by service a in m:3; give one of both "
		"another address\n");
}

static void
one_service_takes_an_address_once(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(A "sni = a\naccept = *:1\n"),
		"m:8: service a: accept: \"*:1\" is taken by service a in m:3; give one of both "
		"another address\n");
}

static void
a_name_belongs_to_one_service_of_an_address(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(A "sni = x.y, *.y\n" B "sni = z, X.Y\n"),
		"m:14: service b: sni: \"z, X.Y\" has \"X.Y\", which service a in m:7 has on the "
		"same address; remove it from one of both\n");
	assert_string_equal(complaints_about(A "sni = *.y\n" B "sni = *.Y\n"),
		"m:14: service b: sni: \"*.Y\" has \"*.Y\", which service a in m:7 has on the "
		"same address; remove it from one of both\n");
	assert_string_equal(complaints_about(A "sni = x, y, X\n"),
		"m:7: service a: sni: \"x, y, X\" has \"X\" twice; remove one of both\n");
	assert_string_equal(complaints_about(A "sni = x\n[b]\nmode = offload\naccept = *:2\n"
					       "connect = [::1]:1\nsni = x\n"),
		"");
}

static void
one_service_of_an_address_takes_the_rest(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(A "sni = default\n" B "sni = b, default\n"),
		"m:14: service b: sni: \"b, default\" has \"default\", which service a in m:7 has "
		"on the same address; remove it from one of both\n");
}

static void
what_acts_before_the_name_is_known_is_the_same_in_all(void **state)
{
	static const char *const lines[] = {"socket-mode = 0660", "socket-owner = o",
		"socket-group = g", "keepalive = 2m", "handshake-timeout = 1s"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char text[1024], expected[256];
		int length = (int)strcspn(lines[i], " ");

		(void)snprintf(text, sizeof(text),
			A "accept = unix:/s\nsni = a\n" C "accept = unix:/s\nsni = c\n%s\n",
			lines[i]);
		(void)snprintf(expected, sizeof(expected),
			"m:17: service c: %.*s: \"%s\" differs from that of service a in m:1, "
			"which accepts on the same address; write the same in both\n",
			length, lines[i], strchr(lines[i], '=') + 2);
		assert_string_equal(complaints_about(text), expected);
		(void)snprintf(text, sizeof(text),
			"%s\n" A "accept = unix:/s\nsni = a\n" C "accept = unix:/s\nsni = c\n",
			lines[i]);
		assert_string_equal(complaints_about(text), "");
	}
	assert_string_equal(
		complaints_about(A "sni = a\nkeepalive = 60s\n" C "sni = c\nkeepalive = 1m\n"), "");
	assert_string_equal(complaints_about(A "sni = a\nkeepalive = 50s\n" C "sni = c\n"),
		"m:9: service c: keepalive: differs from that of service a in m:8, which accepts "
		"on the same address; write the same in both\n");
	assert_string_equal(complaints_about(A "sni = a\nidle-timeout = 50s\n" C "sni = c\n"), "");
}

static void
options_of_a_socket_count_for_that_socket_alone(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(A "accept = unix:/s\nsocket-mode = 0666\n"
				   "sni = a\n" B "sni = b\n" C "accept = unix:/t\nsni = c\n"),
		"");
}

static void
the_server_side_of_a_bridge_is_compared(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(A "sni = a\n" B "sni = b\nconnect-handshake-timeout = 1s\n"), "");
	assert_string_equal(
		complaints_about(A "sni = a\n" B "sni = b\naccept-handshake-timeout = 1s\n"),
		"m:15: service b: accept-handshake-timeout: \"1s\" differs from that of service a "
		"in m:1, which accepts on the same address; write the same in both\n");
}

#define TEST(claim) cmocka_unit_test_teardown(claim, resolving_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(services_share_an_address_when_names_tell_them_apart),
		TEST(a_service_without_names_shares_with_nobody),
		TEST(one_service_takes_an_address_once),
		TEST(a_name_belongs_to_one_service_of_an_address),
		TEST(one_service_of_an_address_takes_the_rest),
		TEST(what_acts_before_the_name_is_known_is_the_same_in_all),
		TEST(options_of_a_socket_count_for_that_socket_alone),
		TEST(the_server_side_of_a_bridge_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
