/* SPDX-License-Identifier: MIT */
/* The commands that read, judge and print: check, print-config, version, help and those for packagers. */
#include "tests/unit/unit.h"

#include "configured.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defs.h"
#include "common/text.h"
#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tunnel/command.h"
#include "tunnel/command_check.h"
#include "tunnel/command_help.h"
#include "tunnel/command_print.h"
#include "tunnel/command_version.h"
#include "tunnel/options.h"

#define SERVICE(name)                                                   \
	"[" name "]\nmode = encrypt\naccept = unix:/nowhere/" name "\n" \
	"connect = 127.0.0.1:9\ncert = none\n"

static char path[SCRATCH_PATH], line[SCRATCH_PATH + 32];

static int
setup(void **state)
{
	int failed = scratch_setup(state);

	scratch_place(path, "conf");
	return failed;
}

/* What a command creates in the directory makes this fail. */
static int
teardown(void **state)
{
	static const char *const names[] = {"conf"};

	(void)state;
	return scratch_remove(names, ARRAY_SIZE(names));
}

static void
configure(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Run @command with "-c FILE". */
static int
run(int (*command)(int argc, char **argv), const char *name)
{
	(void)snprintf(line, sizeof(line), "%s -c %s", name, path);
	return capture_run(command, line);
}

static void
expect(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void
wrong_usage_is_told_and_prints_nothing(void **state)
{
	static int (*const commands[])(int argc, char **argv) = {
		command_check, command_print_config};
	static const struct {
		const char *line, *words;
	} lines[] = {
		{"x", "which file? Name it with -c FILE"},
		{"x -c", "\"-c\" is no option here, or lacks its value"},
		{"x --bogus", "\"--bogus\" is no option here"},
		{"x -c file more", "unexpected argument \"more\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(lines); j++) {
			assert_int_equal(capture_run(commands[i], lines[j].line), EXIT_USAGE);
			expect(capture.err, lines[j].words);
			assert_string_equal(capture.out, "");
		}
	}
}

static void
a_file_that_is_missing_is_a_failure_with_words(void **state)
{
	(void)state;
	assert_int_equal(run(command_check, "check"), EXIT_FAILED);
	expect(capture.err, "/conf\": open: No such file or directory\n");
	assert_string_equal(capture.out, "");
	assert_int_equal(run(command_print_config, "print-config"), EXIT_FAILED);
	expect(capture.err, "/conf\": open: No such file or directory\n");
	assert_string_equal(capture.out, "");
}

static void
check_tells_every_error_of_a_bad_configuration(void **state)
{
	(void)state;
	configure("log-level = loud\n" SERVICE("e") "verify = perhaps\nidle-timeout = soon\n");
	assert_int_equal(run(command_check, "check"), EXIT_FAILED);
	expect(capture.err, "conf:1: log-level: \"loud\" ");
	expect(capture.err, "conf:7: service e: verify: \"perhaps\" ");
	expect(capture.err, "conf:8: service e: idle-timeout: \"soon\" ");
	assert_string_equal(capture.out, "");
}

static void
check_reads_the_files_that_are_named(void **state)
{
	(void)state;
	configure(SERVICE("e") "ca = missing.crt\n");
	assert_int_equal(run(command_check, "check"), EXIT_FAILED);
	expect(capture.err, "conf:6: service e: ca: ");
	expect(capture.err, "missing.crt");
	assert_string_equal(capture.out, "");
}

static void
check_makes_the_services_as_serve_would(void **state)
{
	(void)state;
	configure(SERVICE("e") "ca = conf\n"); /* a file, but of no certificates */
	assert_int_equal(run(command_check, "check"), EXIT_FAILED);
	expect(capture.err, "conf:6: service e: ca: ");
	assert_string_equal(capture.out, "");
}

static void
check_counts_the_services_of_a_good_configuration_and_warns(void **state)
{
	(void)state;
	configure(SERVICE("e") "verify = no\n");
	assert_int_equal(run(command_check, "check"), EXIT_ENDED);
	assert_string_equal(capture.out, "configuration is good: 1 service\n");
	expect(capture.err, "conf:6: service e: verify: \"no\" trusts every server");
	configure("verify = no\n" SERVICE("e") SERVICE("f"));
	assert_int_equal(run(command_check, "check"), EXIT_ENDED);
	assert_string_equal(capture.out, "configuration is good: 2 services\n");
}

static void
check_binds_and_creates_nothing(void **state)
{
	char text[512], target[80];

	(void)state;
	(void)snprintf(target, sizeof(target), "%s/log", scratch.directory);
	(void)snprintf(text, sizeof(text),
		"log-target = %s\n[e]\nmode = encrypt\naccept = unix:%s/e\n"
		"connect = 127.0.0.1:9\ncert = none\nverify = no\n",
		target, scratch.directory);
	configure(text);
	assert_int_equal(run(command_check, "check"), EXIT_ENDED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(scratch.directory), 0);
	assert_int_equal(mkdir(scratch.directory, 0700), 0);
}

static void
print_config_has_every_value_and_where_it_came_from(void **state)
{
	(void)state;
	configure("idle-timeout = 7m\n" SERVICE("e") "verify = no\n");
	assert_int_equal(run(command_print_config, "print-config"), EXIT_ENDED);
	expect(capture.out, "# default\nlog-level = info\n");
	expect(capture.out, "/conf:1\nidle-timeout = 7m\n");
	expect(capture.out, "\n[e]\n");
	expect(capture.out, "/conf:5\nconnect = 127.0.0.1:9\n");
	expect(capture.out, "# default\nhandshake-timeout = 10s\n");
	assert_string_equal(capture.err, "");
}

/* Drop the lines of @text that are comments. */
static void
drop_comments(char *text)
{
	char *to = text;

	while (*text) {
		size_t length = strcspn(text, "\n");

		length += text[length] == '\n';
		if (*text != '#') {
			memmove(to, text, length);
			to += length;
		}
		text += length;
	}
	*to = '\0';
}

static void
what_print_config_printed_is_a_configuration_that_means_the_same(void **state)
{
	static char first[sizeof(capture.out)];

	(void)state;
	configure("idle-timeout = 7m\nverify = no\n" SERVICE("e") SERVICE("f") "keepalive = 9s\n");
	assert_int_equal(run(command_print_config, "print-config"), EXIT_ENDED);
	memcpy(first, capture.out, sizeof(first));
	configure(first);
	assert_int_equal(run(command_print_config, "print-config"), EXIT_ENDED);
	drop_comments(first);
	drop_comments(capture.out);
	expect(first, "keepalive = 9s\n");
	assert_string_equal(capture.out, first);
}

static void
print_config_prints_nothing_of_a_bad_configuration(void **state)
{
	(void)state;
	configure(SERVICE("e") "verify = perhaps\n");
	assert_int_equal(run(command_print_config, "print-config"), EXIT_FAILED);
	expect(capture.err, "conf:6: service e: verify: \"perhaps\" ");
	assert_string_equal(capture.out, "");
}

static void
the_manual_and_the_sample_have_every_option(void **state)
{
	static int (*const commands[])(int argc, char **argv) = {
		command_print_manual, command_print_sample};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_int_equal(capture_run(commands[i], "x"), EXIT_ENDED);
		for (size_t row = 0; row < options_count(); row++)
			expect(capture.out, options_get(row)->name);
		assert_string_equal(capture.err, "");
	}
}

static void
version_names_the_program_its_libraries_and_what_they_can_do(void **state)
{
	static const char *const words[] = {"sallyport " PACKAGE_VERSION "\n", "\nlibraries:\n",
		"  GnuTLS     3.", "  libev      4.", "  c-ares     1.",
		"  inih       " INIH_VERSION " ", "  libcrypto  " LIBCRYPTO_VERSION " ",
		"  ipsec-mb   ", "AES-GCM by ipsec-mb", "\nfeatures:\n",
		"post-quantum key exchange", SYSTEM_TRUST_FILE "\n"};

	(void)state;
	assert_int_equal(capture_run(command_version, "version"), EXIT_ENDED);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		expect(capture.out, words[i]);
	assert_string_equal(capture.err, "");
}

static void
the_version_for_the_log_is_one_line_without_an_end(void **state)
{
	char array[256];
	struct text text;

	(void)state;
	text_init(&text, array, sizeof(array));
	command_version_line(&text);
	expect(array, "sallyport " PACKAGE_VERSION ", GnuTLS 3.");
	expect(array, ", libev 4.");
	expect(array, ", c-ares 1.");
	expect(array, ", inih " INIH_VERSION ", libcrypto " LIBCRYPTO_VERSION ", ipsec-mb ");
	assert_null(strchr(array, '\n'));
}

static const struct command commands[] = {
	{"first", command_version, "-x FILE", "what is first"},
	{"second", command_version, "", "what is second"},
	{"hidden", command_version, NULL, NULL},
	{NULL, NULL, NULL, NULL},
};

static int
help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return command_help(commands);
}

