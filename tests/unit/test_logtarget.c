/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/scratch.h"
#include "tunnel/config.h"
#include "tunnel/logtarget.h"

static int
teardown(void **state)
{
	static const char *const names[] = {"log"};

	(void)state;
	return scratch_remove(names, ARRAY_SIZE(names));
}

/* Open what `log-target = @name` means, at @level. */
static int
open_target(struct logtarget *target, const char *name, const char *level, struct diag *diag)
{
	char file[] = "test.conf", data[512];
	struct config_text text = {.name = file, .data = data};
	struct config_texts texts = {0};

	text.size = (size_t)snprintf(data, sizeof(data),
		"log-target = %s\nlog-level = %s\n"
		"[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
		"cert = none\nverify = no\n",
		name, level);
	assert_int_equal(config_texts_add(&texts, &text, diag), 0);
	struct config *config = config_new(&texts, stderr);
	assert_non_null(config);
	int ret = logtarget_open(target, config, diag);
	config_unref(config);
	config_texts_release(&texts);
	return ret;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Is @words in the log file? */
static bool
has(const char *words)
{
	char bytes[1024] = "";
	int fd = open(scratch_path("log"), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, bytes, sizeof(bytes) - 1) >= 0);
	(void)close(fd);
	return strstr(bytes, words);
}

static void
a_file_is_made_for_us_and_our_group_only_and_appended_to(void **state)
{
	struct logtarget target;
	struct stat status;
	struct diag diag;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(open_target(&target, scratch_path("log"), "debug", &diag), 0);
	(void)umask(mask);
	assert_true(target.elsewhere);
	assert_int_equal(target.settings.level, LOG_LEVEL_DEBUG);
	assert_int_equal(target.settings.sink, LOG_SINK_LINES);
	assert_int_equal(target.settings.fd, target.fd);
	assert_int_equal(stat(scratch_path("log"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	assert_int_equal(fcntl(target.fd, F_GETFL) & O_APPEND, O_APPEND);
	assert_int_equal(fcntl(target.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	logtarget_close(&target);
	assert_int_equal(target.fd, -1);
}

static void
standard_error_is_a_descriptor_of_our_own(void **state)
{
	struct logtarget target;
	struct diag diag;

	(void)state;
	assert_int_equal(open_target(&target, "stderr", "info", &diag), 0);
	assert_false(target.elsewhere);
	assert_true(target.fd > STDERR_FILENO);
	logtarget_close(&target);
	assert_true(is_open(STDERR_FILENO));
}

static void
a_file_that_cannot_be_opened_is_blamed_on_its_line(void **state)
{
	struct logtarget target;
	struct diag diag;

	(void)state;
	assert_int_equal(open_target(&target, "/nowhere/log", "info", &diag), -1);
	assert_ptr_equal(
		strstr(diag.text, "test.conf:1: log-target: \"/nowhere/log\": open: "), diag.text);
	assert_int_equal(target.fd, -1);
}

static void
the_log_goes_to_the_latest_target_and_at_the_end_to_standard_error(void **state)
{
	struct logtarget present, next;
	struct diag diag;

	(void)state;
	assert_int_equal(open_target(&present, "stderr", "error", &diag), 0);
	log_configure(&present.settings);
	assert_int_equal(open_target(&next, scratch_path("log"), "error", &diag), 0);
	int former = present.fd, file = next.fd;

	logtarget_replace(&present, &next);
	assert_int_equal(present.fd, file);
	assert_int_equal(next.fd, -1);
	assert_false(is_open(former));
	log_write(LOG_LEVEL_ERROR, "first");
	assert_true(has("first"));
	logtarget_end(&present);
	assert_false(is_open(file));
	log_write(LOG_LEVEL_ERROR, "second, which belongs on standard error");
	assert_false(has("second"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_made_for_us_and_our_group_only_and_appended_to),
		TEST(standard_error_is_a_descriptor_of_our_own),
		TEST(a_file_that_cannot_be_opened_is_blamed_on_its_line),
		TEST(the_log_goes_to_the_latest_target_and_at_the_end_to_standard_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
