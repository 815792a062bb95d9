/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/scratch.h"
#include "tunnel/watch.h"

static struct watch watch;
static double now;

static int
setup(void **state)
{
	now = 1000;
	watch_init(&watch);
	return scratch_enter(state) || mkdir("d", 0755);
}

static int
teardown(void **state)
{
	watch_release(&watch);
	return scratch_leave(state);
}

static void
put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
set(const char *first, const char *second)
{
	struct paths paths = {0};
	struct diag diag;

	paths_add(&paths, first);
	paths_add(&paths, second);
	assert_int_equal(watch_set(&watch, &paths, now, &diag), 0);
	assert_null(paths.list);
}

/* A turn as main makes it, @seconds later. Is something to be taken then? */
static bool
is_taken_after(double seconds)
{
	struct diag diag;

	now += seconds;
	assert_int_equal(watch_turn(&watch, now, &diag), 0);
	return watch_take(&watch, now);
}

static bool
is_noticed(void)
{
	bool early = is_taken_after(0);
	bool noticed = is_taken_after(WATCH_SETTLE);

	assert_false(early);
	assert_false(is_taken_after(2 * WATCH_PATIENCE));
	return noticed;
}

static void
a_file_that_is_written_is_noticed_once_it_is_closed(void **state)
{
	(void)state;
	put("d/file", "old");
	set("d/file", NULL);
	assert_false(is_noticed());
	put("d/file", "new");
	assert_true(is_noticed());
	int fd = open("d/file", O_WRONLY);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_false(is_noticed());
	assert_int_equal(close(fd), 0);
	assert_true(is_noticed());
}

static void
what_is_renamed_removed_or_made_accessible_is_noticed(void **state)
{
	(void)state;
	put("d/file", "old");
	set("d/file", NULL);
	put("d/next", "new");
	assert_false(is_noticed());
	assert_int_equal(rename("d/next", "d/file"), 0);
	assert_true(is_noticed());
	assert_int_equal(chmod("d/file", 0600), 0);
	assert_true(is_noticed());
	assert_int_equal(unlink("d/file"), 0);
	assert_true(is_noticed());
}

static void
other_names_in_the_directory_are_not_noticed(void **state)
{
	(void)state;
	put("d/file", "old");
	set("d/file", NULL);
	put("d/log", "a line");
	put("d/fil", "");
	put("d/file2", "");
	assert_false(is_noticed());
}

static void
reading_is_not_noticed(void **state)
{
	char byte;

	(void)state;
	put("d/file", "old");
	set("d", "d/file");
	int fd = open("d/file", O_RDONLY);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(close(fd), 0);
	assert_false(is_noticed());
}

static void
every_name_in_a_directory_that_is_a_path_is_noticed(void **state)
{
	(void)state;
	set("d", NULL);
	put("d/anything", "");
	assert_true(is_noticed());
	assert_int_equal(unlink("d/anything"), 0);
	assert_true(is_noticed());
}

static void
directories_that_come_later_are_watched(void **state)
{
	(void)state;
	set("d/later/still/file", NULL);
	assert_int_equal(mkdir("d/later", 0755), 0);
	assert_true(is_noticed());
	assert_int_equal(mkdir("d/later/still", 0755), 0);
	assert_true(is_noticed());
	put("d/later/still/file", "");
	assert_true(is_noticed());
	assert_int_equal(rename("d/later", "d/gone"), 0);
	assert_true(is_noticed());
	put("d/gone/still/file", "");
	assert_false(is_noticed());
	assert_int_equal(mkdir("d/later", 0755), 0);
	assert_int_equal(mkdir("d/later/still", 0755), 0);
	assert_true(is_noticed());
	put("d/later/still/file", "");
	assert_true(is_noticed());
}

