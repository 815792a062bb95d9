/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "tunnel/pki_pair.h"
#include "tunnel/pki_store.h"

enum { HOUR = 3600 };

static char parent[40], directory[48], key_path[64], crt_path[64];
static struct diag diag;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(parent, sizeof(parent), "/tmp/test_pki_store.XXXXXX");
	if (!mkdtemp(parent))
		return -1;
	(void)snprintf(directory, sizeof(directory), "%s/pki", parent);
	(void)snprintf(key_path, sizeof(key_path), "%s/ca.key", directory);
	(void)snprintf(crt_path, sizeof(crt_path), "%s/ca.crt", directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(key_path);
	(void)unlink(crt_path);
	(void)rmdir(directory);
	return rmdir(parent);
}

static unsigned
mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 0777;
}

static void
make_directory(void)
{
	bool made;

	assert_int_equal(pki_store_make(directory, &made, &diag), 0);
	assert_true(made);
}

static void
make_authority(struct pki_pair *pair)
{
	const struct pki_pair_plan plan = {
		.type = PKI_PAIR_ED25519,
		.from = time(NULL) - HOUR,
		.until = time(NULL) + HOUR,
	};

	assert_int_equal(pki_pair_make_authority(pair, &plan, &diag), 0);
}

static void
a_directory_is_ours_alone_and_made_once(void **state)
{
	bool made = true;

	(void)state;
	make_directory();
	assert_int_equal(mode_of(directory), 0700);
	assert_int_equal(pki_store_make(directory, &made, &diag), 0);
	assert_false(made);
	assert_int_equal(pki_store_make("/dev/null", &made, &diag), -1);
	assert_string_equal(diag.text, "/dev/null exists and is not a directory");
}

static void
an_authority_that_was_saved_can_be_loaded_and_its_key_is_secret(void **state)
{
	struct pki_pair authority, loaded;

	(void)state;
	make_directory();
	make_authority(&authority);
	assert_int_equal(pki_store_save(directory, "ca", &authority, &diag), 0);
	assert_int_equal(mode_of(key_path), 0600);
	assert_int_equal(mode_of(crt_path) & ~0644U, 0);
	assert_int_equal(pki_store_load_authority(directory, &loaded, &diag), 0);
	assert_true(gnutls_x509_crt_equals(authority.crt, loaded.crt));
	pki_pair_release(&loaded);
	pki_pair_release(&authority);
}

static void
a_name_is_taken_if_either_file_is_there(void **state)
{
	(void)state;
	make_directory();
	assert_int_equal(pki_store_check_free(directory, "ca", &diag), 0);
	(void)close(open(crt_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(pki_store_check_free(directory, "ca", &diag), -1);
	assert_non_null(strstr(diag.text, "ca.crt exists and is not overwritten"));
	(void)rename(crt_path, key_path);
	assert_int_equal(pki_store_check_free(directory, "ca", &diag), -1);
	assert_non_null(strstr(diag.text, "ca.key exists and is not overwritten"));
}

static void
a_pair_that_cannot_be_whole_leaves_no_key_behind(void **state)
{
	struct pki_pair authority;

	(void)state;
	make_directory();
	make_authority(&authority);
	(void)close(open(crt_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(pki_store_save(directory, "ca", &authority, &diag), -1);
	assert_int_equal(access(key_path, F_OK), -1);
	pki_pair_release(&authority);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
a_file_is_replaced_whole_and_nothing_stays_beside_it(void **state)
{
	const gnutls_datum_t first = {(unsigned char *)(uintptr_t) "first", 5};
	const gnutls_datum_t second = {(unsigned char *)(uintptr_t) "2", 1};
	char text[8] = "";

	(void)state;
	make_directory();
	assert_int_equal(pki_store_replace(key_path, 0600, &first, &diag), 0);
	assert_int_equal(pki_store_replace(key_path, 0640, &second, &diag), 0);
	assert_int_equal(mode_of(key_path), 0640);
	FILE *file = fopen(key_path, "r");
	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text), file), 1);
	(void)fclose(file);
	assert_string_equal(text, "2");
	assert_int_equal(unlink(key_path), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void
what_cannot_be_replaced_stays_as_it_is(void **state)
{
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t) "x", 1};

	(void)state;
	make_directory();
	assert_int_equal(mkdir(key_path, 0700), 0);
	assert_int_equal(pki_store_replace(key_path, 0600, &data, &diag), -1);
	assert_non_null(strstr(diag.text, key_path));
	assert_int_equal(rmdir(key_path), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(pki_store_replace(key_path, 0600, &data, &diag), -1);
}

static void
a_lock_is_one_at_a_time(void **state)
{
	(void)state;
	assert_int_equal(pki_store_lock(directory, &diag), -1);
	make_directory();
	int fd = pki_store_lock(directory, &diag), other = open(directory, O_RDONLY);
	assert_true(fd >= 0 && other >= 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(close(other), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_directory_is_ours_alone_and_made_once),
		TEST(an_authority_that_was_saved_can_be_loaded_and_its_key_is_secret),
		TEST(a_name_is_taken_if_either_file_is_there),
		TEST(a_pair_that_cannot_be_whole_leaves_no_key_behind),
		TEST(a_file_is_replaced_whole_and_nothing_stays_beside_it),
		TEST(what_cannot_be_replaced_stays_as_it_is),
		TEST(a_lock_is_one_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
