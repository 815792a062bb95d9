/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/scratch.h"

/* Every test runs in an empty directory of its own. */
struct fixture {
	struct files files;
	struct diag diag;
};

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return !*state || scratch_enter(state);
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	files_release(&fixture->files);
	free(fixture);
	return scratch_leave(state);
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
a_file_is_found_by_its_path_and_ends_in_a_nul(void **state)
{
	struct fixture *f = *state;

	put("a", "alpha", 0644);
	put("empty", "", 0644);
	assert_int_equal(files_read(&f->files, "a", &f->diag), 0);
	assert_int_equal(files_read(&f->files, "empty", &f->diag), 0);
	assert_null(files_find(&f->files, "b"));
	assert_null(files_get(&f->files, "b", &f->diag));
	assert_string_equal(f->diag.text, "the file was not read");
	assert_ptr_equal(files_get(&f->files, "a", &f->diag), files_find(&f->files, "a"));
	const struct file *a = files_find(&f->files, "a"), *empty = files_find(&f->files, "empty");
	assert_non_null(a);
	assert_int_equal(a->size, 5);
	assert_string_equal((char *)a->data, "alpha");
	assert_non_null(empty);
	assert_int_equal(empty->size, 0);
	assert_string_equal((char *)empty->data, "");
}

/* Thousands are looked up, so they must not be searched one by one. */
static void
files_stand_in_the_order_of_their_paths_and_each_is_found(void **state)
{
	static const char *const paths[] = {"m", "c", "x", "a", "z", "b", "y"};
	static const char *const sorted[] = {"a", "b", "c", "m", "x", "y", "z"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(files_add(&f->files, paths[i], paths[i], 1, &f->diag), 0);
		for (size_t j = 0; j < ARRAY_SIZE(paths); j++) {
			const struct file *found = files_find(&f->files, paths[j]);

			assert_int_equal(found != NULL, j <= i);
			if (found)
				assert_string_equal((char *)found->data, paths[j]);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		assert_string_equal(f->files.entries[i].path, sorted[i]);
	assert_int_equal(files_add(&f->files, "m", "2", 1, &f->diag), -1);
	assert_int_equal(f->files.count, ARRAY_SIZE(sorted));
}

static void
what_is_put_replaces_and_what_is_removed_is_gone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(files_put(&f->files, "a", "1", 1, &f->diag), 0);
	assert_int_equal(files_put(&f->files, "b", "2", 1, &f->diag), 0);
	assert_int_equal(files_put(&f->files, "c", "3", 1, &f->diag), 0);
	assert_int_equal(files_put(&f->files, "b", "longer", 6, &f->diag), 0);
	assert_int_equal(f->files.count, 3);
	assert_string_equal((char *)files_find(&f->files, "b")->data, "longer");
	files_remove(&f->files, "a");
	files_remove(&f->files, "nothing");
	assert_int_equal(f->files.count, 2);
	assert_null(files_find(&f->files, "a"));
	assert_string_equal((char *)files_find(&f->files, "b")->data, "longer");
	assert_string_equal((char *)files_find(&f->files, "c")->data, "3");
	files_remove(&f->files, "c");
	files_remove(&f->files, "b");
	assert_int_equal(f->files.count, 0);
}

static void
a_file_is_read_once(void **state)
{
	struct fixture *f = *state;

	put("a", "first", 0644);
	assert_int_equal(files_read(&f->files, "a", &f->diag), 0);
	assert_int_equal(unlink("a"), 0);
	assert_int_equal(files_read(&f->files, "a", &f->diag), 0);
	assert_int_equal(f->files.count, 1);
	assert_int_equal(files_add(&f->files, "a", "x", 1, &f->diag), -1);
	assert_string_equal(f->diag.text, "\"a\" is there twice");
}

static void
a_file_whose_size_is_not_told_is_read_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(files_read(&f->files, "/proc/self/status", &f->diag), 0);
	assert_non_null(strstr((char *)f->files.entries[0].data, "voluntary_ctxt_switches"));
}

