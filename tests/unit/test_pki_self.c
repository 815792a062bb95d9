/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/text.h"
#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/workshop.h"
#include "tunnel/certificate.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_self.h"
#include "tunnel/pki_store.h"

enum { HOUR = 60 * 60, DAY = 24 * HOUR };

static struct pki_arguments arguments;
static gnutls_x509_crt_t crt; /* the last that was loaded */

static int
setup(void **state)
{
	arguments = (struct pki_arguments){.operands = {scratch.directory, "a.example"}};
	crt = NULL;
	return scratch_setup(state);
}

static int
teardown(void **state)
{
	if (crt)
		gnutls_x509_crt_deinit(crt);
	return scratch_teardown(state);
}

static void
make_and_load(void)
{
	struct diag diag;

	assert_int_equal(workshop_run(pki_self, &arguments), EXIT_ENDED);
	assert_string_equal(capture.err, "");
	if (crt)
		gnutls_x509_crt_deinit(crt);
	crt = pki_store_load_certificate(arguments.operands[0], arguments.operands[1], &diag);
	assert_non_null(crt);
}

/* The certificate must be good from an hour before now until @days from now. */
static void
expect_days(time_t begin, int days)
{
	time_t from = gnutls_x509_crt_get_activation_time(crt);
	time_t until = gnutls_x509_crt_get_expiration_time(crt);
	time_t end = time(NULL);

	assert_in_range(from, begin - HOUR, end - HOUR);
	assert_in_range(until, begin + (time_t)days * DAY, end + (time_t)days * DAY);
}

static void
expect_name(unsigned index, const char *expected)
{
	char array[256];
	struct text text;

	text_init(&text, array, sizeof(array));
	if (!expected) {
		assert_int_equal(certificate_name(crt, index, &text), -1);
		return;
	}
	assert_int_equal(certificate_name(crt, index, &text), 0);
	assert_string_equal(array, expected);
}

static void
what_is_made_is_signed_with_its_own_key_and_no_authority(void **state)
{
	char array[64];
	struct text text;

	(void)state;
	make_and_load();
	assert_int_equal(scratch_count(), 2);
	assert_int_equal(gnutls_x509_crt_check_issuer(crt, crt), 1);
	assert_int_equal(gnutls_x509_crt_get_ca_status(crt, NULL), 0);
	text_init(&text, array, sizeof(array));
	assert_int_equal(certificate_subject(crt, &text), 0);
	assert_string_equal(array, "CN=a.example");
}

static void
the_printed_pin_is_that_of_the_certificate(void **state)
{
	char pin[CERTIFICATE_PIN_SIZE], line[128];
	struct text text;

	(void)state;
	make_and_load();
	text_init(&text, pin, sizeof(pin));
	assert_int_equal(certificate_pin(crt, &text), 0);
	(void)snprintf(line, sizeof(line),
		"\n# In the section of the other end:\nca = none\npin = %s\n", pin);
	capture_expect(capture.out, line);
}

static void
paths_are_complete_whatever_directory_was_named(void **state)
{
	char here[4096], line[256];

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(scratch.directory), 0);
	arguments.operands[0] = "./new";
	int status = workshop_run(pki_self, &arguments);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(status, EXIT_ENDED);
	(void)snprintf(line, sizeof(line),
		"\ncert = %s/new/a.example.crt\nkey = %s/new/a.example.key\nca = none\n",
		scratch.directory, scratch.directory);
	capture_expect(capture.out, line);
	assert_int_equal(access(scratch_path("new/a.example.key"), F_OK), 0);
}

static void
it_is_good_for_ten_years_or_the_days_asked_for(void **state)
{
	time_t begin = time(NULL);

	(void)state;
	make_and_load();
	expect_days(begin, 3650);
	arguments.operands[1] = "b.example";
	arguments.days = 7;
	begin = time(NULL);
	make_and_load();
	expect_days(begin, 7);
}

static void
a_host_is_its_own_name_unless_others_are_given(void **state)
{
	struct diag diag;

	(void)state;
	make_and_load();
	expect_name(0, "dns:a.example");
	expect_name(1, NULL);
	arguments.operands[1] = "b.example";
	arguments.name_count = 2;
	assert_int_equal(pki_name_parse(&arguments.names[0], PKI_NAME_IP, "192.0.2.7", &diag), 0);
	assert_int_equal(
		pki_name_parse(&arguments.names[1], PKI_NAME_URI, "spiffe://x/b", &diag), 0);
	make_and_load();
	expect_name(0, "ip:192.0.2.7");
	expect_name(1, "uri:spiffe://x/b");
	expect_name(2, NULL);
}

static void
a_name_that_is_no_host_needs_no_other(void **state)
{
	(void)state;
	arguments.operands[1] = "some_thing";
	make_and_load();
	expect_name(0, NULL);
}

static void
the_key_is_of_the_type_asked_for(void **state)
{
	unsigned bits;

	(void)state;
	make_and_load();
	assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, &bits), GNUTLS_PK_ECDSA);
	arguments.operands[1] = "b.example";
	arguments.key_type = PKI_PAIR_ED25519;
	make_and_load();
	assert_int_equal(gnutls_x509_crt_get_pk_algorithm(crt, &bits), GNUTLS_PK_EDDSA_ED25519);
}

static void
a_name_that_is_taken_costs_nothing(void **state)
{
	char now[64];

	(void)state;
	scratch_write("a.example.key", "precious", 8);
	assert_int_equal(workshop_run(pki_self, &arguments), EXIT_FAILED);
	capture_expect(capture.err, "a.example.key exists and is not overwritten");
	assert_string_equal(capture.out, "");
	assert_int_equal(scratch_count(), 1);
	assert_int_equal(scratch_read("a.example.key", now, sizeof(now)), 8);
	assert_string_equal(now, "precious");
}

/* Run it where no file can be as long as a key, but for the few words of an error. */
static int
run_short_of_space(void)
{
	scratch_limit(150);
	int status = workshop_run(pki_self, &arguments);
	scratch_unlimit();
	return status;
}

static void
a_failure_removes_the_directory_only_if_it_was_made_for_it(void **state)
{
	(void)state;
	arguments.operands[0] = scratch_path("new");
	assert_int_equal(run_short_of_space(), EXIT_FAILED);
	capture_expect(capture.err, "/new/a.example.");
	assert_string_equal(capture.out, "");
	assert_int_equal(scratch_count(), 0);
	assert_int_equal(mkdir(arguments.operands[0], 0700), 0);
	assert_int_equal(run_short_of_space(), EXIT_FAILED);
	assert_int_equal(scratch_count(), 1);
}

static void
a_name_that_would_be_a_path_is_refused_before_anything_is_made(void **state)
{
	(void)state;
	arguments.operands[0] = scratch_path("new");
	arguments.operands[1] = "../a";
	assert_int_equal(workshop_run(pki_self, &arguments), EXIT_FAILED);
	capture_expect(capture.err, "the name of a certificate");
	assert_int_equal(scratch_count(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_made_is_signed_with_its_own_key_and_no_authority),
		TEST(the_printed_pin_is_that_of_the_certificate),
		TEST(paths_are_complete_whatever_directory_was_named),
		TEST(it_is_good_for_ten_years_or_the_days_asked_for),
		TEST(a_host_is_its_own_name_unless_others_are_given),
		TEST(a_name_that_is_no_host_needs_no_other),
		TEST(the_key_is_of_the_type_asked_for),
		TEST(a_name_that_is_taken_costs_nothing),
		TEST(a_failure_removes_the_directory_only_if_it_was_made_for_it),
		TEST(a_name_that_would_be_a_path_is_refused_before_anything_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
