/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "tunnel/certificate.h"
#include "tunnel/pki_print.h"

enum { NOON = 1795262400, DAY = 24 * 60 * 60 }; /* 2026-11-21T12:00:00Z */

struct fixture {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t made, read;
	char *shown;
};

/* The first key of RFC 8032 section 7.1, so that the pin is known. */
static void
import_key(gnutls_x509_privkey_t key)
{
	static unsigned char secret[] = "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec"
					"\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03"
					"\x1c\xae\x7f\x60";
	static unsigned char public[] = "\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64"
					"\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68"
					"\xf7\x07\x51\x1a";
	const gnutls_datum_t k = {secret, 32}, x = {public, 32};

	assert_int_equal(
		gnutls_x509_privkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_ED25519, &x, NULL, &k), 0);
}

static int
set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	assert_int_equal(gnutls_x509_privkey_init(&fixture.key), 0);
	import_key(fixture.key);
	assert_int_equal(gnutls_x509_crt_init(&fixture.made), 0);
	assert_int_equal(gnutls_x509_crt_set_version(fixture.made, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(fixture.made, "\x4a\x00\x0b", 3), 0);
	assert_int_equal(gnutls_x509_crt_set_key(fixture.made, fixture.key), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(fixture.made, NOON - DAY), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(fixture.made, NOON + 10 * DAY), 0);
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	gnutls_x509_privkey_deinit(fixture->key);
	gnutls_x509_crt_deinit(fixture->made);
	if (fixture->read)
		gnutls_x509_crt_deinit(fixture->read);
	free(fixture->shown);
	return 0;
}

static void
set_common_name(struct fixture *fixture, const char *name)
{
	assert_int_equal(gnutls_x509_crt_set_dn_by_oid(fixture->made, GNUTLS_OID_X520_COMMON_NAME,
				 0, name, (unsigned)strlen(name)),
		0);
}

static void
add_name(struct fixture *fixture, const char *name)
{
	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(fixture->made, GNUTLS_SAN_DNSNAME,
				 name, (unsigned)strlen(name), GNUTLS_FSAN_APPEND),
		0);
}

static void
add_purpose(struct fixture *fixture, const char *oid)
{
	assert_int_equal(gnutls_x509_crt_set_key_purpose_oid(fixture->made, oid, 0), 0);
}

static const char *
show(struct fixture *fixture, gnutls_x509_crt_t crt)
{
	size_t size;
	FILE *out;

	free(fixture->shown);
	fixture->shown = NULL;
	out = open_memstream(&fixture->shown, &size);
	assert_non_null(out);
	pki_print_certificate(crt, NOON, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(fixture->shown), size);
	return fixture->shown;
}

