/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/config.h"

/* What was complained about. */
static struct {
	char *errors;
	size_t size;
	FILE *out;
} told;

static int
set_up(void **state)
{
	(void)state;
	told.out = open_memstream(&told.errors, &told.size);
	return told.out ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)fclose(told.out);
	free(told.errors);
	return 0;
}

static void
assert_errors(const char *expected)
{
	assert_int_equal(fflush(told.out), 0);
	assert_string_equal(told.errors, expected);
}

/* Build what the flags in @argv, ended by NULL, say. */
static struct config *
from_flags(enum mode mode, const char *const *argv)
{
	char *copies[32];
	struct config_texts texts = {0};
	int argc = 0;

	for (; argv[argc]; argc++)
		copies[argc] = strdup(argv[argc]);

	int result = config_from_flags(&texts, mode, argc, copies, told.out);
	struct config *config = config_new(&texts, told.out);

	config_texts_release(&texts);
	while (argc > 0)
		free(copies[--argc]);
	if (result == 0)
		return config;
	config_unref(config);
	return NULL;
}

static void
flags_are_options_of_one_service(void **state)
{
	static const char *const argv[] = {"--accept", "127.0.0.1:1", "--accept=unix:/x",
		"--connect", "h:2", "--cert", "c", "--ca", "d/a", "--log-level", "debug",
		"--idle-timeout=1s", NULL};

	(void)state;
	struct config *config = from_flags(MODE_ENCRYPT, argv);

	assert_errors("");
	assert_non_null(config);
	assert_int_equal(config->service_count, 1);
	assert_string_equal(config->services[0].name, "encrypt");
	assert_int_equal(config->services[0].accept_count, 2);
	assert_string_equal(config->services[0].tls[SIDE_CONNECT].ca, "d/a");
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_true(config->services[0].idle_timeout == 1);

	struct diag diag;

	(void)diag_set(&diag, "why");
	config_blame(config, &config->services[0], SIDE_CONNECT, "ca", &diag);
	assert_string_equal(diag.text, "--ca: \"d/a\": why");
	config_unref(config);
}

static void
bad_flags_are_all_told(void **state)
{
	static const char *const argv[] = {"--accept", "127.0.0.1:1", "x", "--conect", "h:2",
		"--zzzzzzz", "1", "--mode", "bridge", "--include=a.conf", "--ca",
		"--cert=", "--peer-name", "a\nuser = x", "--idle-timeout=1", "--user", "a",
		"--user", "b", "--server-name", NULL};

	(void)state;
	assert_null(from_flags(MODE_OFFLOAD, argv));
	assert_errors(
		"command line: \"x\" is not expected here; write --option value\n"
		"--conect: is no option; did you mean --connect?\n"
		"--zzzzzzz: is no option; --help lists all\n"
		"--mode: is not a flag; write it into a configuration file\n"
		"--include: is not a flag; write it into a configuration file\n"
		"--ca: has no value; write one behind it\n"
		"--cert: has no value; write one behind it\n"
		"--peer-name: has a control character in its value; remove it\n"
		"--server-name: has no value; write one behind it\n"
		"--user: \"b\" is given a second time; remove one of both\n"
		"--connect: is missing; say where the service connects to, such as connect = "
		"db.example.net:15432\n"
		"--cert: is missing; name the file with the certificate that this end shows to its "
		"peer\n"
		"--ca: is missing; name the file with the CA certificates that vouch for the peer\n"
		"--idle-timeout: \"1\" has no unit; write a duration from 100ms to 30d, or off\n");
}

static void
a_flag_is_as_long_as_a_line(void **state)
{
	static char value[9000];
	static const char *const argv[] = {"--priority", value, NULL};

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	assert_null(from_flags(MODE_OFFLOAD, argv));
	assert_int_equal(fflush(told.out), 0);
	assert_non_null(
		strstr(told.errors, "--priority: has a value longer than 8 KiB; shorten it\n"));
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flags_are_options_of_one_service),
		TEST(bad_flags_are_all_told),
		TEST(a_flag_is_as_long_as_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
