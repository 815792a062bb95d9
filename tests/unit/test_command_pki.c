/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/defs.h"
#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tunnel/command.h"
#include "tunnel/command_pki.h"

/* The directory is for the commands to make. */
static int
setup(void **state)
{
	return scratch_setup(state) || rmdir(scratch.directory);
}

static int
teardown(void **state)
{
	static const char *const names[] = {"ca.crt", "ca.key", "ca.crl", "a.example.crt",
		"a.example.key", "me.crt", "me.key", "tickets"};

	(void)state;
	(void)scratch_remove(names, ARRAY_SIZE(names));
	return access(scratch.directory, F_OK) == 0 ? -1 : 0;
}

/* Run the command with @line, in which each "@" stands for the directory. */
static int
pki(const char *line)
{
	char words[512] = "";

	for (const char *c = line; *c; c++) {
		size_t length = strlen(words);
		(void)snprintf(words + length, sizeof(words) - length, "%.*s",
			*c == '@' ? (int)sizeof(scratch.directory) : 1,
			*c == '@' ? scratch.directory : c);
	}
	return capture_run(command_pki, words);
}

static bool
is_there(const char *name)
{
	return access(scratch_path(name), F_OK) == 0;
}

static void
wrong_usage_is_told_with_where_help_is(void **state)
{
	static const struct {
		const char *line, *words;
	} lines[] = {
		{"pki", "usage: sallyport pki SUBCOMMAND"},
		{"pki sign", "there is no sub-command \"sign\"\nTry: sallyport pki --help\n"},
		{"pki init",
			"sallyport pki init: an operand is missing\n"
			"Try: sallyport pki init --help\n"},
		{"pki issue @", "sallyport pki issue: an operand is missing\n"},
		{"pki show a b", "sallyport pki show: \"b\" is one operand too many\n"},
		{"pki init --dns a.example @", "there is no option \"--dns\"\n"},
		{"pki revoke", "sallyport pki revoke: an operand is missing\n"},
		{"pki revoke x a c", "\"c\" is one operand too many\n"},
		{"pki self x", "sallyport pki self: an operand is missing\n"},
		{"pki ticket-key", "sallyport pki ticket-key: an operand is missing\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(pki(lines[i].line), EXIT_USAGE);
		capture_expect(capture.err, lines[i].words);
		assert_string_equal(capture.out, "");
	}
}

static void
help_of_all_and_of_each_is_on_standard_output(void **state)
{
	static const struct {
		const char *line, *words, *option;
	} lines[] = {
		{"pki --help", "\n  init       DIR ", "\n  show       FILE|HOST:PORT "},
		{"pki --help", "\n  revoke     DIR [NAME] ", "\n  ticket-key FILE "},
		{"pki init --help", "usage: sallyport pki init [options] DIR\n", "  --name CN"},
		{"pki issue --help", "usage: sallyport pki issue [options] DIR NAME\n",
			"  --uri URI"},
		{"pki revoke --help", "usage: sallyport pki revoke [options] DIR [NAME]\n",
			"  --days N"},
		{"pki self --help", "usage: sallyport pki self [options] DIR NAME\n",
			"  --key-type TYPE"},
		{"pki ticket-key --help", "usage: sallyport pki ticket-key [options] FILE\n",
			"  --help"},
		{"pki show --help", "usage: sallyport pki show [options] FILE|HOST:PORT\n",
			"  --peer-name NAME|IP|none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_int_equal(pki(lines[i].line), EXIT_ENDED);
		capture_expect(capture.out, lines[i].words);
		capture_expect(capture.out, lines[i].option);
		capture_expect(capture.out,
			"Exit codes: 0 done, 1 failed, 2 the command line is wrong.\n");
		assert_string_equal(capture.err, "");
	}
}

static void
help_that_could_not_be_printed_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(capture_run_full(command_pki, "pki --help"), EXIT_FAILED);
	capture_expect(capture.err, "sallyport: standard output: ");
	assert_int_equal(capture_run_full(command_pki, "pki issue --help"), EXIT_FAILED);
	capture_expect(capture.err, "sallyport: standard output: ");
}

static void
init_makes_an_authority_and_says_what_is_what(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @ --name Ours"), EXIT_ENDED);
	capture_expect(capture.out, "/ca.crt  the authority's certificate: give it to every peer");
	capture_expect(capture.out, "/ca.key  the authority's key: give it to nobody");
	capture_expect(capture.out, "Next: sallyport pki issue ");
	assert_string_equal(capture.err, "");
	assert_true(is_there("ca.crt") && is_there("ca.key"));
	assert_int_equal(pki("pki show @/ca.crt"), EXIT_ENDED);
	capture_expect(capture.out, "Ours");
}

static void
an_authority_is_not_overwritten(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @ --name Ours"), EXIT_ENDED);
	assert_int_equal(pki("pki init @ --name Theirs"), EXIT_FAILED);
	capture_expect(capture.err, "sallyport pki init: ");
	assert_string_equal(capture.out, "");
	assert_int_equal(pki("pki show @/ca.crt"), EXIT_ENDED);
	capture_expect(capture.out, "Ours");
}

static void
an_issued_certificate_is_good_for_its_own_name_without_others(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @"), EXIT_ENDED);
	assert_int_equal(pki("pki issue @ a.example"), EXIT_ENDED);
	capture_expect(capture.out, "/a.example.crt  the certificate: \"cert\" of its owner\n");
	capture_expect(
		capture.out, "/a.example.key  its key: \"key\" of its owner and nobody else's\n");
	assert_int_equal(pki("pki show @/a.example.crt --ca @/ca.crt"), EXIT_USAGE);
	capture_expect(capture.err, "a.example.crt is a file: the options are for a server");
	assert_int_equal(pki("pki show @/a.example.crt"), EXIT_ENDED);
	capture_expect(capture.out, "a.example");
	assert_int_equal(pki("pki issue @ a.example"), EXIT_FAILED);
	capture_expect(capture.err, "sallyport pki issue: ");
}

static void
a_name_that_is_no_host_needs_another(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @"), EXIT_ENDED);
	assert_int_equal(pki("pki issue @ some_thing"), EXIT_FAILED);
	capture_expect(capture.err, "\"some_thing\" is not a host name");
	capture_expect(capture.err, "add --dns, --ip or --uri\n");
	assert_int_equal(pki("pki issue @ me --ip 192.0.2.7"), EXIT_ENDED);
	assert_int_equal(pki("pki show @/me.crt"), EXIT_ENDED);
	capture_expect(capture.out, "192.0.2.7");
}

/* Put the line that says until when @file is good into @array. */
static void
get_until(const char *file, char *array, size_t size)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "pki show @/%s", file);
	assert_int_equal(pki(line), EXIT_ENDED);
	const char *until = strstr(capture.out, "  until: ");
	assert_non_null(until);
	(void)snprintf(array, size, "%.*s", (int)strcspn(until, "Z"), until);
}