/* As the kubelet does it. */
static void
a_swapped_link_is_noticed_and_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d/..1", 0755), 0);
	put("d/..1/tls.crt", "old");
	assert_int_equal(symlink("..1", "d/..data"), 0);
	assert_int_equal(symlink("..data/tls.crt", "d/tls.crt"), 0);
	set("d/tls.crt", NULL);
	assert_int_equal(mkdir("d/..2", 0755), 0);
	put("d/..2/tls.crt", "new");
	assert_int_equal(symlink("..2", "d/..data_tmp"), 0);
	assert_false(is_noticed());
	assert_int_equal(rename("d/..data_tmp", "d/..data"), 0);
	assert_true(is_noticed());
	put("d/..1/tls.crt", "older");
	assert_false(is_noticed());
	put("d/..2/tls.crt", "newer");
	assert_true(is_noticed());
}

static void
a_burst_is_taken_once_it_is_over(void **state)
{
	(void)state;
	set("d", NULL);
	for (int i = 0; i < 5; i++) {
		put("d/file", "");
		assert_false(is_taken_after(0.7 * WATCH_SETTLE));
	}
	assert_false(is_taken_after(0.9 * WATCH_SETTLE));
	assert_true(is_taken_after(0.1 * WATCH_SETTLE + 0.001));
	assert_false(is_taken_after(100));
}

static void
writing_without_end_is_taken_after_the_patience(void **state)
{
	double taken = 0, begun = now;

	(void)state;
	set("d", NULL);
	while (taken == 0) {
		put("d/file", "");
		if (is_taken_after(0.5 * WATCH_SETTLE))
			taken = now;
		assert_true(now < begun + 2 * WATCH_PATIENCE);
	}
	assert_true(taken >= begun + WATCH_PATIENCE);
	assert_true(taken <= begun + WATCH_PATIENCE + WATCH_SETTLE);
}

static void
the_deadline_is_the_time_to_take(void **state)
{
	(void)state;
	set("d", NULL);
	assert_true(watch_deadline(&watch) == 0);
	put("d/file", "");
	assert_false(is_taken_after(0));
	assert_true(watch_deadline(&watch) == now + WATCH_SETTLE);
	assert_true(is_taken_after(WATCH_SETTLE));
	assert_true(watch_deadline(&watch) == 0);
}

static bool
has_input(void)
{
	struct pollfd polled = {.fd = watch_fd(&watch), .events = POLLIN};

	return poll(&polled, 1, 0) == 1;
}

static void
what_is_of_no_interest_wakes_at_most_once_a_second(void **state)
{
	(void)state;
	set("d/file", NULL);
	assert_false(has_input());
	put("d/log", "a line");
	assert_true(has_input());
	assert_false(is_taken_after(0));
	put("d/log", "another line");
	put("d/file", "");
	assert_false(has_input());
	assert_true(watch_deadline(&watch) == now + WATCH_REST);
	assert_false(is_taken_after(0.5 * WATCH_REST));
	assert_true(watch_deadline(&watch) == now + 0.5 * WATCH_REST);
	assert_false(is_taken_after(0.5 * WATCH_REST));
	assert_true(is_taken_after(WATCH_SETTLE));
	assert_true(watch_fd(&watch) >= 0);
}

static void
a_new_set_takes_the_place_of_the_old_one(void **state)
{
	(void)state;
	set("d/old", "d/both");
	set("d/new", "d/both");
	put("d/old", "");
	assert_false(is_noticed());
	put("d/new", "");
	assert_true(is_noticed());
	put("d/both", "");
	assert_true(is_noticed());
	set(NULL, NULL);
	put("d/both", "");
	assert_false(is_noticed());
	assert_int_equal(watch.count, 0);
}

/* How many directories does the kernel watch for us? */
static unsigned
count_watched(void)
{
	char path[64], line[256];
	unsigned count = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", watch.fd);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strncmp(line, "inotify ", 8) == 0;
	assert_int_equal(fclose(file), 0);
	return count;
}

static void
what_is_not_in_the_set_any_more_is_not_watched(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d/e", 0755), 0);
	set("d/e/old", "d/new");
	unsigned before = count_watched();
	set("d/new", NULL);
	assert_int_equal(count_watched(), before - 1);
	set(NULL, NULL);
	assert_int_equal(count_watched(), 0);
}