static void
a_large_file_is_read_and_a_too_large_one_refused(void **state)
{
	struct fixture *f = *state;

	put("limit", "", 0644);
	assert_int_equal(truncate("limit", FILES_LIMIT), 0);
	assert_int_equal(files_read(&f->files, "limit", &f->diag), 0);
	assert_int_equal(files_find(&f->files, "limit")->size, FILES_LIMIT);
	put("more", "", 0644);
	assert_int_equal(truncate("more", FILES_LIMIT + 1), 0);
	assert_int_equal(files_read(&f->files, "more", &f->diag), -1);
	assert_string_equal(f->diag.text, "\"more\": it is larger than 16 MiB");
	assert_int_equal(files_read(&f->files, "/dev/zero", &f->diag), -1);
	assert_int_equal(f->files.count, 1);
}

static void
what_is_not_a_regular_file_is_refused_at_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(files_read(&f->files, "fifo", &f->diag), -1);
	assert_string_equal(f->diag.text, "\"fifo\": it is not a regular file");
	assert_int_equal(files_read(&f->files, ".", &f->diag), -1);
	assert_string_equal(f->diag.text, "\".\": it is not a regular file");
	assert_int_equal(files_read(&f->files, "missing", &f->diag), -1);
	assert_string_equal(f->diag.text, "\"missing\": open: No such file or directory");
}

static void
a_directory_is_its_visible_files_in_the_order_of_their_names(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(mkdir("d/sub", 0755), 0);
	put("d/b", "two\n", 0644);
	put("d/a", "one", 0644);
	put("d/.hidden", "never", 0644);
	put("target", "three", 0644);
	assert_int_equal(symlink("../target", "d/c"), 0);
	assert_int_equal(files_read_directory(&f->files, "d", &f->diag), 0);
	assert_string_equal((char *)files_find(&f->files, "d")->data, "one\ntwo\n\nthree\n");

	assert_int_equal(symlink("nowhere", "d/dangling"), 0);
	files_release(&f->files);
	assert_int_equal(files_read_directory(&f->files, "d", &f->diag), -1);
	assert_string_equal(f->diag.text, "\"d\": \"dangling\": stat: No such file or directory");
	assert_int_equal(files_read_directory(&f->files, "d/a", &f->diag), -1);
	assert_string_equal(f->diag.text, "\"d/a\": open: Not a directory");
}

static void
files_of_a_directory_count_together(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir("d", 0755), 0);
	put("d/a", "", 0644);
	put("d/b", "", 0644);
	assert_int_equal(truncate("d/a", FILES_LIMIT / 2 + 1), 0);
	assert_int_equal(truncate("d/b", FILES_LIMIT / 2 + 1), 0);
	assert_int_equal(files_read_directory(&f->files, "d", &f->diag), -1);
	assert_string_equal(f->diag.text, "\"d\": \"b\": it is larger than 16 MiB");
}

/* Every mode that somebody may have given a key; NULL: it is good. */
static const struct {
	mode_t mode;
	bool owner_is_root;
	const char *words;
} modes[] = {
	{0600, true, NULL},
	{0400, true, NULL},
	{0700, true, NULL},
	{0640, true, NULL},
	{0440, true, NULL},
	{0604, true, "but others can read it (mode 0604): chmod 0600 \"key\""},
	{0644, true, "but others can read it (mode 0644): chmod 0640 \"key\""},
	{0602, true, "but others can change it (mode 0602): chmod 0600 \"key\""},
	{0666, true, "but others can change it (mode 0666): chmod 0640 \"key\""},
	{0660, true, "but its group can change it (mode 0660): chmod 0640 \"key\""},
	{0620, true, "but its group can change it (mode 0620): chmod 0600 \"key\""},
	{0044, true, "but others can read it (mode 0044): chmod 0440 \"key\""},
	{0600, false, NULL},
	{0640, false,
		"but its group can read it, and its owner is not root (mode 0640): chmod 0600 "
		"\"key\""},
	{0660, false, "but its group can change it (mode 0660): chmod 0600 \"key\""},
	{0644, false, "but others can read it (mode 0644): chmod 0600 \"key\""},
};