static void
no_certificate_outlives_its_authority(void **state)
{
	char ours[64], theirs[64];

	(void)state;
	assert_int_equal(pki("pki init @ --days 30"), EXIT_ENDED);
	assert_int_equal(pki("pki issue @ me --days 40"), EXIT_FAILED);
	capture_expect(capture.err, "--days: the authority expires in ");
	assert_false(is_there("me.crt") || is_there("me.key"));
	assert_int_equal(pki("pki issue @ me"), EXIT_ENDED);
	capture_expect(capture.out, "The certificate is made to expire with its authority, ");
	get_until("ca.crt", ours, sizeof(ours));
	get_until("me.crt", theirs, sizeof(theirs));
	assert_string_equal(ours, theirs);
	assert_int_equal(pki("pki issue @ a.example --days 7"), EXIT_ENDED);
	assert_null(strstr(capture.out, "expire with its authority"));
}

static void
without_an_authority_nothing_is_issued(void **state)
{
	(void)state;
	assert_int_equal(pki("pki issue @ me"), EXIT_FAILED);
	capture_expect(capture.err, "sallyport pki issue: ");
	assert_string_equal(capture.out, "");
	assert_false(is_there("me.key"));
}

static void
a_directory_that_cannot_be_made_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @/deeper"), EXIT_FAILED);
	capture_expect(capture.err, "sallyport pki init: ");
	assert_string_equal(capture.out, "");
}

