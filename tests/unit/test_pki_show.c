/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/identities.h"
#include "tests/unit/loopback.h"
#include "tests/unit/scratch.h"
#include "tests/unit/tls_server.h"
#include "tests/unit/workshop.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_show.h"

static struct pki_pair authority, stranger, by_ip, by_name, expired;
static struct tls_server server;
static struct pki_arguments arguments;
static char where[32];

static int
setup_group(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_authority(&stranger, "stranger");
	identities_make_leaf(&by_ip, &authority, "127.0.0.1", -1, 1);
	identities_make_leaf(&by_name, &authority, "a.example", -1, 1);
	identities_make_leaf(&expired, &authority, "127.0.0.1", -3, -2);
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	pki_pair_release(&expired);
	pki_pair_release(&by_name);
	pki_pair_release(&by_ip);
	pki_pair_release(&stranger);
	pki_pair_release(&authority);
	return 0;
}

static int
setup(void **state)
{
	if (scratch_setup(state) < 0)
		return -1;
	workshop_save("ca", &authority);
	arguments = (struct pki_arguments){.ca = scratch_path("ca.crt")};
	return 0;
}

static int
teardown(void **state)
{
	tls_server_join(&server);
	return scratch_teardown(state);
}

static int
show_file(const char *name)
{
	arguments = (struct pki_arguments){.operands = {scratch_path(name)}};
	return workshop_run(pki_show, &arguments);
}

static void
point_to(const struct sockaddr_in *address)
{
	(void)snprintf(where, sizeof(where), "127.0.0.1:%u", (unsigned)ntohs(address->sin_port));
	arguments.operands[0] = where;
}

/* Show the server of @plan with the arguments that are set. */
static int
show_server(const struct tls_server_plan *plan)
{
	tls_server_start(&server, plan);
	point_to(&server.address);
	int status = workshop_run(pki_show, &arguments);
	tls_server_join(&server);
	return status;
}

/* The words on standard error are where it was and @words. */
static void
expect_reason(const char *words)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%s: %s", where, words);
	assert_string_equal(capture.err, text);
}

static void
every_certificate_of_a_file_is_shown_in_its_order(void **state)
{
	char both[16384];

	(void)state;
	workshop_save("leaf", &by_name);
	size_t size = scratch_read("leaf.crt", both, sizeof(both));
	size += scratch_read("ca.crt", both + size, sizeof(both) - size);
	scratch_write("both.crt", both, size);
	assert_int_equal(show_file("both.crt"), EXIT_ENDED);
	assert_string_equal(capture.err, "");
	const char *second =
		strstr(capture.out, "certificate 2 of 2:\n  subject:     CN=authority");
	assert_non_null(second);
	const char *name = strstr(capture.out, "dns:a.example");
	assert_true(name && name < second);
	assert_ptr_equal(strstr(capture.out, "certificate 1 of 2:\n"), capture.out);
}

static void
a_file_may_be_der_as_well(void **state)
{
	gnutls_datum_t der;

	(void)state;
	assert_int_equal(gnutls_x509_crt_export2(by_name.crt, GNUTLS_X509_FMT_DER, &der), 0);
	scratch_write("leaf.der", der.data, der.size);
	gnutls_free(der.data);
	assert_int_equal(show_file("leaf.der"), EXIT_ENDED);
	capture_expect(capture.out, "certificate 1 of 1:\n");
	capture_expect(capture.out, "dns:a.example");
}

static void
a_file_without_a_certificate_is_a_failure_that_says_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(show_file("ca.key"), EXIT_FAILED);
	capture_expect(capture.err, "/ca.key: there is no certificate in it, but a private key");
	assert_string_equal(capture.out, "");
	scratch_write("broken", "-----BEGIN CERTIFICATE-----\n!\n", 30);
	assert_int_equal(show_file("broken"), EXIT_FAILED);
	capture_expect(capture.err, scratch_path("broken: "));
	assert_string_equal(capture.out, "");
}

static void
arguments_that_contradict_each_other_are_wrong_usage(void **state)
{
	(void)state;
	arguments.operands[0] = scratch_path("ca.crt");
	assert_int_equal(workshop_run(pki_show, &arguments), EXIT_USAGE);
	capture_expect(capture.err, "/ca.crt is a file: the options are for a server");
	arguments.operands[0] = "unix:/nowhere/at/all";
	assert_int_equal(workshop_run(pki_show, &arguments), EXIT_USAGE);
	capture_expect(capture.err, "a UNIX socket has no host name: add --peer-name");
	arguments.operands[0] = "127.0.0.1:9";
	arguments.key = scratch_path("ca.key");
	assert_int_equal(workshop_run(pki_show, &arguments), EXIT_USAGE);
	capture_expect(capture.err, "--key needs --cert");
	assert_string_equal(capture.out, "");
}