/* Sign with itself, read as a peer would, and describe. */
static const char *
finish(struct fixture *fixture)
{
	gnutls_datum_t der;

	if (fixture->read)
		gnutls_x509_crt_deinit(fixture->read);
	assert_int_equal(gnutls_x509_crt_sign2(
				 fixture->made, fixture->made, fixture->key, GNUTLS_DIG_UNKNOWN, 0),
		0);
	assert_int_equal(gnutls_x509_crt_export2(fixture->made, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_x509_crt_init(&fixture->read), 0);
	assert_int_equal(gnutls_x509_crt_import(fixture->read, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
	return show(fixture, fixture->read);
}

static size_t
count(const char *shown, const char *what)
{
	size_t found = 0;

	for (; (shown = strstr(shown, what)); shown++)
		found++;
	return found;
}

static void
a_certificate_is_a_field_and_a_value_a_line(void **state)
{
	struct fixture *fixture = *state;

	set_common_name(fixture, "db");
	add_name(fixture, "db.example.net");
	add_name(fixture, "*.west.example.net");
	add_purpose(fixture, GNUTLS_KP_TLS_WWW_SERVER);
	assert_string_equal(finish(fixture),
		"  subject:     CN=db\n"
		"  issuer:      CN=db\n"
		"  name:        dns:db.example.net\n"
		"  name:        dns:*.west.example.net\n"
		"  serial:      4a:00:0b\n"
		"  purposes:    serverAuth\n"
		"  key:         EdDSA (Ed25519), 256 bits\n"
		"  signature:   EdDSA-Ed25519\n"
		"  from:        2026-11-20T12:00:00Z\n"
		"  until:       2026-12-01T12:00:00Z (10 days left)\n"
		"  authority:   no\n"
		"  pin:         sha256:BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=\n");
}

static void
what_is_not_there_is_said(void **state)
{
	const char *shown = finish(*state);

	assert_non_null(strstr(shown, "  subject:     (empty)\n  issuer:      (empty)\n"));
	assert_non_null(strstr(shown, "  name:        (none)\n"));
	assert_non_null(strstr(shown, "  purposes:    any (not restricted)\n"));
}

static void
no_name_forges_a_line_or_drives_a_terminal(void **state)
{
	struct fixture *fixture = *state;

	set_common_name(fixture, "a\n  pin:         sha256:forged\x1b[2J");
	add_name(fixture, "b\r\n  authority:   yes\x1b[2J");
	const char *shown = finish(fixture);
	assert_int_equal(count(shown, "\n"), 11);
	assert_int_equal(count(shown, "\n  pin: "), 1);
	assert_int_equal(count(shown, "\n  authority: "), 1);
	for (const char *c = shown; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

static void
the_issuer_is_not_taken_for_the_subject(void **state)
{
	struct fixture *fixture = *state;

	set_common_name(fixture, "leaf");
	assert_int_equal(gnutls_x509_crt_set_issuer_dn_by_oid(
				 fixture->made, GNUTLS_OID_X520_COMMON_NAME, 0, "root", 4),
		0);
	assert_non_null(strstr(
		show(fixture, fixture->made), "  subject:     CN=leaf\n  issuer:      CN=root\n"));
}

static void
a_subject_that_is_too_long_is_shown_to_be_cut(void **state)
{
	struct fixture *fixture = *state;
	char name[200];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i <= CERTIFICATE_NAME_SIZE / sizeof(name); i++)
		set_common_name(fixture, name);
	assert_non_null(strstr(finish(fixture), "  subject:     CN=aaa"));
	assert_int_equal(
		count(fixture->shown, "  subject:     (the line above was cut: it is too long)\n"),
		1);
}

static void
a_name_that_is_too_long_is_shown_to_be_cut(void **state)
{
	struct fixture *fixture = *state;
	char name[CERTIFICATE_NAME_SIZE] = "";

	memset(name, 'a', sizeof(name) - 1 - strlen("dns:"));
	add_name(fixture, name);
	assert_int_equal(count(finish(fixture), "(the line above was cut"), 0);
	add_name(fixture, name);
	name[strlen(name)] = 'a';
	add_name(fixture, name);
	assert_int_equal(count(finish(fixture), "(the line above was cut"), 1);
	assert_non_null(strstr(fixture->shown,
		"aaa\n  name:        (the line above was cut: it is too long)\n  serial:"));
}

static void
only_so_many_names_are_shown_and_that_there_are_more(void **state)
{
	struct fixture *fixture = *state;
	char name[16];

	for (int i = 0; i < PKI_PRINT_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		add_name(fixture, name);
	}
	assert_int_equal(count(finish(fixture), "  name: "), PKI_PRINT_NAMES);
	assert_non_null(strstr(fixture->shown, "  name:        dns:n99\n"));
	assert_int_equal(count(fixture->shown, "(and more)"), 0);
	add_name(fixture, "n100");
	assert_int_equal(count(finish(fixture), "  name: "), PKI_PRINT_NAMES + 1);
	assert_non_null(strstr(fixture->shown, "  name:        (and more)\n  serial:"));
	assert_null(strstr(fixture->shown, "dns:n100"));
}

static void
purposes_have_the_names_of_the_standard_or_their_numbers(void **state)
{
	struct fixture *fixture = *state;

	add_purpose(fixture, GNUTLS_KP_TLS_WWW_CLIENT);
	add_purpose(fixture, "1.2.3.4");
	add_purpose(fixture, GNUTLS_KP_ANY);
	assert_non_null(strstr(finish(fixture), "  purposes:    clientAuth, 1.2.3.4, any\n"));
}

static void
more_purposes_than_are_shown_are_said(void **state)
{
	struct fixture *fixture = *state;
	char oid[32];

	for (int i = 0; i < 20; i++) {
		(void)snprintf(oid, sizeof(oid), "1.2.%d", i + 1);
		add_purpose(fixture, oid);
	}
	assert_non_null(strstr(finish(fixture), ", 1.2.20\n"));
	add_purpose(fixture, "1.2.21");
	assert_non_null(strstr(finish(fixture), ", 1.2.20, (and more)\n"));
}

static void
the_days_are_counted_from_now(void **state)
{
	static const struct {
		int from, until; /* seconds from now */
		const char *begins, *ends;
	} rows[] = {
		{0, 2 * DAY, "\n", " (2 days left)\n"},
		{0, 2 * DAY - 1, "\n", " (1 day left)\n"},
		{0, 0, "\n", " (0 days left)\n"},
		{1, DAY - 1, " (begins in 1 day)\n", " (0 days left)\n"},
		{DAY, 3 * DAY, " (begins in 1 day)\n", " (3 days left)\n"},
		{DAY + 1, 3 * DAY, " (begins in 2 days)\n", " (3 days left)\n"},
		{-DAY, -1, "\n", " (expired 0 days ago)\n"},
		{-9 * DAY, -DAY, "\n", " (expired 1 day ago)\n"},
		{-9 * DAY, -2 * DAY, "\n", " (expired 2 days ago)\n"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			gnutls_x509_crt_set_activation_time(fixture->made, NOON + rows[i].from), 0);
		assert_int_equal(
			gnutls_x509_crt_set_expiration_time(fixture->made, NOON + rows[i].until),
			0);
		print_message("from %d until %d\n", rows[i].from, rows[i].until);
		const char *from = strstr(finish(fixture), "  from: ");
		assert_non_null(from);
		const char *until = strstr(from, "  until: ");
		assert_non_null(until);
		assert_int_equal(
			strncmp(strchr(from, 'Z') + 1, rows[i].begins, strlen(rows[i].begins)), 0);
		assert_int_equal(
			strncmp(strchr(until, 'Z') + 1, rows[i].ends, strlen(rows[i].ends)), 0);
	}
}

static void
an_authority_is_told_with_the_length_of_its_path(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(gnutls_x509_crt_set_basic_constraints(fixture->made, 1, -1), 0);
	assert_non_null(strstr(finish(fixture), "  authority:   yes\n"));
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(fixture->made, 1, 0), 0);
	assert_non_null(strstr(finish(fixture), "  authority:   yes, path length 0\n"));
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(fixture->made, 0, -1), 0);
	assert_non_null(strstr(finish(fixture), "  authority:   no\n"));
}

static void
what_cannot_be_read_is_called_malformed(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(gnutls_x509_crt_init(&fixture->read), 0);
	const char *shown = show(fixture, fixture->read);
	assert_non_null(strstr(shown, "  serial:      (malformed)\n"));
	assert_non_null(strstr(shown, "  key:         unknown\n  signature:   unknown\n"));
	assert_non_null(strstr(shown, "  from:        (malformed)\n"));
	assert_non_null(strstr(shown, "  authority:   no\n"));
	assert_non_null(strstr(shown, "  pin:         (malformed)\n"));
}

static void
a_time_is_of_iso_8601_in_utc_or_malformed(void **state)
{
	static const struct {
		time_t time;
		const char *shown;
	} rows[] = {
		{0, "1970-01-01T00:00:00Z"},
		{NOON + 3661, "2026-11-21T13:01:01Z"},
		{(time_t)-1, "(malformed)"},
		{INT64_MAX, "(malformed)"},
	};

	(void)state;
	assert_int_equal(setenv("TZ", "EST5", 1), 0);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char array[64] = "";
		FILE *out = fmemopen(array, sizeof(array), "w");

		assert_non_null(out);
		pki_print_time(rows[i].time, out);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(array, rows[i].shown);
	}
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_certificate_is_a_field_and_a_value_a_line),
		TEST(what_is_not_there_is_said),
		TEST(no_name_forges_a_line_or_drives_a_terminal),
		TEST(the_issuer_is_not_taken_for_the_subject),
		TEST(a_subject_that_is_too_long_is_shown_to_be_cut),
		TEST(a_name_that_is_too_long_is_shown_to_be_cut),
		TEST(only_so_many_names_are_shown_and_that_there_are_more),
		TEST(purposes_have_the_names_of_the_standard_or_their_numbers),
		TEST(more_purposes_than_are_shown_are_said),
		TEST(the_days_are_counted_from_now),
		TEST(an_authority_is_told_with_the_length_of_its_path),
		TEST(what_cannot_be_read_is_called_malformed),
		cmocka_unit_test(a_time_is_of_iso_8601_in_utc_or_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