static void
an_authority_that_could_not_be_written_leaves_no_directory(void **state)
{
	(void)state;
	scratch_limit(150); /* bytes: for the error's words, but not for a key */
	int status = pki("pki init @");
	scratch_unlimit();
	assert_int_equal(status, EXIT_FAILED);
	capture_expect(capture.err, "sallyport pki init: ");
	assert_int_not_equal(access(scratch.directory, F_OK), 0);
}

static void
revoke_makes_a_list_and_keeps_who_was_on_it(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @"), EXIT_ENDED);
	assert_int_equal(pki("pki issue @ a.example"), EXIT_ENDED);
	assert_int_equal(pki("pki issue @ me --ip 192.0.2.7"), EXIT_ENDED);
	assert_int_equal(pki("pki revoke @"), EXIT_ENDED);
	capture_expect(capture.out,
		"/ca.crl  the authority's list: \"crl\" of every peer; 0 on it, good until ");
	assert_true(is_there("ca.crl"));
	assert_int_equal(pki("pki revoke @ a.example"), EXIT_ENDED);
	capture_expect(capture.out, "a.example is revoked\n");
	capture_expect(capture.out, "; 1 on it, ");
	assert_int_equal(pki("pki revoke @ me --days 3"), EXIT_ENDED);
	capture_expect(capture.out, "; 2 on it, ");
	assert_int_equal(pki("pki revoke @ a.example"), EXIT_ENDED);
	capture_expect(capture.out, "a.example had been revoked already");
	capture_expect(capture.out, "; 2 on it, ");
	assert_string_equal(capture.err, "");
}

static void
who_is_not_there_is_not_revoked(void **state)
{
	(void)state;
	assert_int_equal(pki("pki revoke @"), EXIT_FAILED);
	capture_expect(capture.err, "sallyport pki revoke: ");
	assert_int_equal(pki("pki init @"), EXIT_ENDED);
	assert_int_equal(pki("pki revoke @ me"), EXIT_FAILED);
	capture_expect(capture.err, "/me.crt\": open: No such file");
	assert_int_equal(pki("pki revoke @ ca"), EXIT_FAILED);
	assert_int_equal(pki("pki revoke @ ../me"), EXIT_FAILED);
	assert_false(is_there("ca.crl"));
}

static void
what_another_authority_has_signed_is_not_revoked(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @"), EXIT_ENDED);
	assert_int_equal(pki("pki self @ me"), EXIT_ENDED);
	assert_int_equal(pki("pki revoke @ me"), EXIT_FAILED);
	capture_expect(capture.err, "the certificate was not issued by this authority");
	assert_false(is_there("ca.crl"));
}