static void
a_key_that_somebody_else_may_use_is_refused_with_the_chmod(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if ((geteuid() == 0) != modes[i].owner_is_root && geteuid() != 0)
			continue;
		put("key", "secret", 0600);
		if (geteuid() == 0 && !modes[i].owner_is_root)
			assert_int_equal(chown("key", 1000, 1000), 0);
		assert_int_equal(chmod("key", modes[i].mode), 0);
		int failed = files_read_private(&f->files, "key", &f->diag);
		assert_int_equal(failed, modes[i].words ? -1 : 0);
		if (modes[i].words && !strstr(f->diag.text, modes[i].words))
			fail_msg("%s", f->diag.text);
		assert_true(!files_find(&f->files, "key") == !!modes[i].words);
		files_release(&f->files);
		assert_int_equal(unlink("key"), 0);
	}
}

static void
a_key_is_judged_by_the_target_of_its_link(void **state)
{
	struct fixture *f = *state;

	put("target", "secret", 0604);
	assert_int_equal(symlink("target", "key"), 0);
	assert_int_equal(files_read_private(&f->files, "key", &f->diag), -1);
	assert_non_null(strstr(f->diag.text, "(mode 0604)"));
	assert_int_equal(chmod("target", 0600), 0);
	assert_int_equal(files_read_private(&f->files, "key", &f->diag), 0);
}

static void
a_key_is_judged_though_it_was_read_as_a_certificate_before(void **state)
{
	struct fixture *f = *state;

	put("both", "old", 0644);
	assert_int_equal(files_read(&f->files, "both", &f->diag), 0);
	assert_int_equal(files_read_private(&f->files, "both", &f->diag), -1);
	assert_int_equal(unlink("both"), 0);
	put("both", "newer", 0600);
	assert_int_equal(files_read_private(&f->files, "both", &f->diag), 0);
	assert_int_equal(f->files.count, 1);
	assert_string_equal((char *)files_find(&f->files, "both")->data, "newer");
	assert_int_equal(files_find(&f->files, "both")->size, 5);
}

static void
a_new_file_has_its_mode_and_is_never_written_over_an_old_one(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	mode_t mask = umask(0077);

	assert_int_equal(files_create("new", 0644, "hello", 5, &f->diag), 0);
	umask(mask);
	assert_int_equal(stat("new", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(files_create("new", 0600, "other", 5, &f->diag), -1);
	assert_string_equal(
		f->diag.text, "\"new\": it exists and is never overwritten: move it away first");
	assert_int_equal(files_read(&f->files, "new", &f->diag), 0);
	assert_string_equal((char *)files_find(&f->files, "new")->data, "hello");
	assert_int_equal(symlink("elsewhere", "link"), 0);
	assert_int_equal(files_create("link", 0600, "x", 1, &f->diag), -1);
	assert_int_equal(access("elsewhere", F_OK), -1);
	assert_int_equal(files_create("no/dir", 0600, "x", 1, &f->diag), -1);
	assert_string_equal(f->diag.text, "\"no/dir\": create: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_found_by_its_path_and_ends_in_a_nul),
		cmocka_unit_test(files_stand_in_the_order_of_their_paths_and_each_is_found),
		cmocka_unit_test(what_is_put_replaces_and_what_is_removed_is_gone),
		cmocka_unit_test(a_file_is_read_once),
		cmocka_unit_test(a_file_whose_size_is_not_told_is_read_whole),
		cmocka_unit_test(a_large_file_is_read_and_a_too_large_one_refused),
		cmocka_unit_test(what_is_not_a_regular_file_is_refused_at_once),
		cmocka_unit_test(a_directory_is_its_visible_files_in_the_order_of_their_names),
		cmocka_unit_test(files_of_a_directory_count_together),
		cmocka_unit_test(a_key_that_somebody_else_may_use_is_refused_with_the_chmod),
		cmocka_unit_test(a_key_is_judged_by_the_target_of_its_link),
		cmocka_unit_test(a_key_is_judged_though_it_was_read_as_a_certificate_before),
		cmocka_unit_test(a_new_file_has_its_mode_and_is_never_written_over_an_old_one),
	};
	struct CMUnitTest with_directory[ARRAY_SIZE(tests)];

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		with_directory[i] = tests[i];
		with_directory[i].setup_func = set_up;
		with_directory[i].teardown_func = tear_down;
	}
	return cmocka_run_group_tests(with_directory, NULL, NULL);
}