static int
usage(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	command_help_usage(commands, stderr);
	return EXIT_USAGE;
}

static void
usage_has_the_commands_for_users_only(void **state)
{
	(void)state;
	assert_int_equal(capture_run(usage, "x"), EXIT_USAGE);
	assert_string_equal(capture.err,
		"usage:\n  sallyport first -x FILE\n  sallyport second\n"
		"  sallyport --help | --version\n");
	assert_string_equal(capture.out, "");
}

static void
help_has_the_commands_the_exit_codes_and_each_flag(void **state)
{
	char flag[80];

	(void)state;
	assert_int_equal(capture_run(help, "help"), EXIT_ENDED);
	expect(capture.out, "usage:\n  sallyport first -x FILE\n  sallyport second\n");
	expect(capture.out, "\n  first         what is first\n  second        what is second\n");
	assert_null(strstr(capture.out, "hidden"));
	for (size_t row = 0; row < options_count(); row++) {
		const struct option *option = options_get(row);

		(void)snprintf(flag, sizeof(flag), "\n  --%s ", option->name);
		if (!(option->traits & OPTION_FILE_ONLY))
			expect(capture.out, flag);
		else
			assert_null(strstr(capture.out, flag));
	}
	expect(capture.out, "exit status: 0 ended as asked, 1 a failure");
	expect(capture.out, "2 wrong usage\n");
	assert_string_equal(capture.err, "");
}

