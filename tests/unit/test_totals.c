/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tunnel/service.h"
#include "tunnel/totals.h"

/* Services as two generations have them; one reference belongs to the test, so none is freed. */
static struct service_config config = {.name = "orders"}, other_config = {.name = "other"};

static int
captured_log(void)
{
	char path[] = "/tmp/sallyport-test-XXXXXX";
	struct log_settings settings = {.level = LOG_LEVEL_DEBUG};

	settings.fd = mkstemp(path);
	assert_true(settings.fd >= 0);
	assert_int_equal(unlink(path), 0);
	log_configure(&settings);
	return settings.fd;
}

static void
read_log(int fd, char *text, size_t size)
{
	struct log_settings settings = {.level = LOG_LEVEL_DEBUG, .fd = STDERR_FILENO};

	log_configure(&settings);
	ssize_t got = pread(fd, text, size - 1, 0);
	assert_true(got >= 0);
	text[got] = '\0';
	close(fd);
}

static void
the_generations_of_a_service_are_added_up_by_name(void **state)
{
	struct service old = {.config = &config, .references = 1}, new = old;
	struct service other = {.config = &other_config, .references = 1};
	struct totals totals = {0};
	char text[1024];
	int fd = captured_log();

	(void)state;
	old.counters.accepted = 5;
	new.counters.accepted = 2;
	new.counters.probes = 1;
	other.counters.refused = 7;
	assert_int_equal(totals_add(&totals, &old), 0);
	assert_int_equal(totals_add(&totals, &other), 0);
	totals_collect(&totals);
	assert_int_equal(totals_add(&totals, &new), 0);
	totals_finish(&totals);
	read_log(fd, text, sizeof(text));
	assert_non_null(strstr(text, "orders: totals accepted=7 refused=0 failed=0 probes=1\n"));
	assert_non_null(strstr(text, "other: totals accepted=0 refused=7 failed=0 probes=0\n"));
	assert_int_equal(old.references, 1);
	assert_int_equal(new.references, 1);
}

static void
a_service_in_use_is_kept_and_what_it_counts_later_counts(void **state)
{
	struct service used = {.config = &config, .references = 1};
	struct totals totals = {0};
	char text[1024];

	(void)state;
	assert_int_equal(totals_add(&totals, &used), 0);
	totals_collect(&totals);
	assert_int_equal(totals.kept_count, 1);
	used.counters.failed = 3;
	int fd = captured_log();
	totals_finish(&totals);
	read_log(fd, text, sizeof(text));
	assert_non_null(strstr(text, "failed=3"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_generations_of_a_service_are_added_up_by_name),
		cmocka_unit_test(a_service_in_use_is_kept_and_what_it_counts_later_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