static void
self_makes_an_identity_and_prints_the_lines_of_both_ends(void **state)
{
	char line[128];

	(void)state;
	assert_int_equal(pki("pki self @ a.example"), EXIT_ENDED);
	(void)snprintf(line, sizeof(line), "\ncert = %s/a.example.crt\n", scratch.directory);
	capture_expect(capture.out, line);
	(void)snprintf(
		line, sizeof(line), "\nkey = %s/a.example.key\nca = none\n", scratch.directory);
	capture_expect(capture.out, line);
	const char *pin = strstr(capture.out, "ca = none\npin = sha256:");
	assert_non_null(pin);
	(void)snprintf(line, sizeof(line), "%.51s", pin + strlen("ca = none\npin = "));
	assert_int_equal(pki("pki show @/a.example.crt"), EXIT_ENDED);
	capture_expect(capture.out, line);
	capture_expect(capture.out, "dns:a.example");
	assert_int_equal(pki("pki self @ a.example"), EXIT_FAILED);
	capture_expect(capture.err, "a.example.key exists and is not overwritten");
	assert_int_equal(pki("pki self @ me --uri spiffe://x/me --key-type ed25519"), EXIT_ENDED);
	assert_int_equal(pki("pki show @/me.crt"), EXIT_ENDED);
	capture_expect(capture.out, "uri:spiffe://x/me");
}

static void
self_that_failed_leaves_no_directory(void **state)
{
	(void)state;
	assert_int_equal(pki("pki self @ ca"), EXIT_FAILED);
	assert_int_not_equal(access(scratch.directory, F_OK), 0);
	assert_int_equal(pki("pki self @/deeper me"), EXIT_FAILED);
	assert_string_equal(capture.out, "");
}

/* Read the secret into @secret. */
static void
read_secret(char secret[64])
{
	FILE *file = fopen(scratch_path("tickets"), "rb");

	assert_non_null(file);
	assert_int_equal(fread(secret, 1, 64, file), 64);
	assert_int_equal(fgetc(file), EOF);
	(void)fclose(file);
}

static void
a_ticket_key_is_made_and_replaced(void **state)
{
	char first[64], second[64];

	(void)state;
	assert_int_equal(pki("pki init @"), EXIT_ENDED);
	assert_int_equal(pki("pki ticket-key @/tickets"), EXIT_ENDED);
	capture_expect(
		capture.out, "/tickets  the secret of session tickets: \"ticket-keys\" of every");
	assert_null(strstr(capture.out, "It is new"));
	read_secret(first);
	assert_int_equal(pki("pki ticket-key @/tickets"), EXIT_ENDED);
	capture_expect(capture.out, "It is new: ");
	read_secret(second);
	assert_memory_not_equal(first, second, 64);
}

static void
a_ticket_key_replaces_nothing_but_its_like(void **state)
{
	(void)state;
	assert_int_equal(pki("pki init @"), EXIT_ENDED);
	assert_int_equal(pki("pki ticket-key @/ca.key"), EXIT_FAILED);
	capture_expect(
		capture.err, "ca.key exists, is not a file of 64 bytes and is not overwritten");
	assert_int_equal(pki("pki ticket-key @"), EXIT_FAILED);
	assert_int_equal(pki("pki ticket-key @/deeper/file"), EXIT_FAILED);
	assert_int_equal(pki("pki issue @ a.example"), EXIT_ENDED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_usage_is_told_with_where_help_is),
		cmocka_unit_test(help_of_all_and_of_each_is_on_standard_output),
		cmocka_unit_test(help_that_could_not_be_printed_is_a_failure),
		TEST(init_makes_an_authority_and_says_what_is_what),
		TEST(an_authority_is_not_overwritten),
		TEST(an_issued_certificate_is_good_for_its_own_name_without_others),
		TEST(a_name_that_is_no_host_needs_another),
		TEST(no_certificate_outlives_its_authority),
		TEST(without_an_authority_nothing_is_issued),
		TEST(a_directory_that_cannot_be_made_is_a_failure),
		TEST(an_authority_that_could_not_be_written_leaves_no_directory),
		TEST(revoke_makes_a_list_and_keeps_who_was_on_it),
		TEST(who_is_not_there_is_not_revoked),
		TEST(what_another_authority_has_signed_is_not_revoked),
		TEST(self_makes_an_identity_and_prints_the_lines_of_both_ends),
		TEST(self_that_failed_leaves_no_directory),
		TEST(a_ticket_key_is_made_and_replaced),
		TEST(a_ticket_key_replaces_nothing_but_its_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
