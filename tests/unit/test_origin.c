/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tunnel/origin.h"

static char command[] = "run", short_option[] = "-c", long_option[] = "--config",
	    joined[] = "--config=b", file[] = "a", other[] = "-x";

/* Understand `run` with up to three @arguments. */
static int
understand(struct origin *origin, char *first, char *second, char *third)
{
	char *arguments[] = {command, first, second, third, NULL};
	int count = 1;

	while (arguments[count])
		count++;
	optind = 0;
	return origin_from_arguments(origin, count, arguments);
}

static void
a_file_is_named_by_either_option(void **state)
{
	struct origin origin;

	(void)state;
	assert_int_equal(understand(&origin, short_option, file, NULL), 0);
	assert_string_equal(origin.path, "a");
	assert_int_equal(understand(&origin, long_option, file, NULL), 0);
	assert_string_equal(origin.path, "a");
	assert_int_equal(understand(&origin, joined, NULL, NULL), 0);
	assert_string_equal(origin.path, "b");
}

static void
anything_else_is_wrong(void **state)
{
	struct origin origin;

	(void)state;
	assert_int_equal(understand(&origin, NULL, NULL, NULL), -1);
	assert_int_equal(understand(&origin, short_option, NULL, NULL), -1);
	assert_int_equal(understand(&origin, other, NULL, NULL), -1);
	assert_int_equal(understand(&origin, file, NULL, NULL), -1);
	assert_int_equal(understand(&origin, short_option, file, file), -1);
}

static void
flags_make_one_service_called_like_its_mode(void **state)
{
	char mode[] = "offload", accept_flag[] = "--accept=*:1", connect_flag[] = "--connect",
	     target[] = "127.0.0.1:2";
	char *arguments[] = {mode, accept_flag, connect_flag, target, NULL};
	struct origin origin = origin_from_flags(MODE_OFFLOAD, 4, arguments);
	struct config_texts texts = {0};

	(void)state;
	assert_null(origin.path);
	assert_int_equal(origin_gather(&origin, &texts, stderr), 0);
	assert_int_equal(texts.count, 1);
	assert_true(texts.entries[0].from_flags);
	assert_non_null(strstr(texts.entries[0].data, "[offload]"));
	assert_non_null(strstr(texts.entries[0].data, "127.0.0.1:2"));
	config_texts_release(&texts);
}

static void
a_file_is_read_anew_each_time(void **state)
{
	char path[] = "/tmp/test_origin.XXXXXX";
	const struct origin origin = {.path = path};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 1; i <= 2; i++) {
		struct config_texts texts = {0};

		assert_int_equal(write(fd, "#\n", 2), 2);
		assert_int_equal(origin_gather(&origin, &texts, stderr), 0);
		assert_int_equal(texts.count, 1);
		assert_int_equal(texts.entries[0].size, 2 * i);
		config_texts_release(&texts);
	}
	(void)close(fd);
	(void)unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_named_by_either_option),
		cmocka_unit_test(anything_else_is_wrong),
		cmocka_unit_test(flags_make_one_service_called_like_its_mode),
		cmocka_unit_test(a_file_is_read_anew_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