static void
what_happened_before_a_new_set_is_not_forgotten(void **state)
{
	(void)state;
	set("d/file", NULL);
	put("d/file", "");
	assert_false(is_taken_after(0));
	set("d/other", NULL);
	assert_true(is_taken_after(WATCH_SETTLE));
}

static void
set_without_inotify(const char *path)
{
	struct paths paths = {0};
	struct rlimit before, none;
	struct diag diag;

	need_limit_of_descriptors();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	paths_add(&paths, path);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int result = watch_set(&watch, &paths, now, &diag);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(result, -1);
	assert_non_null(strstr(diag.text, "fs.inotify.max_user_instances"));
	/* Without a descriptor it could not look either. */
	assert_false(is_taken_after(WATCH_INTERVAL));
	assert_true(is_taken_after(WATCH_SETTLE));
	assert_false(is_taken_after(WATCH_SETTLE));
}

static void
what_cannot_be_watched_is_asked_for_every_30_seconds(void **state)
{
	(void)state;
	put("d/file", "old");
	set_without_inotify("d/file");
	assert_int_equal(watch_fd(&watch), -1);
	assert_true(watch_deadline(&watch) == now + WATCH_INTERVAL);
	assert_false(is_taken_after(WATCH_INTERVAL));
	put("d/file", "newer");
	assert_false(is_taken_after(WATCH_INTERVAL - 1));
	assert_false(is_taken_after(1));
	put("d/file", "newer still");
	assert_false(is_taken_after(WATCH_SETTLE));
	assert_true(is_taken_after(WATCH_SETTLE));
	assert_false(is_taken_after(WATCH_INTERVAL));
}

static void
members_of_a_directory_and_links_are_asked_for_too(void **state)
{
	(void)state;
	put("d/file", "");
	assert_int_equal(symlink("file", "d/link"), 0);
	set_without_inotify("d");
	assert_false(is_taken_after(WATCH_INTERVAL));
	put("d/new", "");
	assert_false(is_taken_after(WATCH_INTERVAL));
	assert_true(is_taken_after(WATCH_SETTLE));
	assert_int_equal(unlink("d/link"), 0);
	assert_int_equal(symlink("new", "d/link"), 0);
	assert_false(is_taken_after(WATCH_INTERVAL));
	assert_true(is_taken_after(WATCH_SETTLE));
}

static void
that_it_has_to_ask_is_said_once(void **state)
{
	struct paths paths = {0};
	struct rlimit before, none;
	struct diag diag;

	(void)state;
	set_without_inotify("d");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	paths_add(&paths, "d/file");
	assert_int_equal(watch_set(&watch, &paths, now, &diag), 0);
	assert_true(watch.asks);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	set("d/file", NULL);
	assert_false(watch.asks);
	assert_true(watch_fd(&watch) >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_is_written_is_noticed_once_it_is_closed),
		TEST(what_is_renamed_removed_or_made_accessible_is_noticed),
		TEST(other_names_in_the_directory_are_not_noticed),
		TEST(reading_is_not_noticed),
		TEST(every_name_in_a_directory_that_is_a_path_is_noticed),
		TEST(directories_that_come_later_are_watched),
		TEST(a_swapped_link_is_noticed_and_followed),
		TEST(a_burst_is_taken_once_it_is_over),
		TEST(writing_without_end_is_taken_after_the_patience),
		TEST(the_deadline_is_the_time_to_take),
		TEST(what_is_of_no_interest_wakes_at_most_once_a_second),
		TEST(a_new_set_takes_the_place_of_the_old_one),
		TEST(what_is_not_in_the_set_any_more_is_not_watched),
		TEST(what_happened_before_a_new_set_is_not_forgotten),
		TEST(what_cannot_be_watched_is_asked_for_every_30_seconds),
		TEST(members_of_a_directory_and_links_are_asked_for_too),
		TEST(that_it_has_to_ask_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
