/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>
#include <time.h>

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tunnel/crl.h"
#include "tunnel/encoded.h"
#include "tunnel/pki_crl.h"

enum { HOUR = 60 * 60 };

struct fixture {
	struct pki_pair authority, stranger, leaf, other;
	struct pki_crl_plan plan;
	struct diag diag;
};

/* Parse the certificate in @pair as if it came from its file: GnuTLS knows more about it then. */
static void
parse_again(struct pki_pair *pair)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crt_deinit(pair->crt);
	assert_int_equal(gnutls_x509_crt_init(&pair->crt), 0);
	assert_int_equal(gnutls_x509_crt_import(pair->crt, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
}

static int
setup(void **state)
{
	static struct fixture fixture;
	time_t now = time(NULL);

	fixture = (struct fixture){
		.plan = {.authority = &fixture.authority,
			.now = now,
			.from = now - HOUR,
			.until = now + HOUR},
	};
	identities_make_authority(&fixture.authority, "authority");
	identities_make_authority(&fixture.stranger, "authority");
	identities_make_leaf(&fixture.leaf, &fixture.authority, "a.example", -1, 1);
	identities_make_leaf(&fixture.other, &fixture.authority, "b.example", -3, -2);
	parse_again(&fixture.authority);
	parse_again(&fixture.stranger);
	parse_again(&fixture.leaf);
	parse_again(&fixture.other);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	pki_pair_release(&fixture->authority);
	pki_pair_release(&fixture->stranger);
	pki_pair_release(&fixture->leaf);
	pki_pair_release(&fixture->other);
	return 0;
}

/* Make the next list after @old with @revoked on it. The caller frees the result. */
static gnutls_datum_t
make(struct fixture *fixture, const gnutls_datum_t *old, gnutls_x509_crt_t revoked)
{
	struct pki_crl_made made;

	fixture->plan.revoked = revoked;
	if (pki_crl_make(&made, &fixture->plan, old, &fixture->diag))
		fail_msg("%s", fixture->diag.text);
	return made.pem;
}

/* Refuse to do so, with @words. */
static void
refuse(struct fixture *fixture, const gnutls_datum_t *old, const char *words)
{
	struct pki_crl_made made;

	assert_int_equal(pki_crl_make(&made, &fixture->plan, old, &fixture->diag), -1);
	assert_null(made.pem.data);
	if (!strstr(fixture->diag.text, words))
		fail_msg("%s", fixture->diag.text);
}

/* The list in @pem as a tunnel reads it. The caller releases it. */
static struct crl
read_list(struct fixture *fixture, const gnutls_datum_t *pem)
{
	struct der rest = {pem->data, pem->size};
	struct crl crl = {0};
	gnutls_datum_t der;

	assert_int_equal(encoded_take(&rest, "X509 CRL", &der, &fixture->diag), 1);
	if (crl_parse(&crl, &(struct der){der.data, der.size}, &fixture->diag))
		fail_msg("%s", fixture->diag.text);
	gnutls_free(der.data);
	return crl;
}

static void
a_list_is_one_that_a_tunnel_takes(void **state)
{
	struct fixture *fixture = *state;
	gnutls_datum_t pem = make(fixture, NULL, fixture->leaf.crt);
	struct crl crl = read_list(fixture, &pem);

	assert_true(crl_verify(&crl, fixture->authority.crt));
	assert_true(crl.this_update <= fixture->plan.now && crl.next_update > fixture->plan.now);
	assert_int_equal(crl.this_update, fixture->plan.from);
	assert_int_equal(crl.next_update, fixture->plan.until);
	assert_true(crl_has(&crl, fixture->leaf.crt));
	assert_false(crl_has(&crl, fixture->other.crt));
	crl_release(&crl);
	gnutls_free(pem.data);
}

static void
each_list_has_the_entries_of_the_one_before_and_a_greater_number(void **state)
{
	struct fixture *fixture = *state;
	gnutls_datum_t first = make(fixture, NULL, fixture->leaf.crt);
	gnutls_datum_t second = make(fixture, &first, fixture->other.crt);
	gnutls_datum_t third = make(fixture, &second, NULL);
	gnutls_datum_t fourth = make(fixture, &third, fixture->leaf.crt);
	struct crl crl = read_list(fixture, &fourth), before = read_list(fixture, &third);

	assert_int_equal(crl.serial_count, 2);
	assert_true(crl_has(&crl, fixture->leaf.crt) && crl_has(&crl, fixture->other.crt));
	assert_true(crl_verify(&crl, fixture->authority.crt));
	assert_int_equal(crl.number_size, 1);
	assert_int_equal(crl.number[0], 4);
	assert_true(crl_is_newer(&crl, &before));
	crl_release(&crl);
	crl_release(&before);
	gnutls_free(first.data);
	gnutls_free(second.data);
	gnutls_free(third.data);
	gnutls_free(fourth.data);
}

/* A list of the authority with @number. The caller frees the result. */
static gnutls_datum_t
numbered(struct fixture *fixture, const void *number, size_t size)
{
	gnutls_x509_crl_t crl;
	gnutls_datum_t ret;

	assert_int_equal(gnutls_x509_crl_init(&crl), 0);
	assert_int_equal(gnutls_x509_crl_set_version(crl, 2), 0);
	assert_int_equal(gnutls_x509_crl_set_this_update(crl, fixture->plan.from), 0);
	assert_int_equal(gnutls_x509_crl_set_next_update(crl, fixture->plan.from + 1), 0);
	if (size > 0)
		assert_int_equal(gnutls_x509_crl_set_number(crl, number, size), 0);
	assert_int_equal(gnutls_x509_crl_sign2(crl, fixture->authority.crt, fixture->authority.key,
				 GNUTLS_DIG_SHA256, 0),
		0);
	assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &ret), 0);
	gnutls_x509_crl_deinit(crl);
	return ret;
}