static void
what_could_not_be_printed_is_a_failure_with_words(void **state)
{
	static int (*const commands_of_all[])(int argc, char **argv) = {command_print_manual,
		command_print_sample, command_print_config, command_version, command_check, help};

	(void)state;
	configure(SERVICE("e") "verify = no\n");
	(void)snprintf(line, sizeof(line), "x -c %s", path);
	for (size_t i = 0; i < ARRAY_SIZE(commands_of_all); i++) {
		assert_int_equal(capture_run_full(commands_of_all[i], line), EXIT_FAILED);
		expect(capture.err, "sallyport: standard output: No space left on device\n");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wrong_usage_is_told_and_prints_nothing),
		TEST(a_file_that_is_missing_is_a_failure_with_words),
		TEST(check_tells_every_error_of_a_bad_configuration),
		TEST(check_reads_the_files_that_are_named),
		TEST(check_makes_the_services_as_serve_would),
		TEST(check_counts_the_services_of_a_good_configuration_and_warns),
		TEST(check_binds_and_creates_nothing),
		TEST(print_config_has_every_value_and_where_it_came_from),
		TEST(what_print_config_printed_is_a_configuration_that_means_the_same),
		TEST(print_config_prints_nothing_of_a_bad_configuration),
		TEST(the_manual_and_the_sample_have_every_option),
		cmocka_unit_test(version_names_the_program_its_libraries_and_what_they_can_do),
		cmocka_unit_test(the_version_for_the_log_is_one_line_without_an_end),
		cmocka_unit_test(usage_has_the_commands_for_users_only),
		cmocka_unit_test(help_has_the_commands_the_exit_codes_and_each_flag),
		TEST(what_could_not_be_printed_is_a_failure_with_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
