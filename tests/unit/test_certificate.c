/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/pki_pair.h"

struct fixture {
	struct pki_pair pair; /* its crt is made anew by each test */
	gnutls_x509_crt_t parsed;
	char array[CERTIFICATE_NAME_SIZE];
	struct text text;
};

static int
set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	assert_int_equal(gnutls_x509_privkey_init(&fixture.pair.key), 0);
	assert_int_equal(gnutls_x509_privkey_generate2(fixture.pair.key, GNUTLS_PK_EDDSA_ED25519,
				 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519), 0, NULL, 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&fixture.pair.crt), 0);
	assert_int_equal(gnutls_x509_crt_set_version(fixture.pair.crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(fixture.pair.crt, "\x01", 1), 0);
	assert_int_equal(gnutls_x509_crt_set_key(fixture.pair.crt, fixture.pair.key), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(fixture.pair.crt, 0), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(fixture.pair.crt, time(NULL)), 0);
	text_init(&fixture.text, fixture.array, sizeof(fixture.array));
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	pki_pair_release(&fixture->pair);
	if (fixture->parsed)
		gnutls_x509_crt_deinit(fixture->parsed);
	return 0;
}

static void
set_subject(struct fixture *fixture, const char *oid, const void *value, unsigned size)
{
	assert_int_equal(gnutls_x509_crt_set_dn_by_oid(fixture->pair.crt, oid, 0, value, size), 0);
}

static void
add_name(struct fixture *fixture, gnutls_x509_subject_alt_name_t type, const void *name,
	unsigned size)
{
	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(
				 fixture->pair.crt, type, name, size, GNUTLS_FSAN_APPEND),
		0);
}

