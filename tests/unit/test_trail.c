/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "tunnel/trail.h"

static char steps[8192];

static int
setup(void **state)
{
	steps[0] = '\0';
	return scratch_enter(state);
}

/* A step in the test's directory is written as " SUB:NAME". */
static void
write_step(void *user, const char *where, const char *name)
{
	size_t length = strlen(scratch.directory), end = strlen(steps);

	(void)user;
	if (strncmp(where, scratch.directory, length) == 0)
		(void)snprintf(steps + end, sizeof(steps) - end, " %s:%s", where + length,
			name ? name : "*");
}

static void
expect_steps(const char *path, const char *expected)
{
	steps[0] = '\0';
	trail_walk(path, write_step, NULL);
	assert_string_equal(steps, expected);
}

static void
make(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
}

static void
a_path_is_walked_from_the_root(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(mkdir("a", 0755), 0);
	make("a/file");
	(void)snprintf(path, sizeof(path), "%s//a/./file", scratch.directory);
	expect_steps(path, " :a /a:file");
	scratch.directory[4] = '\0'; /* it begins at /tmp now */
	steps[0] = '\0';
	trail_walk(path, write_step, NULL);
	scratch.directory[4] = '/';
	assert_memory_equal(steps, " :test_trail.", 13);
}

static void
a_relative_path_starts_where_we_are(void **state)
{
	(void)state;
	assert_int_equal(mkdir("a", 0755), 0);
	make("file");
	expect_steps("a/../file", " :a :file");
}

static void
links_are_followed_and_count_themselves(void **state)
{
	(void)state;
	assert_int_equal(mkdir("..1", 0755), 0);
	make("..1/tls.crt");
	assert_int_equal(symlink("..1", "..data"), 0);
	assert_int_equal(symlink("..data/tls.crt", "tls.crt"), 0);
	expect_steps("tls.crt", " :tls.crt :..data :..1 /..1:tls.crt");
	assert_int_equal(unlink("..data"), 0);
	assert_int_equal(symlink("/", "..data"), 0);
	expect_steps("..data/..", " :..data");
}

static void
a_walk_ends_at_what_is_not_there(void **state)
{
	(void)state;
	make("file");
	expect_steps("no/such/file", " :no");
	expect_steps("file/in/it", " :file");
}

static void
links_in_a_circle_end(void **state)
{
	(void)state;
	assert_int_equal(symlink("b", "a"), 0);
	assert_int_equal(symlink("a", "b"), 0);
	trail_walk("a", write_step, NULL);
	assert_true(strlen(steps) < 200);
}

static void
every_name_in_a_directory_counts_and_where_its_links_lead(void **state)
{
	(void)state;
	assert_int_equal(mkdir("ca", 0755), 0);
	assert_int_equal(mkdir("store", 0755), 0);
	make("ca/plain.pem");
	make("store/linked.pem");
	assert_int_equal(symlink("../store/linked.pem", "ca/link.pem"), 0);
	assert_int_equal(symlink("../store/hidden.pem", "ca/.hidden"), 0);
	expect_steps("ca", " :ca /ca:* :ca /ca:link.pem :store /store:linked.pem");
}

static void
a_path_that_is_too_long_is_no_way(void **state)
{
	static char path[10000];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	expect_steps(path, "");
	for (size_t i = 0; i < sizeof(path) - 1; i += 2)
		path[i] = '/';
	expect_steps(path, "");
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, scratch_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_walked_from_the_root),
		TEST(a_relative_path_starts_where_we_are),
		TEST(links_are_followed_and_count_themselves),
		TEST(a_walk_ends_at_what_is_not_there),
		TEST(links_in_a_circle_end),
		TEST(every_name_in_a_directory_counts_and_where_its_links_lead),
		TEST(a_path_that_is_too_long_is_no_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
