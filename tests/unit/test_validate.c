/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/resolving.h"
#include "tunnel/validate.h"

#define REST	"cert = c\nca = a\n"
#define ENCRYPT "[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n" REST
#define OFFLOAD "[o]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\n" REST
#define BRIDGE	"[b]\nmode = bridge\naccept = *:1\nconnect = h:2\n" REST

/* All that is complained about in @text, that of a file called @name, or of flags. */
static const char *
complaints_in(const char *name, const char *text)
{
	resolving_start(name, text);
	validate(&resolving.resolved, &resolving.complaints);
	return resolving_tell();
}

static const char *
complaints_about(const char *text)
{
	return complaints_in("m", text);
}

static void
nothing_is_said_of_services_that_are_whole(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(ENCRYPT), "");
	assert_string_equal(complaints_about(OFFLOAD "verify = optional\n"), "");
	assert_string_equal(complaints_about(BRIDGE "accept-verify = optional\n"
						    "connect-cert = none\naccept-cert = d\n"),
		"");
}

static void
a_text_has_a_section_even_if_that_is_wrong(void **state)
{
	(void)state;
	assert_string_equal(complaints_about("workers = 1\n"),
		"m: there is no service; write a section for one, such as [orders-db], or an "
		"include\n");
	assert_string_equal(complaints_about("[-]\n"), "");
	assert_int_equal(resolving.mistakes, 1);
}

static void
what_is_written_wrongly_is_not_missing(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about("[e]\nmode = encrypt\naccept = x\nconnect = *:1\n" REST), "");
	assert_int_equal(resolving.mistakes, 2);
}

static void
only_sides_that_speak_tls_need_what_tls_needs(void **state)
{
	static const char cert[] = "cert: is missing; name the file with the certificate that "
				   "this end shows to its peer\n";
	char expected[512];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "m:1: service o: %s", cert);
	assert_string_equal(complaints_about("[o]\nmode = offload\naccept = *:1\n"
					     "connect = 127.0.0.1:2\nca = a\n"),
		expected);
	(void)snprintf(expected, sizeof(expected), "m:1: service b: connect-%s", cert);
	assert_string_equal(
		complaints_about("[b]\nmode = bridge\naccept = *:1\nconnect = h:2\nca = a\n"
				 "accept-cert = c\n"),
		expected);
}

static void
an_inherited_value_is_told_for_each_service_by_its_line(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about("cert = none\nca = a\n"
				 "[o]\nmode = offload\naccept = *:1\nconnect = [::1]:1\n"
				 "[p]\nmode = offload\naccept = *:2\nconnect = [::1]:1\n"),
		"m:1: service o: cert: \"none\" is not possible on the side that accepts, where a "
		"server needs a certificate or psk; name its file\n"
		"m:1: service p: cert: \"none\" is not possible on the side that accepts, where a "
		"server needs a certificate or psk; name its file\n");
}

static void
a_key_alone_is_told_with_the_name_of_what_it_lacks(void **state)
{
	(void)state;
	assert_string_equal(complaints_about("connect-key = k\nca = a\n[e]\nmode = encrypt\n"
					     "accept = 127.0.0.1:1\nconnect = h:2\n"),
		"m:1: service e: connect-key: \"k\" has no certificate beside it, and both are "
		"inherited only together; write connect-cert in the same place\n");
}

static void
with_a_psk_neither_a_ca_nor_a_certificate_is_missing(void **state)
{
	static const char offload[] = "[o]\nmode = offload\naccept = *:1\nconnect = [::1]:2\n";
	static const char encrypt[] = "[e]\nmode = encrypt\naccept = unix:/a\nconnect = h:2\n";
	char text[256];

	(void)state;
	(void)snprintf(text, sizeof(text), "%spsk = p\n", offload);
	assert_string_equal(complaints_about(text), "");
	(void)snprintf(text, sizeof(text), "%spsk = p\ncert = c\n", offload);
	assert_string_equal(complaints_about(text), "");
	(void)snprintf(text, sizeof(text), "%spsk = p\npsk-identity = i\n", encrypt);
	assert_string_equal(complaints_about(text), "");
	(void)snprintf(text, sizeof(text), "%sverify = no\npsk = p\n", offload);
	assert_non_null(strstr(complaints_about(text), "m:1: service o: cert: is missing; "));
}