/* Sign with itself, and read as a peer would. */
static gnutls_x509_crt_t
finish(struct fixture *fixture)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_sign2(fixture->pair.crt, fixture->pair.crt,
				 fixture->pair.key, GNUTLS_DIG_UNKNOWN, 0),
		0);
	assert_int_equal(gnutls_x509_crt_export2(fixture->pair.crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_x509_crt_init(&fixture->parsed), 0);
	assert_int_equal(gnutls_x509_crt_import(fixture->parsed, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
	return fixture->parsed;
}

static void
a_subject_is_the_string_of_rfc_4514_and_printable(void **state)
{
	struct fixture *fixture = *state;

	set_subject(fixture, GNUTLS_OID_X520_ORGANIZATION_NAME, "Example, Inc.", 13);
	set_subject(fixture, GNUTLS_OID_X520_COMMON_NAME, "J\xc3\xb6rg\x1b[2J\nroot", 14);
	assert_int_equal(certificate_subject(finish(fixture), &fixture->text), 0);
	assert_string_equal(fixture->array, "CN=J\\C3\\B6rg\\1B[2J\\0Aroot,O=Example\\, Inc.");
}

static void
subject_and_issuer_of_a_self_signed_certificate_are_the_same_string(void **state)
{
	struct fixture *fixture = *state;
	char issuer[CERTIFICATE_NAME_SIZE];
	struct text text;

	set_subject(fixture, GNUTLS_OID_X520_COMMON_NAME, "same", 4);
	gnutls_x509_crt_t crt = finish(fixture);
	text_init(&text, issuer, sizeof(issuer));
	assert_int_equal(certificate_issuer(crt, &text), 0);
	assert_int_equal(certificate_subject(crt, &fixture->text), 0);
	assert_string_equal(issuer, "CN=same");
	assert_string_equal(issuer, fixture->array);
}

/* Append the general name of context tag @tag to @der, which begins with a SEQUENCE of one octet of length. */
static void
append_name(unsigned char *der, unsigned char tag, const void *bytes, size_t size)
{
	unsigned char *end = der + 2 + der[1];

	end[0] = (unsigned char)(0x80 | tag);
	end[1] = (unsigned char)size;
	memcpy(end + 2, bytes, size);
	der[1] = (unsigned char)(der[1] + 2 + size);
	assert_in_range(der[1], 1, 127);
}

static void
names_have_their_kind_in_front_and_are_one_word(void **state)
{
	static const char *const expected[] = {
		"dns:db.example.net",
		"ip:192.0.2.1",
		"ip:2001:db8::1",
		"ip:\\x01\\x02",
		"uri:urn:\\x20a\\\"\\x0a",
		"email:a@example.net",
		"dns:evil\\x00.example.net",
		"other:1.2.3",
	};
	struct fixture *fixture = *state;
	unsigned char der[200] = {0x30, 0};

	append_name(der, 2, "db.example.net", 14);
	append_name(der, 7, "\xc0\x00\x02\x01", 4);
	append_name(der, 7, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	append_name(der, 7, "\x01\x02", 2);
	append_name(der, 6, "urn: a\"\n", 8);
	append_name(der, 1, "a@example.net", 13);
	append_name(der, 2, "evil\0.example.net", 17);
	append_name(der, 8, "\x2a\x03", 2);
	assert_int_equal(gnutls_x509_crt_set_extension_by_oid(
				 fixture->pair.crt, "2.5.29.17", der, 2U + der[1], 0),
		0);
	gnutls_x509_crt_t crt = finish(fixture);
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		text_init(&fixture->text, fixture->array, sizeof(fixture->array));
		assert_int_equal(certificate_name(crt, i, &fixture->text), 0);
		assert_string_equal(fixture->array, expected[i]);
	}
	assert_int_equal(certificate_name(crt, ARRAY_SIZE(expected), &fixture->text), -1);
}

static void
a_pin_is_the_hash_of_the_public_key_and_survives_renewal(void **state)
{
	struct fixture *fixture = *state;
	char first[CERTIFICATE_PIN_SIZE];
	struct text text;

	set_subject(fixture, GNUTLS_OID_X520_COMMON_NAME, "x", 1);
	text_init(&text, first, sizeof(first));
	assert_int_equal(certificate_pin(finish(fixture), &text), 0);
	assert_int_equal(strncmp(first, "sha256:", 7), 0);
	assert_int_equal(text.length, 7 + 44);
	assert_false(text.cut);
	gnutls_x509_crt_deinit(fixture->parsed);
	assert_int_equal(gnutls_x509_crt_set_serial(fixture->pair.crt, "\x02", 1), 0);
	assert_int_equal(certificate_pin(finish(fixture), &fixture->text), 0);
	assert_string_equal(fixture->array, first);
}

static void
an_identity_is_the_first_name_and_the_subject(void **state)
{
	struct fixture *fixture = *state;

	set_subject(fixture, GNUTLS_OID_X520_COMMON_NAME, "db", 2);
	add_name(fixture, GNUTLS_SAN_DNSNAME, "db.example.net", 14);
	add_name(fixture, GNUTLS_SAN_DNSNAME, "other.example.net", 17);
	certificate_identity(finish(fixture), &fixture->text);
	assert_string_equal(fixture->array, "dns:db.example.net CN=db");
}

static void
an_identity_without_a_name_is_the_subject(void **state)
{
	struct fixture *fixture = *state;

	set_subject(fixture, GNUTLS_OID_X520_COMMON_NAME, "db", 2);
	certificate_identity(finish(fixture), &fixture->text);
	assert_string_equal(fixture->array, "CN=db");
}

static void
nobody_is_unnamed(void **state)
{
	struct fixture *fixture = *state;

	certificate_identity(fixture->pair.crt, &fixture->text);
	assert_string_equal(fixture->array, "unnamed");
}

static void
an_identity_fits_its_size_and_says_where_it_was_cut(void **state)
{
	struct fixture *fixture = *state;
	char array[CERTIFICATE_IDENTITY_SIZE], name[1000];
	struct text text;

	memset(name, 'a', sizeof(name));
	set_subject(fixture, GNUTLS_OID_X520_COMMON_NAME, name, 200);
	add_name(fixture, GNUTLS_SAN_DNSNAME, name, sizeof(name));
	text_init(&text, array, sizeof(array));
	certificate_identity(finish(fixture), &text);
	assert_false(text.cut);
	assert_non_null(strstr(array, "aaa... CN=aaa"));
	assert_string_equal(array + text.length - 6, "aaa...");
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_subject_is_the_string_of_rfc_4514_and_printable),
		TEST(subject_and_issuer_of_a_self_signed_certificate_are_the_same_string),
		TEST(names_have_their_kind_in_front_and_are_one_word),
		TEST(a_pin_is_the_hash_of_the_public_key_and_survives_renewal),
		TEST(an_identity_is_the_first_name_and_the_subject),
		TEST(an_identity_without_a_name_is_the_subject),
		TEST(nobody_is_unnamed),
		TEST(an_identity_fits_its_size_and_says_where_it_was_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
