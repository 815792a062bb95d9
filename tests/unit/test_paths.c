/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configured.h"

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tunnel/config.h"
#include "tunnel/paths.h"

static void
expect(struct paths *paths, const char *expected)
{
	char joined[4096] = "";
	size_t end = 0;

	for (size_t i = 0; i < paths->count; i++)
		end += (size_t)snprintf(
			joined + end, sizeof(joined) - end, "%s%s", i ? " " : "", paths->list[i]);
	assert_string_equal(joined, expected);
	assert_false(paths->incomplete);
	paths_release(paths);
}

static void
a_path_is_there_once_and_the_url_of_a_token_is_none(void **state)
{
	struct paths paths = {0};

	(void)state;
	paths_add(&paths, "/a");
	paths_add(&paths, NULL);
	paths_add(&paths, "pkcs11:token=a;object=key");
	paths_add(&paths, "/b");
	paths_add(&paths, "/a");
	expect(&paths, "/a /b");
}

static void
every_file_that_a_configuration_names_is_there(void **state)
{
	struct config *config = identities_config(
		"[o]\nmode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
		"cert = o.crt\nkey = o.key\ncert = p.pem\nkey = p.pem\nca = ca\ncrl = crl.pem\n"
		"password-file = password\nocsp-response = o.ocsp\nticket-keys = tickets\n"
		"[e]\nmode = encrypt\naccept = 127.0.0.1:3\nconnect = 127.0.0.1:2\n"
		"cert = none\nca = system\n");
	struct paths paths = {0};

	(void)state;
	paths_add_config(&paths, config);
	expect(&paths,
		"/test/o.crt /test/o.key /test/p.pem /test/password /test/ca /test/crl.pem "
		"/test/o.ocsp /test/tickets " SYSTEM_TRUST_FILE);
	paths_add_staples(&paths, config);
	expect(&paths, "/test/o.ocsp");
	config_unref(config);
}

static void
add_text(struct config_texts *texts, char *name, char *data, bool from_flags)
{
	const struct config_text text = {
		.name = name, .data = data, .size = strlen(data), .from_flags = from_flags};
	struct diag diag;

	assert_int_equal(config_texts_add(texts, &text, &diag), 0);
}

static void
the_directories_of_includes_are_there(void **state)
{
	char main[] = "/tmp/test_paths.main";
	char data[] = "include = conf.d/*.conf\ninclude = /etc/one.conf\n# include = no/*.conf\n"
		      "include = /*.conf\n[s]\ninclude = late/*.conf\n";
	char other[] = "/tmp/conf.d/a.conf", empty[] = "[t]\n";
	struct config_texts texts = {0};
	struct paths paths = {0};

	(void)state;
	add_text(&texts, main, data, false);
	add_text(&texts, other, empty, false);
	paths_add_texts(&paths, &texts);
	config_texts_release(&texts);
	expect(&paths, "/tmp/test_paths.main /tmp/conf.d/a.conf /tmp/conf.d /etc/one.conf /");
}

static void
the_directories_that_a_pattern_matches_are_there(void **state)
{
	char directory[] = "/tmp/test_paths.XXXXXX", main[64], data[] = "include = */x?/*.conf\n";
	char expected[400], made[64], made_below[64];
	struct config_texts texts = {0};
	struct paths paths = {0};

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(main, sizeof(main), "%s/main", directory);
	(void)snprintf(made, sizeof(made), "%s/a", directory);
	(void)snprintf(made_below, sizeof(made_below), "%s/a/x1", directory);
	assert_int_equal(mkdir(made, 0755), 0);
	assert_int_equal(mkdir(made_below, 0755), 0);
	add_text(&texts, main, data, false);
	paths_add_texts(&paths, &texts);
	config_texts_release(&texts);
	(void)snprintf(
		expected, sizeof(expected), "%s %s %s %s", main, directory, made, made_below);
	expect(&paths, expected);
	assert_int_equal(rmdir(made_below) | rmdir(made) | rmdir(directory), 0);
}

static void
flags_are_no_file(void **state)
{
	char name[] = "command line", data[] = "include = conf.d/*.conf\n";
	struct config_texts texts = {0};
	struct paths paths = {0};

	(void)state;
	paths_add_texts(&paths, &texts);
	add_text(&texts, name, data, true);
	paths_add_texts(&paths, &texts);
	config_texts_release(&texts);
	expect(&paths, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_there_once_and_the_url_of_a_token_is_none),
		cmocka_unit_test(every_file_that_a_configuration_names_is_there),
		cmocka_unit_test(the_directories_of_includes_are_there),
		cmocka_unit_test(the_directories_that_a_pattern_matches_are_there),
		cmocka_unit_test(flags_are_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