static void
what_is_neither_a_file_nor_an_address_is_said_to_be_neither(void **state)
{
	(void)state;
	assert_int_equal(show_file("nothing"), EXIT_FAILED);
	capture_expect(capture.err, scratch_path("nothing: there is no such file: "));
}

static void
files_are_read_before_anybody_is_asked(void **state)
{
	struct sockaddr_in address;
	int listener = loopback_listen(SOCK_NONBLOCK, &address);

	(void)state;
	point_to(&address);
	arguments.cert = scratch_path("none.crt");
	assert_int_equal(workshop_run(pki_show, &arguments), EXIT_FAILED);
	capture_expect(capture.err, ": private key: ");
	arguments.key = scratch_path("ca.key");
	assert_int_equal(workshop_run(pki_show, &arguments), EXIT_FAILED);
	capture_expect(capture.err, ": certificate: ");
	arguments.ca = scratch_path("none.crt");
	assert_int_equal(workshop_run(pki_show, &arguments), EXIT_FAILED);
	capture_expect(capture.err, ": trust anchors: ");
	assert_string_equal(capture.out, "");
	assert_int_equal(accept4(listener, NULL, NULL, SOCK_CLOEXEC), -1);
	(void)close(listener);
}

static void
a_server_that_verifies_is_shown_with_who_says_so(void **state)
{
	char line[160];

	(void)state;
	assert_int_equal(show_server(&(struct tls_server_plan){.leaf = &by_ip}), EXIT_ENDED);
	assert_string_equal(capture.err, "");
	(void)snprintf(
		line, sizeof(line), "verifies:      yes, by %s, for \"127.0.0.1\"\n", arguments.ca);
	capture_expect(capture.out, line);
	capture_expect(capture.out, "version:       TLS1.3\n");
	capture_expect(capture.out, "our cert:      not asked for\n");
	capture_expect(capture.out, "certificate 1 of 1:\n");
	assert_string_equal(server.name, "");
}

static void
a_server_that_does_not_verify_is_shown_all_the_same(void **state)
{
	static const struct {
		const struct pki_pair *leaf;
		const char *ca, *reason;
	} cases[] = {
		{&by_ip, "stranger.crt", "the certificate authority is not known"},
		{&expired, "ca.crt", "the certificate has expired"},
		{&by_name, "ca.crt", "the certificate is not for the expected name"},
	};
	char line[160];

	(void)state;
	workshop_save("stranger", &stranger);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tls_server_plan plan = {.leaf = cases[i].leaf};

		arguments.ca = scratch_path(cases[i].ca);
		assert_int_equal(show_server(&plan), EXIT_FAILED);
		expect_reason(cases[i].reason);
		capture_expect(capture.out, "certificate 1 of 1:\n  subject:     CN=leaf\n");
		(void)snprintf(line, sizeof(line), "verifies:      no: %s\n", cases[i].reason);
		capture_expect(capture.out, line);
	}
}

static void
trust_anchors_without_a_certificate_believe_nobody(void **state)
{
	(void)state;
	arguments.ca = scratch_path("ca.key");
	assert_int_equal(show_server(&(struct tls_server_plan){.leaf = &by_ip}), EXIT_FAILED);
	capture_expect(capture.err, "trust anchors: ");
	capture_expect(capture.out, "certificate 1 of 1:\n");
	assert_null(strstr(capture.out, "verifies:"));
}

static void
the_peer_name_is_asked_for_and_expected(void **state)
{
	const struct tls_server_plan plan = {.leaf = &by_name};

	(void)state;
	arguments.peer_name = "a.example";
	assert_int_equal(show_server(&plan), EXIT_ENDED);
	capture_expect(capture.out, ", for \"a.example\"\n");
	assert_string_equal(server.name, "a.example");
	arguments.server_name = "b.example";
	assert_int_equal(show_server(&plan), EXIT_ENDED);
	assert_string_equal(server.name, "b.example");
	arguments.server_name = "none";
	assert_int_equal(show_server(&plan), EXIT_ENDED);
	assert_string_equal(server.name, "");
}