static void
what_is_shared_is_checked_too(void **state)
{
	(void)state;
	assert_non_null(strstr(complaints_about(OFFLOAD "sni = a, a\n"), "has \"a\" twice; "));
	assert_non_null(strstr(complaints_about(OFFLOAD "cert = d\nkey = k\n"),
		"m:8: service o: key: \"k\" begins a list of 1, but there are 2 in cert; "));
}

static void
a_ca_can_be_none_only_where_nothing_is_verified(void **state)
{
	static const char none[] = "[o]\nmode = offload\naccept = *:1\nconnect = localhost:2\n"
				   "cert = c\nca = none\nverify = ";
	char text[256];

	(void)state;
	(void)snprintf(text, sizeof(text), "%sno\n", none);
	assert_string_equal(complaints_about(text), "");
	(void)snprintf(text, sizeof(text), "%soptional\n", none);
	assert_non_null(strstr(complaints_about(text),
		"m:6: service o: ca: \"none\" would leave nothing to verify the peer by, "));
}

static void
a_verify_that_is_not_understood_lets_nothing_pass(void **state)
{
	(void)state;
	assert_non_null(strstr(complaints_about("[o]\nmode = offload\naccept = *:1\n"
						"connect = [::1]:2\ncert = c\nverify = maybe\n"),
		"m:1: service o: ca: is missing; "));
	assert_non_null(strstr(complaints_about(ENCRYPT "peer-name = none\nverify = maybe\n"),
		"m:7: service e: peer-name: \"none\" would trust every server "));
}

static void
a_server_is_never_verified_optionally(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(BRIDGE "accept-verify = optional\nconnect-verify = optional\n"),
		"m:8: service b: connect-verify: \"optional\" is for the side that accepts, a "
		"server always has a certificate; write yes or no\n");
}

static void
a_unix_target_needs_a_peer_name_only_where_it_is_verified(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(ENCRYPT "connect = unix:/x\n"),
		"m:1: service e: peer-name: is missing, and the UNIX socket in connect has no host "
		"to take it from; name the host that must stand in the server's certificate\n");
	assert_string_equal(complaints_about(ENCRYPT "connect = unix:/x\npeer-name = p\n"), "");
	assert_string_equal(complaints_about(ENCRYPT "connect = unix:/x\nverify = no\n"), "");
	assert_string_equal(complaints_about(ENCRYPT "peer-name = none\nverify = no\n"), "");
	assert_string_equal(complaints_about(OFFLOAD "connect = unix:/x\n"), "");
}

static void
versions_out_of_order_are_told_where_the_newest_stands(void **state)
{
	(void)state;
	assert_string_equal(complaints_about("connect-tls-max-version = 1.2\n" BRIDGE
					     "tls-min-version = 1.3\n"),
		"m:1: service b: connect-tls-max-version: \"1.2\" leaves no version, because "
		"tls-min-version is above tls-max-version; change one of both\n");
	assert_string_equal(
		complaints_about(ENCRYPT "tls-min-version = 1.3\ntls-max-version = 1.3\n"), "");
	assert_string_equal(
		complaints_about(ENCRYPT "tls-min-version = 1.2\ntls-max-version = 1.2\n"), "");
}

static void
a_version_that_is_not_understood_is_not_compared(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(ENCRYPT "tls-min-version = 1.3\ntls-max-version = 1.4\n"), "");
	assert_string_equal(
		complaints_about(ENCRYPT "tls-min-version = 1.4\ntls-max-version = 1.2\n"), "");
	assert_int_equal(resolving.mistakes, 1);
}

static void
plaintext_stays_on_this_machine_however_that_is_written(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(ENCRYPT "accept = [::1]:2\naccept = [::ffff:127.0.0.9]:3\n"
					 "accept = localhost:4\naccept = unix:/a\n"
					 "accept = unix:@a\n"),
		"");
	assert_string_equal(
		complaints_about(OFFLOAD "connect = localhost:3\nconnect = unix:/a\n"), "");
	assert_string_equal(complaints_about(BRIDGE "accept = 192.0.2.1:1\n"), "");
}

