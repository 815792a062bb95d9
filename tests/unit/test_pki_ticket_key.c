/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defs.h"
#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/workshop.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_ticket_key.h"

enum { SECRET = 64 };

static int
make(const char *name)
{
	const struct pki_arguments arguments = {.operands = {scratch_path(name)}};

	return workshop_run(pki_ticket_key, &arguments);
}

static void
expect_mode(const char *name, unsigned mode)
{
	struct stat status;

	assert_int_equal(lstat(scratch_path(name), &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | mode);
}

static void
a_secret_is_64_bytes_for_its_owner_alone(void **state)
{
	char secret[128];

	(void)state;
	assert_int_equal(make("tickets"), EXIT_ENDED);
	assert_int_equal(scratch_read("tickets", secret, sizeof(secret)), SECRET);
	expect_mode("tickets", 0600);
	assert_int_equal(scratch_count(), 1);
	assert_string_equal(capture.err, "");
	capture_expect(capture.out, scratch_path("tickets  the secret of session tickets: "));
	assert_null(strstr(capture.out, "It is new"));
}

static void
every_part_of_two_secrets_differs(void **state)
{
	char first[128], second[128];

	(void)state;
	assert_int_equal(make("first"), EXIT_ENDED);
	assert_int_equal(make("second"), EXIT_ENDED);
	assert_int_equal(scratch_read("first", first, sizeof(first)), SECRET);
	assert_int_equal(scratch_read("second", second, sizeof(second)), SECRET);
	for (size_t i = 0; i < SECRET; i += 16)
		assert_memory_not_equal(first + i, second + i, 16);
}

static void
a_secret_takes_the_place_of_another_in_one_step(void **state)
{
	char old[SECRET], held[SECRET + 1], now[128];

	(void)state;
	memset(old, 'o', sizeof(old));
	scratch_write("tickets", old, sizeof(old));
	int fd = open(scratch_path("tickets"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(make("tickets"), EXIT_ENDED);
	assert_int_equal(read(fd, held, sizeof(held)), SECRET);
	(void)close(fd);
	assert_memory_equal(held, old, SECRET);
	assert_int_equal(scratch_read("tickets", now, sizeof(now)), SECRET);
	assert_memory_not_equal(now, old, SECRET);
	expect_mode("tickets", 0600);
	assert_int_equal(scratch_count(), 1);
	capture_expect(capture.out, "\nIt is new: ");
}

static void
a_file_of_another_size_stays_as_it_is(void **state)
{
	static const size_t sizes[] = {0, SECRET - 1, SECRET + 1};
	char old[SECRET + 1], now[128];

	(void)state;
	memset(old, 'o', sizeof(old));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		scratch_write("ca.key", old, sizes[i]);
		assert_int_equal(make("ca.key"), EXIT_FAILED);
		capture_expect(capture.err, "/ca.key exists, is not a file of 64 bytes and is not");
		assert_string_equal(capture.out, "");
		assert_int_equal(scratch_read("ca.key", now, sizeof(now)), sizes[i]);
		assert_memory_equal(now, old, sizes[i]);
		expect_mode("ca.key", 0644);
	}
}

static void
neither_a_link_nor_a_directory_is_replaced(void **state)
{
	char target[SECRET], now[128];
	struct stat status;

	(void)state;
	memset(target, 't', sizeof(target));
	scratch_write("target", target, sizeof(target));
	/* As long as a secret, so that the size of the link itself does not tell it. */
	(void)snprintf(now, sizeof(now), ".%0*d", SECRET - 1, 0);
	memset(now + 1, '/', SECRET - 1 - strlen("target"));
	assert_int_equal(snprintf(now + SECRET - strlen("target"), 16, "target"), 6);
	assert_int_equal(symlink(now, scratch_path("link")), 0);
	assert_int_equal(lstat(scratch_path("link"), &status), 0);
	assert_int_equal(status.st_size, SECRET);
	assert_int_equal(make("link"), EXIT_FAILED);
	assert_int_equal(lstat(scratch_path("link"), &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(scratch_read("target", now, sizeof(now)), SECRET);
	assert_memory_equal(now, target, SECRET);
	assert_int_equal(make("."), EXIT_FAILED);
	capture_expect(capture.err, " is not overwritten: take another name, or move it away");
	assert_int_equal(scratch_count(), 2);
}

static void
a_path_that_leads_nowhere_is_told_with_its_reason(void **state)
{
	(void)state;
	assert_int_equal(make("deeper/tickets"), EXIT_FAILED);
	capture_expect(capture.err, "/deeper");
	capture_expect(capture.err, ": No such file or directory");
	scratch_write("file", "", 0);
	assert_int_equal(make("file/tickets"), EXIT_FAILED);
	capture_expect(capture.err, "/file/tickets: Not a directory");
	assert_string_equal(capture.out, "");
	assert_int_equal(scratch_count(), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_secret_is_64_bytes_for_its_owner_alone),
		TEST(every_part_of_two_secrets_differs),
		TEST(a_secret_takes_the_place_of_another_in_one_step),
		TEST(a_file_of_another_size_stays_as_it_is),
		TEST(neither_a_link_nor_a_directory_is_replaced),
		TEST(a_path_that_leads_nowhere_is_told_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