static void
without_a_peer_name_any_name_will_do_but_not_any_signer(void **state)
{
	const struct tls_server_plan plan = {.leaf = &by_name};

	(void)state;
	workshop_save("stranger", &stranger);
	arguments.peer_name = "none";
	assert_int_equal(show_server(&plan), EXIT_ENDED);
	capture_expect(capture.out, ", whatever its name\n");
	assert_string_equal(server.name, "");
	arguments.ca = scratch_path("stranger.crt");
	assert_int_equal(show_server(&plan), EXIT_FAILED);
}

static void
our_certificate_may_bring_its_key_in_the_same_file(void **state)
{
	const struct tls_server_plan plan = {.leaf = &by_ip, .asks = GNUTLS_CERT_REQUIRE};
	char both[16384];

	(void)state;
	workshop_save("leaf", &by_name);
	size_t size = scratch_read("leaf.crt", both, sizeof(both));
	size += scratch_read("leaf.key", both + size, sizeof(both) - size);
	scratch_write("both.pem", both, size);
	assert_int_equal(chmod(scratch_path("both.pem"), 0600), 0);
	arguments.cert = scratch_path("both.pem");
	assert_int_equal(show_server(&plan), EXIT_ENDED);
	assert_string_equal(capture.err, "");
	capture_expect(capture.out, "our cert:      asked for, shown\n");
	assert_int_equal(server.chain_size, 1);
}

static void
a_server_that_refuses_us_late_has_failed_although_it_verifies(void **state)
{
	const struct tls_server_plan plan = {.leaf = &by_ip, .asks = GNUTLS_CERT_REQUIRE};

	(void)state;
	assert_int_equal(show_server(&plan), EXIT_FAILED);
	expect_reason("the server sent the alert \"Certificate is required\"");
	capture_expect(capture.out, "our cert:      asked for, none shown\n");
	capture_expect(capture.out, "verifies:      yes, ");
	capture_expect(capture.out, "refused:       the server sent the alert ");
}

static void
what_does_not_verify_is_the_reason_even_where_we_are_refused(void **state)
{
	const struct tls_server_plan plan = {.leaf = &expired, .asks = GNUTLS_CERT_REQUIRE};

	(void)state;
	assert_int_equal(show_server(&plan), EXIT_FAILED);
	expect_reason("the certificate has expired");
	capture_expect(capture.out, "refused:       the server sent the alert ");
}

static void
a_handshake_that_fails_late_leaves_the_chain_and_its_verdict(void **state)
{
	const struct tls_server_plan plan = {.leaf = &expired,
		.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2",
		.asks = GNUTLS_CERT_REQUIRE};

	(void)state;
	assert_int_equal(show_server(&plan), EXIT_FAILED);
	capture_expect(capture.err, ": handshake: the server sent the alert ");
	capture_expect(capture.out, "failed:        handshake: the server sent the alert ");
	capture_expect(capture.out, "our cert:      asked for, none shown\n");
	capture_expect(capture.out, "certificate 1 of 1:\n");
	capture_expect(capture.out, "verifies:      no: the certificate has expired\n");
	assert_null(strstr(capture.out, "version:"));
}

static void
a_server_without_tls_has_no_certificates_to_show(void **state)
{
	(void)state;
	assert_int_equal(
		show_server(&(struct tls_server_plan){.babble = "hello\r\n"}), EXIT_FAILED);
	capture_expect(capture.err, ": handshake: the server");
	capture_expect(capture.out, "server:        127.0.0.1:");
	capture_expect(capture.out, "failed:        handshake: ");
	assert_null(strstr(capture.out, "certificate 1"));
	assert_null(strstr(capture.out, "verifies:"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_certificate_of_a_file_is_shown_in_its_order),
		TEST(a_file_may_be_der_as_well),
		TEST(a_file_without_a_certificate_is_a_failure_that_says_what_it_is),
		TEST(arguments_that_contradict_each_other_are_wrong_usage),
		TEST(what_is_neither_a_file_nor_an_address_is_said_to_be_neither),
		TEST(files_are_read_before_anybody_is_asked),
		TEST(a_server_that_verifies_is_shown_with_who_says_so),
		TEST(a_server_that_does_not_verify_is_shown_all_the_same),
		TEST(trust_anchors_without_a_certificate_believe_nobody),
		TEST(the_peer_name_is_asked_for_and_expected),
		TEST(without_a_peer_name_any_name_will_do_but_not_any_signer),
		TEST(our_certificate_may_bring_its_key_in_the_same_file),
		TEST(a_server_that_refuses_us_late_has_failed_although_it_verifies),
		TEST(what_does_not_verify_is_the_reason_even_where_we_are_refused),
		TEST(a_handshake_that_fails_late_leaves_the_chain_and_its_verdict),
		TEST(a_server_without_tls_has_no_certificates_to_show),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
