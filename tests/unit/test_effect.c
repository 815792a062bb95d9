/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/diag.h"
#include "tests/unit/resolving.h"
#include "tunnel/effect.h"

#define OFFLOAD "[o]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\n"
#define BRIDGE	"[b]\nmode = bridge\naccept = *:1\nconnect = h:2\n"
#define ENCRYPT "[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n"

/* What is said of the option called @name in the only service; "" when it has an effect. */
static const char *
said_of(const char *name, enum side side)
{
	static struct diag why;
	enum side none;
	const struct resolved *resolved = &resolving.resolved;

	why.text[0] = '\0';
	int result = effect_check(
		resolved->config.services, resolved->picks, options_find(name, &none), side, &why);
	assert_int_equal(result, why.text[0] == '\0' ? 0 : -1);
	return why.text;
}

/* All that is complained about in @text, that of the file m. */
static const char *
complaints_about(const char *text)
{
	resolving_start("m", text);
	effect_complain(&resolving.resolved, &resolving.complaints);
	return resolving_tell();
}

static void
an_option_has_an_effect_in_its_modes_and_on_its_sides(void **state)
{
	static const struct {
		const char *service, *option;
		enum side side;
		const char *said;
	} rows[] = {
		{ENCRYPT, "peer-name", SIDE_CONNECT, ""},
		{BRIDGE, "peer-name", SIDE_CONNECT, ""},
		{BRIDGE, "peer-name", SIDE_ACCEPT,
			"has no effect on the side that accepts; remove it"},
		{OFFLOAD, "peer-name", SIDE_ACCEPT,
			"has no effect in mode offload, only in encrypt and bridge; remove it"},
		{ENCRYPT, "allow-remote-plaintext", SIDE_ACCEPT, ""},
		{BRIDGE, "allow-remote-plaintext", SIDE_ACCEPT,
			"has no effect in mode bridge, only in encrypt and offload; remove it"},
		{OFFLOAD, "socket-users", SIDE_ACCEPT,
			"has no effect in mode offload, only in encrypt; remove it"},
		{ENCRYPT, "verify", SIDE_ACCEPT,
			"has no effect, because in mode encrypt the side that accepts is "
			"plaintext; remove it"},
		{ENCRYPT, "verify", SIDE_CONNECT, ""},
		{OFFLOAD, "verify", SIDE_ACCEPT, ""},
		{OFFLOAD, "verify", SIDE_CONNECT,
			"has no effect, because in mode offload the side that connects is "
			"plaintext; remove it"},
		{BRIDGE, "verify", SIDE_ACCEPT, ""},
		{BRIDGE, "verify", SIDE_CONNECT, ""},
		{ENCRYPT, "idle-timeout", SIDE_ACCEPT, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		resolving_start("m", rows[i].service);
		assert_string_equal(said_of(rows[i].option, rows[i].side), rows[i].said);
	}
}

static void
options_of_sockets_need_their_kind_of_socket(void **state)
{
	static const char no_path[] = "has no effect without accept = unix:/path; remove it";
	static const char no_name[] = "has no effect without accept = unix:@name; remove it";
	static const struct {
		const char *accept, *mode_said, *users_said;
	} rows[] = {
		{"accept = 127.0.0.1:1", no_path, no_name},
		{"accept = unix:/p", "", no_name},
		{"accept = unix:@a", no_path, ""},
		{"accept = unix:@a\naccept = 127.0.0.1:1\naccept = unix:/p", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "[e]\nmode = encrypt\n%s\n", rows[i].accept);
		resolving_start("m", text);
		assert_string_equal(said_of("socket-mode", SIDE_ACCEPT), rows[i].mode_said);
		assert_string_equal(said_of("socket-users", SIDE_ACCEPT), rows[i].users_said);
	}
}

static void
nobody_is_blamed_for_an_accept_that_is_missing_or_wrong(void **state)
{
	static const char *const accepts[] = {"", "accept = 127.0.0.1:1\naccept = unix\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "[e]\nmode = encrypt\n%s", accepts[i]);
		resolving_start("m", text);
		assert_int_equal(resolving.mistakes, i);
		assert_string_equal(said_of("socket-mode", SIDE_ACCEPT), "");
		assert_string_equal(said_of("socket-users", SIDE_ACCEPT), "");
	}
}

static void
a_key_has_no_effect_on_the_side_without_a_certificate(void **state)
{
	static const char no_cert[] = "has no effect with cert = none; remove it";

	(void)state;
	resolving_start("m", BRIDGE "accept-cert = none.pem\nconnect-cert = none\n");
	assert_string_equal(said_of("key", SIDE_ACCEPT), "");
	assert_string_equal(said_of("key-permissions", SIDE_ACCEPT), "");
	assert_string_equal(said_of("key", SIDE_CONNECT), no_cert);
	assert_string_equal(said_of("key-permissions", SIDE_CONNECT), no_cert);
	assert_string_equal(said_of("ca", SIDE_CONNECT), "");
}

static void
nothing_is_said_where_everything_is_used(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about("workers = 2\nidle-timeout = 1s\npeer-name = p\nca = a\n"
				 "verify = no\n" BRIDGE "accept-verify = no\n"
				 "cert = c\nconnect-key = k\nconnect-cert = d\n"
				 "priority = x\naccept-priority = y\n" OFFLOAD),
		"");
}

