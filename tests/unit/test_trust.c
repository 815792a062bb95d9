/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tunnel/trust.h"

struct fixture {
	struct pki_pair one, two;
	struct files files;
	struct trusts trusts;
	struct diag diag;
};

static int
setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	identities_make_authority(&fixture.one, "one");
	identities_make_authority(&fixture.two, "two");
	identities_add(&fixture.files, "one", &fixture.one);
	identities_add(&fixture.files, "two", &fixture.two);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	trusts_release(&fixture->trusts);
	files_release(&fixture->files);
	pki_pair_release(&fixture->one);
	pki_pair_release(&fixture->two);
	return 0;
}

static struct trust *
get(struct fixture *fixture, const char *path)
{
	return trust_get(&fixture->trusts, files_find(&fixture->files, path), &fixture->diag);
}

/* What GnuTLS objects to the certificate @path, which @trust is to verify. */
static unsigned
objections(struct fixture *fixture, const struct trust *trust, const char *path)
{
	const struct file *file = files_find(&fixture->files, path);
	const gnutls_datum_t pem = {.data = file->data, .size = (unsigned)file->size};
	gnutls_x509_crt_t crt;
	unsigned status = 0;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(
		gnutls_x509_trust_list_verify_crt(trust->list, &crt, 1, 0, &status, NULL), 0);
	gnutls_x509_crt_deinit(crt);
	return status;
}

static void
who_is_in_the_file_is_trusted_and_nobody_else(void **state)
{
	struct fixture *fixture = *state;
	struct trust *trust = get(fixture, "/test/one.crt");

	assert_non_null(trust);
	assert_int_equal(objections(fixture, trust, "/test/one.crt"), 0);
	assert_true(objections(fixture, trust, "/test/two.crt") & GNUTLS_CERT_SIGNER_NOT_FOUND);
	trust_unref(trust);
}

static void
every_certificate_of_a_file_is_trusted(void **state)
{
	struct fixture *fixture = *state;
	char both[8192] = "";

	(void)strncat(both, (char *)files_find(&fixture->files, "/test/one.crt")->data, 4000);
	(void)strncat(both, (char *)files_find(&fixture->files, "/test/two.crt")->data, 4000);
	identities_add_text(&fixture->files, "both", both);
	struct trust *trust = get(fixture, "/test/both");
	assert_non_null(trust);
	assert_int_equal(objections(fixture, trust, "/test/one.crt"), 0);
	assert_int_equal(objections(fixture, trust, "/test/two.crt"), 0);
	trust_unref(trust);
}

static void
a_fingerprint_is_of_the_anchors_and_not_of_their_file(void **state)
{
	struct fixture *fixture = *state;
	const char *one = (char *)files_find(&fixture->files, "/test/one.crt")->data;
	const char *two = (char *)files_find(&fixture->files, "/test/two.crt")->data;
	struct trust *trusts[4];
	char text[16384];

	(void)snprintf(text, sizeof(text), "%s%s", one, two);
	identities_add_text(&fixture->files, "one-two", text);
	(void)snprintf(text, sizeof(text), "# the same\n%s\n%s", two, one);
	identities_add_text(&fixture->files, "two-one", text);
	trusts[0] = get(fixture, "/test/one-two");
	trusts[1] = get(fixture, "/test/two-one");
	trusts[2] = get(fixture, "/test/one.crt");
	trusts[3] = get(fixture, "/test/two.crt");
	assert_memory_equal(trusts[0]->fingerprint, trusts[1]->fingerprint, FINGERPRINT_SIZE);
	assert_memory_not_equal(trusts[0]->fingerprint, trusts[2]->fingerprint, FINGERPRINT_SIZE);
	assert_memory_not_equal(trusts[2]->fingerprint, trusts[3]->fingerprint, FINGERPRINT_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(trusts); i++)
		trust_unref(trusts[i]);
}

static void
one_file_is_parsed_once(void **state)
{
	struct fixture *fixture = *state;
	struct trust *first = get(fixture, "/test/one.crt");
	struct trust *other = get(fixture, "/test/two.crt");
	struct trust *again = get(fixture, "/test/one.crt");

	assert_non_null(first);
	assert_non_null(other);
	assert_ptr_equal(first, again);
	assert_ptr_not_equal(first, other);
	assert_int_equal(fixture->trusts.count, 2);
	assert_int_equal(first->references, 3);
	trust_unref(first);
	trust_unref(other);
	trust_unref(again);
	assert_int_equal(fixture->trusts.entries[0]->references, 1);
	assert_int_equal(fixture->trusts.entries[1]->references, 1);
}

static void
whoever_counted_it_keeps_it(void **state)
{
	struct fixture *fixture = *state;
	struct trust *trust = get(fixture, "/test/one.crt");

	assert_non_null(trust);
	trusts_release(&fixture->trusts);
	assert_int_equal(fixture->trusts.count, 0);
	assert_int_equal(trust->references, 1);
	assert_int_equal(objections(fixture, trust, "/test/one.crt"), 0);
	trust_unref(trust);
	trust_unref(NULL);
}

static void
a_file_without_a_certificate_is_refused_with_the_remedy(void **state)
{
	static const char *const remedy = "; give a file of PEM certificates (BEGIN CERTIFICATE)";
	static const char *const texts[] = {"", "nothing\n", "-----BEGIN CERTIFICATE-----\n!\n"};
	static const char *const names[] = {"a", "b", "c"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char path[16] = "/test/";

		fixture->diag.text[0] = '\0';
		identities_add_text(&fixture->files, names[i], texts[i]);
		assert_null(get(fixture, strncat(path, names[i], 2)));
		const char *found = strstr(fixture->diag.text, remedy);
		assert_non_null(found);
		assert_ptr_not_equal(found, fixture->diag.text);
		assert_string_equal(found, remedy);
	}
	assert_int_equal(fixture->trusts.count, 0);
}

static void
a_key_is_no_trust_anchor(void **state)
{
	struct fixture *fixture = *state;

	assert_null(get(fixture, "key:/test/one.key"));
	assert_non_null(strstr(fixture->diag.text, "BEGIN CERTIFICATE"));
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_in_the_file_is_trusted_and_nobody_else),
		TEST(every_certificate_of_a_file_is_trusted),
		TEST(a_fingerprint_is_of_the_anchors_and_not_of_their_file),
		TEST(one_file_is_parsed_once),
		TEST(whoever_counted_it_keeps_it),
		TEST(a_file_without_a_certificate_is_refused_with_the_remedy),
		TEST(a_key_is_no_trust_anchor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
