/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/capture.h"
#include "tests/unit/identities.h"
#include "tests/unit/scratch.h"
#include "tests/unit/workshop.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_revoke.h"
#include "tunnel/pki_store.h"

enum { HOUR = 60 * 60, DAY = 24 * HOUR, LIST_SIZE = 8192 };

static struct pki_pair authority, stranger, a, b;
static gnutls_x509_crl_t list; /* the last that was loaded */

static int
setup_group(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_authority(&stranger, "stranger");
	identities_make_leaf(&a, &authority, "a.example", -1, 1);
	identities_make_leaf(&b, &authority, "b.example", -1, 1);
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	pki_pair_release(&b);
	pki_pair_release(&a);
	pki_pair_release(&stranger);
	pki_pair_release(&authority);
	return 0;
}

static int
setup(void **state)
{
	list = NULL;
	/* Who waits for a lock that is never given back waits for ever. */
	(void)alarm(20);
	if (scratch_setup(state) < 0)
		return -1;
	workshop_save("ca", &authority);
	workshop_save("a", &a);
	workshop_save("b", &b);
	return 0;
}

static int
teardown(void **state)
{
	if (list)
		gnutls_x509_crl_deinit(list);
	return scratch_teardown(state);
}

static int
strike_for(const char *name, unsigned days)
{
	const struct pki_arguments arguments = {
		.operands = {scratch.directory, name}, .days = days};

	return workshop_run(pki_revoke, &arguments);
}

static int
strike(const char *name)
{
	return strike_for(name, 0);
}

static void
load(void)
{
	unsigned char data[LIST_SIZE];
	size_t size = scratch_read("ca.crl", (char *)data, sizeof(data));
	const gnutls_datum_t pem = {data, (unsigned)size};

	if (list)
		gnutls_x509_crl_deinit(list);
	assert_int_equal(gnutls_x509_crl_init(&list), 0);
	assert_int_equal(gnutls_x509_crl_import(list, &pem, GNUTLS_X509_FMT_PEM), 0);
}

/* The certificate as peers have it: one that was made, and not read, does not know its issuer's bytes. */
static gnutls_x509_crt_t
read_certificate(const char *stem)
{
	struct diag diag;
	gnutls_x509_crt_t crt = pki_store_load_certificate(scratch.directory, stem, &diag);

	assert_non_null(crt);
	return crt;
}

static bool
is_on_list(const char *stem)
{
	gnutls_x509_crt_t crt = read_certificate(stem);
	int ret = gnutls_x509_crt_check_revocation(crt, &list, 1);

	gnutls_x509_crt_deinit(crt);
	return ret == 1;
}