static void
half_a_pair_that_is_passed_over_is_told_what_took_its_place(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(ENCRYPT "cert = c\nconnect-key = k\n"),
		"m:5: service e: cert: \"c\" is not used, because the key is written elsewhere for "
		"that side; write cert and key in the same place\n");
	assert_string_equal(complaints_about(ENCRYPT "connect-cert = c\nkey = k\n"),
		"m:6: service e: key: \"k\" is not used, because the certificate is written "
		"elsewhere for that side; write cert and key in the same place\n");
}

static void
a_plain_option_that_every_side_replaces_is_told_so(void **state)
{
	(void)state;
	assert_string_equal(
		complaints_about(BRIDGE "ca = a\naccept-ca = b\nconnect-ca = c\n"
					"truncation = abort\naccept-truncation = accept\n"),
		"m:5: service b: ca: \"a\" has no effect, because every side has its own; remove "
		"it\n");
	assert_string_equal(complaints_about(ENCRYPT "verify = no\nconnect-verify = yes\n"),
		"m:5: service e: verify: \"no\" has no effect, because every side has its own; "
		"remove it\n");
}

static void
a_plain_option_in_a_bridge_is_told_to_say_its_side(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(BRIDGE "verify = no\n"),
		"m:5: service b: verify: \"no\" must say its side in a bridge; write accept-verify "
		"or connect-verify\n");
}

static void
every_one_of_repeated_values_is_told(void **state)
{
	(void)state;
	assert_string_equal(complaints_about(ENCRYPT "socket-users = x\nsocket-users = y\n"),
		"m:5: service e: socket-users: \"x\" has no effect without accept = unix:@name; "
		"remove it\n"
		"m:6: service e: socket-users: \"y\" has no effect without accept = unix:@name; "
		"remove it\n");
	assert_string_equal(complaints_about("socket-users = x\nsocket-users = y\n" ENCRYPT),
		"m:1: socket-users: \"x\" is a default that no service uses; remove it, or move it "
		"into the service it is for\n"
		"m:2: socket-users: \"y\" is a default that no service uses; remove it, or move it "
		"into the service it is for\n");
}

static void
a_default_is_judged_only_when_every_service_is_known(void **state)
{
	(void)state;
	assert_string_equal(complaints_about("server-name = s\n" OFFLOAD),
		"m:1: server-name: \"s\" is a default that no service uses; remove it, or move it "
		"into the service it is for\n");
	assert_string_equal(
		complaints_about("server-name = s\n" OFFLOAD "server-name = t\n[x]\nmode = y\n"),
		"m:6: service o: server-name: \"t\" has no effect in mode offload, only in encrypt "
		"and bridge; remove it\n");
}

#define TEST(claim) cmocka_unit_test_teardown(claim, resolving_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_option_has_an_effect_in_its_modes_and_on_its_sides),
		TEST(options_of_sockets_need_their_kind_of_socket),
		TEST(nobody_is_blamed_for_an_accept_that_is_missing_or_wrong),
		TEST(a_key_has_no_effect_on_the_side_without_a_certificate),
		TEST(nothing_is_said_where_everything_is_used),
		TEST(half_a_pair_that_is_passed_over_is_told_what_took_its_place),
		TEST(a_plain_option_that_every_side_replaces_is_told_so),
		TEST(a_plain_option_in_a_bridge_is_told_to_say_its_side),
		TEST(every_one_of_repeated_values_is_told),
		TEST(a_default_is_judged_only_when_every_service_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