static void
the_number_is_that_of_the_list_before_and_one(void **state)
{
	static const struct {
		const char *before;
		size_t before_size;
		const char *after;
		size_t after_size;
	} cases[] = {
		{"\x07", 1, "\x08", 1},
		{"\x7f", 1, "\x80", 1},
		{"\x00\xff", 2, "\x01\x00", 2},
		{"\x01\xff\xff", 3, "\x02\x00\x00", 3},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gnutls_datum_t old = numbered(fixture, cases[i].before, cases[i].before_size);
		gnutls_datum_t pem = make(fixture, &old, NULL);
		struct crl crl = read_list(fixture, &pem);

		assert_int_equal(crl.number_size, cases[i].after_size);
		assert_memory_equal(crl.number, cases[i].after, cases[i].after_size);
		assert_true(crl_verify(&crl, fixture->authority.crt));
		crl_release(&crl);
		gnutls_free(pem.data);
		gnutls_free(old.data);
	}
}

static void
a_number_stays_positive(void **state)
{
	struct fixture *fixture = *state;
	gnutls_datum_t old = numbered(fixture, "\x7f", 1), pem = make(fixture, &old, NULL);
	struct crl crl = read_list(fixture, &pem);

	assert_non_null(
		memmem(crl.signed_part.at, crl.signed_part.size, "\x04\x04\x02\x02\x00\x80", 6));
	crl_release(&crl);
	gnutls_free(pem.data);
	gnutls_free(old.data);
}

static void
a_list_without_a_number_is_not_taken_over(void **state)
{
	struct fixture *fixture = *state;
	gnutls_datum_t old = numbered(fixture, NULL, 0);

	refuse(fixture, &old, "the list that is there has no number (CRL number)");
	gnutls_free(old.data);
}

static void
a_number_that_cannot_grow_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char number[20];

	memset(number, 0xff, sizeof(number));
	number[0] = 0x7f;
	gnutls_datum_t old = numbered(fixture, number, sizeof(number));
	refuse(fixture, &old, "number of the list that is there is too great");
	gnutls_free(old.data);
}

static void
the_list_of_another_authority_is_not_taken_over(void **state)
{
	struct fixture *fixture = *state;
	const gnutls_datum_t garbage = {(unsigned char *)(uintptr_t) "garbage", 7};

	fixture->plan.authority = &fixture->stranger;
	gnutls_datum_t pem = make(fixture, NULL, NULL);
	fixture->plan.authority = &fixture->authority;
	refuse(fixture, &pem,
		"the list that is there, which could be moved away: it was not signed by this");
	refuse(fixture, &garbage, ": this is neither PEM");
	gnutls_free(pem.data);
}

static void
a_file_with_two_lists_is_not_taken_over(void **state)
{
	struct fixture *fixture = *state;
	gnutls_datum_t pem = make(fixture, NULL, NULL);
	char text[4096] = "";

	assert_true(pem.size < sizeof(text) / 2);
	memcpy(text, pem.data, pem.size);
	memcpy(text + pem.size, pem.data, pem.size);
	const gnutls_datum_t two = {(unsigned char *)text, pem.size + pem.size};
	refuse(fixture, &two, "there is more than one list in it");
	refuse(fixture, &(gnutls_datum_t){two.data, 0}, "there is no list in it");
	gnutls_free(pem.data);
}

static void
only_what_the_authority_has_issued_is_revoked(void **state)
{
	struct fixture *fixture = *state;

	fixture->plan.revoked = fixture->leaf.crt;
	fixture->plan.authority = &fixture->stranger;
	refuse(fixture, NULL, "the certificate was not issued by this authority");
}

static void
an_authority_that_may_not_sign_lists_or_has_expired_makes_none(void **state)
{
	struct fixture *fixture = *state;

	fixture->plan.now += (time_t)20 * 24 * HOUR;
	refuse(fixture, NULL, "the authority has expired");
	fixture->plan.now = time(NULL);
	assert_int_equal(
		gnutls_x509_crt_set_key_usage(fixture->authority.crt, GNUTLS_KEY_KEY_CERT_SIGN), 0);
	refuse(fixture, NULL, "key usage forbids to sign lists");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_one_that_a_tunnel_takes),
		TEST(each_list_has_the_entries_of_the_one_before_and_a_greater_number),
		TEST(the_number_is_that_of_the_list_before_and_one),
		TEST(a_number_stays_positive),
		TEST(a_list_without_a_number_is_not_taken_over),
		TEST(a_number_that_cannot_grow_is_refused),
		TEST(the_list_of_another_authority_is_not_taken_over),
		TEST(a_file_with_two_lists_is_not_taken_over),
		TEST(only_what_the_authority_has_issued_is_revoked),
		TEST(an_authority_that_may_not_sign_lists_or_has_expired_makes_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