static void
every_address_that_plaintext_would_leave_by_is_told(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(ENCRYPT "accept = x\naccept = *:2\n"
						     "accept = unix:/a\naccept = 192.0.2.1:3\n"),
		"m:8: service e: accept: \"*:2\" takes plaintext from other machines; write an "
		"address of this machine, such as 127.0.0.1, or allow-remote-plaintext = yes\n"
		"m:10: service e: accept: \"192.0.2.1:3\" takes plaintext from other machines; "
		"write an address of this machine, such as 127.0.0.1, or allow-remote-plaintext = "
		"yes\n");
	assert_string_equal(complaints_about(OFFLOAD "connect = localhost.example.net:3\n"),
		"m:7: service o: connect: \"localhost.example.net:3\" may send plaintext to "
		"another machine; write an address of this machine, such as 127.0.0.1, or "
		"allow-remote-plaintext = yes\n");
}

static void
remote_plaintext_is_left_alone_when_it_is_allowed_or_that_is_unclear(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(ENCRYPT "accept = *:2\nallow-remote-plaintext = yes\n"), "");
	assert_string_equal(
		complaints_about(ENCRYPT "accept = *:2\nallow-remote-plaintext = si\n"), "");
	assert_non_null(
		strstr(complaints_about(ENCRYPT "accept = *:2\nallow-remote-plaintext = no\n"),
			"\"*:2\" takes plaintext from other machines; "));
}

static void
one_address_is_taken_once_however_it_is_written(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(ENCRYPT "accept = [::1]:1\n"
						     "[f]\nmode = encrypt\naccept = localhost:1\n"
						     "accept = [0:0::0:1]:1\nconnect = h:2\n" REST
						     "[g]\nmode = encrypt\naccept = 127.0.0.1:1\n"
						     "connect = h:2\n" REST),
		"m:10: service f: accept: \"localhost:1\" is taken by service e in m:3; give one "
		"of both another address\n"
		"m:11: service f: accept: \"[0:0::0:1]:1\" is taken by service e in m:7; give one "
		"of both another address\n"
		"m:17: service g: accept: \"127.0.0.1:1\" is taken by service f in m:10; give one "
		"of both another address\n");
}

static void
addresses_that_differ_are_not_confused(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(ENCRYPT "accept = 127.0.0.1:11\naccept = 127.0.0.11:1\n"
					 "accept = unix:/a\naccept = unix:@/a\n"
					 "accept = unix:@a\n"),
		"");
}

static void
an_address_given_twice_by_flags_is_told_without_a_line(void **state)
{
	(void)state;
	assert_string_equal(complaints_in(NULL, OFFLOAD "accept = *:1\n"),
		"--accept: \"*:1\" is given a second time; remove one of both\n");
}

static void
addresses_that_found_no_memory_are_not_compared(void **state)
{
	(void)state;
	resolving_start("m", OFFLOAD "accept = *:1\naccept = *:1\n");
	resolving.resolved.services[0].accept_count = 0;
	resolving.resolved.arena.failed = true;
	validate(&resolving.resolved, &resolving.complaints);
	assert_string_equal(resolving_tell(), "");
}

#define TEST(claim) cmocka_unit_test_teardown(claim, resolving_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_said_of_services_that_are_whole),
		TEST(a_text_has_a_section_even_if_that_is_wrong),
		TEST(what_is_written_wrongly_is_not_missing),
		TEST(only_sides_that_speak_tls_need_what_tls_needs),
		TEST(an_inherited_value_is_told_for_each_service_by_its_line),
		TEST(a_key_alone_is_told_with_the_name_of_what_it_lacks),
		TEST(with_a_psk_neither_a_ca_nor_a_certificate_is_missing),
		TEST(what_is_shared_is_checked_too),
		TEST(a_ca_can_be_none_only_where_nothing_is_verified),
		TEST(a_verify_that_is_not_understood_lets_nothing_pass),
		TEST(a_server_is_never_verified_optionally),
		TEST(a_unix_target_needs_a_peer_name_only_where_it_is_verified),
		TEST(versions_out_of_order_are_told_where_the_newest_stands),
		TEST(a_version_that_is_not_understood_is_not_compared),
		TEST(plaintext_stays_on_this_machine_however_that_is_written),
		TEST(every_address_that_plaintext_would_leave_by_is_told),
		TEST(remote_plaintext_is_left_alone_when_it_is_allowed_or_that_is_unclear),
		TEST(one_address_is_taken_once_however_it_is_written),
		TEST(addresses_that_differ_are_not_confused),
		TEST(an_address_given_twice_by_flags_is_told_without_a_line),
		TEST(addresses_that_found_no_memory_are_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