/* The list's number as an integer. */
static uint64_t
number(void)
{
	unsigned char bytes[32];
	size_t size = sizeof(bytes);
	uint64_t value = 0;

	assert_int_equal(gnutls_x509_crl_get_number(list, bytes, &size, NULL), 0);
	assert_true(size <= sizeof(value));
	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void
the_list_is_the_authoritys_and_has_nobody_else_on_it(void **state)
{
	unsigned status = 1;

	(void)state;
	assert_int_equal(strike("a"), EXIT_ENDED);
	assert_string_equal(capture.err, "");
	load();
	gnutls_x509_crt_t signer = read_certificate("ca");
	assert_int_equal(gnutls_x509_crl_verify(list, &signer, 1, 0, &status), 0);
	gnutls_x509_crt_deinit(signer);
	assert_int_equal(status, 0);
	assert_int_equal(gnutls_x509_crl_get_crt_count(list), 1);
	assert_true(is_on_list("a"));
	assert_false(is_on_list("b"));
}

static void
without_a_name_the_list_is_made_anew_with_who_was_on_it(void **state)
{
	(void)state;
	assert_int_equal(strike("a"), EXIT_ENDED);
	load();
	uint64_t before = number();
	assert_int_equal(strike(NULL), EXIT_ENDED);
	assert_null(strstr(capture.out, "revoked"));
	capture_expect(capture.out, "; 1 on it, good until ");
	load();
	assert_true(is_on_list("a"));
	assert_true(number() > before);
}

static void
who_is_revoked_twice_is_on_it_once(void **state)
{
	(void)state;
	assert_int_equal(strike("a"), EXIT_ENDED);
	capture_expect(capture.out, "a is revoked\n");
	assert_int_equal(strike("b"), EXIT_ENDED);
	assert_int_equal(strike("a"), EXIT_ENDED);
	capture_expect(capture.out, "a had been revoked already; the list is made anew\n");
	assert_null(strstr(capture.out, "a is revoked"));
	load();
	assert_int_equal(gnutls_x509_crl_get_crt_count(list), 2);
	assert_true(is_on_list("a") && is_on_list("b"));
}

static void
expect_days(unsigned days, time_t good_for)
{
	char words[64];
	struct tm parts;
	time_t begin = time(NULL);

	assert_int_equal(strike_for(NULL, days), EXIT_ENDED);
	time_t end = time(NULL);
	load();
	time_t until = gnutls_x509_crl_get_next_update(list);
	assert_in_range(gnutls_x509_crl_get_this_update(list), begin - HOUR, end - HOUR);
	assert_in_range(until, begin + good_for * DAY, end + good_for * DAY);
	assert_non_null(gmtime_r(&until, &parts));
	assert_true(strftime(words, sizeof(words), "good until %Y-%m-%dT%H:%M:%SZ\n", &parts) > 0);
	capture_expect(capture.out, words);
}

static void
it_is_good_for_thirty_days_or_those_asked_for_and_says_until_when(void **state)
{
	(void)state;
	expect_days(0, 30);
	expect_days(3, 3);
}

/* Nothing but the words of @reason comes of revoking @name, and the list stays as it is. */
static void
expect_refusal(const char *name, const char *reason)
{
	char before[LIST_SIZE], after[LIST_SIZE];

	(void)scratch_read("ca.crl", before, sizeof(before));
	unsigned count = scratch_count();
	assert_int_equal(strike(name), EXIT_FAILED);
	capture_expect(capture.err, reason);
	assert_string_equal(capture.out, "");
	(void)scratch_read("ca.crl", after, sizeof(after));
	assert_string_equal(before, after);
	assert_int_equal(scratch_count(), count);
}

static void
what_fails_leaves_the_list_as_it_was(void **state)
{
	struct pki_pair foreign;

	(void)state;
	assert_int_equal(strike("a"), EXIT_ENDED);
	identities_make_leaf(&foreign, &stranger, "a.example", -1, 1);
	workshop_save("foreign", &foreign);
	pki_pair_release(&foreign);
	expect_refusal("foreign", "was not issued by this authority");
	expect_refusal("nobody", "nobody.crt");
	expect_refusal("../a", "the name of a certificate");
	expect_refusal("ca", "ca");
	scratch_write("broken.crt", "no certificate\n", 15);
	expect_refusal("broken", "broken.crt");
	scratch_write("ca.crl", "no list\n", 8);
	expect_refusal("b", "the list that is there, ");
}

static void
a_list_that_could_not_be_written_is_not_told_of(void **state)
{
	(void)state;
	scratch_limit(250); /* bytes: for the error's words, but not for a list */
	int status = strike("a");
	scratch_unlimit();
	assert_int_equal(status, EXIT_FAILED);
	assert_string_equal(capture.out, "");
	capture_expect(capture.err, "ca.crl");
	assert_int_equal(access(scratch_path("ca.crl"), F_OK), -1);
}

static void
without_its_key_an_authority_revokes_nobody(void **state)
{
	(void)state;
	assert_int_equal(unlink(scratch_path("ca.key")), 0);
	assert_int_equal(strike("a"), EXIT_FAILED);
	capture_expect(capture.err, "ca.key");
	assert_string_equal(capture.out, "");
	assert_int_equal(access(scratch_path("ca.crl"), F_OK), -1);
}

static void
expect_unlocked(void)
{
	int fd = open(scratch.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	(void)close(fd);
}

static void
the_lock_is_given_back_whatever_comes_of_it(void **state)
{
	(void)state;
	assert_int_equal(strike("a"), EXIT_ENDED);
	expect_unlocked();
	assert_int_equal(strike("nobody"), EXIT_FAILED);
	expect_unlocked();
	assert_int_equal(unlink(scratch_path("ca.key")), 0);
	assert_int_equal(strike("a"), EXIT_FAILED);
	expect_unlocked();
}

static void
who_comes_second_waits_for_the_lock(void **state)
{
	int status, fd = open(scratch.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	(void)fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		(void)close(fd); /* else it would hold the lock as well */
		(void)alarm(10);
		_exit(strike("a"));
	}
	assert_true(child > 0);
	(void)usleep(200 * 1000);
	int early = waitpid(child, &status, WNOHANG);
	int is_there = access(scratch_path("ca.crl"), F_OK) == 0;
	(void)flock(fd, LOCK_UN);
	(void)close(fd);
	if (early == 0)
		assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(early, 0);
	assert_false(is_there);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_ENDED);
	load();
	assert_true(is_on_list("a"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_list_is_the_authoritys_and_has_nobody_else_on_it),
		TEST(without_a_name_the_list_is_made_anew_with_who_was_on_it),
		TEST(who_is_revoked_twice_is_on_it_once),
		TEST(it_is_good_for_thirty_days_or_those_asked_for_and_says_until_when),
		TEST(what_fails_leaves_the_list_as_it_was),
		TEST(a_list_that_could_not_be_written_is_not_told_of),
		TEST(without_its_key_an_authority_revokes_nobody),
		TEST(the_lock_is_given_back_whatever_comes_of_it),
		TEST(who_comes_second_waits_for_the_lock),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
