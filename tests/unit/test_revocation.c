/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/defs.h"
#include "common/diag.h"
#include "common/files.h"
#include "common/text.h"
#include "tests/unit/identities.h"
#include "tunnel/revocation.h"

enum { TEXT_SIZE = 8192 };

static const long hour = 60L * 60;

/* A path from a leaf by way of an intermediate to a root; the twin has the root's name and another key. */
struct fixture {
	struct pki_pair root, intermediate, leaf, twin;
	gnutls_x509_crt_t path[3];
	struct files files;
	struct revocations revocations;
	struct diag diag;
	time_t now;
};

/* What a list is to say; times in seconds from now. */
struct plan {
	const struct pki_pair *issuer;
	gnutls_x509_crt_t revoked; /* NULL: nobody */
	long from, until;
};

/* Have @issuer sign the certificate in @pair, which says whatever name its issuer has. */
static void
sign_again(struct pki_pair *pair, const struct pki_pair *issuer)
{
	assert_int_equal(
		gnutls_x509_crt_sign2(pair->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0),
		0);
}

static int
setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.now = time(NULL)};
	identities_make_authority(&fixture.root, "root");
	identities_make_authority(&fixture.twin, "root");
	identities_make_authority(&fixture.intermediate, "intermediate");
	sign_again(&fixture.intermediate, &fixture.root);
	identities_make_leaf(&fixture.leaf, &fixture.intermediate, "a.example", -1, 1);
	fixture.path[0] = fixture.leaf.crt;
	fixture.path[1] = fixture.intermediate.crt;
	fixture.path[2] = fixture.root.crt;
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	revocations_release(&fixture->revocations);
	files_release(&fixture->files);
	pki_pair_release(&fixture->root);
	pki_pair_release(&fixture->twin);
	pki_pair_release(&fixture->intermediate);
	pki_pair_release(&fixture->leaf);
	return 0;
}

/* Make the list of @plan. The caller frees the result. */
static gnutls_datum_t
make_list(struct fixture *fixture, const struct plan *plan, gnutls_x509_crt_fmt_t format)
{
	unsigned char serial[64];
	size_t size = sizeof(serial);
	gnutls_x509_crl_t crl;
	gnutls_datum_t ret;

	assert_int_equal(gnutls_x509_crl_init(&crl), 0);
	assert_int_equal(gnutls_x509_crl_set_version(crl, 2), 0);
	assert_int_equal(gnutls_x509_crl_set_this_update(crl, fixture->now + plan->from), 0);
	assert_int_equal(gnutls_x509_crl_set_next_update(crl, fixture->now + plan->until), 0);
	if (plan->revoked) {
		assert_int_equal(gnutls_x509_crt_get_serial(plan->revoked, serial, &size), 0);
		assert_int_equal(
			gnutls_x509_crl_set_crt_serial(crl, serial, size, fixture->now), 0);
	}
	assert_int_equal(gnutls_x509_crl_sign2(
				 crl, plan->issuer->crt, plan->issuer->key, GNUTLS_DIG_SHA256, 0),
		0);
	assert_int_equal(gnutls_x509_crl_export2(crl, format, &ret), 0);
	gnutls_x509_crl_deinit(crl);
	return ret;
}

/* Append a list to the C string @text. */
static void
add(struct fixture *fixture, char text[TEXT_SIZE], const struct plan *plan)
{
	gnutls_datum_t pem = make_list(fixture, plan, GNUTLS_X509_FMT_PEM);

	assert_true(strlen(text) + pem.size < TEXT_SIZE);
	strncat(text, (char *)pem.data, pem.size);
	gnutls_free(pem.data);
}

static void
add_good(struct fixture *fixture, char text[TEXT_SIZE], const struct pki_pair *issuer,
	gnutls_x509_crt_t revoked)
{
	add(fixture, text, &(struct plan){issuer, revoked, -hour, hour});
}

/* The lists in @text; NULL with words in the fixture's diag. */
static struct revocation *
get(struct fixture *fixture, const char *name, const char *text)
{
	char path[32] = "/test/";

	fixture->diag.text[0] = '\0';
	identities_add_text(&fixture->files, name, text);
	return revocation_get(&fixture->revocations,
		files_find(&fixture->files, strncat(path, name, 20)), &fixture->diag);
}

static struct verdict
judge(struct fixture *fixture, struct revocation *revocation, enum crl_missing missing, long later)
{
	if (!revocation)
		fail_msg("%s", fixture->diag.text);
	return revocation_judge(revocation, fixture->path, 3, missing, fixture->now + later);
}

static void
expect(struct verdict verdict, gnutls_alert_description_t alert, const char *words)
{
	assert_false(verdict.good);
	assert_string_equal(verdict.words, words);
	assert_int_equal(verdict.alert, alert);
}

static void
who_is_on_no_list_passes(void **state)
{
	struct fixture *fixture = *state;
	char text[TEXT_SIZE] = "";

	add_good(fixture, text, &fixture->root, fixture->leaf.crt);
	add_good(fixture, text, &fixture->intermediate, fixture->root.crt);
	struct revocation *revocation = get(fixture, "x", text);
	assert_true(judge(fixture, revocation, CRL_MISSING_REFUSE, 0).good);
	assert_true(
		revocation_judge(revocation, fixture->path + 2, 1, CRL_MISSING_REFUSE, fixture->now)
			.good);
	revocation_unref(revocation);
}

static void
who_is_on_the_list_of_the_issuer_is_refused_wherever_it_stands(void **state)
{
	struct fixture *fixture = *state;
	char leaf[TEXT_SIZE] = "", intermediate[TEXT_SIZE] = "";

	add_good(fixture, leaf, &fixture->root, NULL);
	add_good(fixture, leaf, &fixture->intermediate, fixture->leaf.crt);
	add_good(fixture, intermediate, &fixture->root, fixture->intermediate.crt);
	add_good(fixture, intermediate, &fixture->intermediate, NULL);
	struct revocation *first = get(fixture, "a", leaf),
			  *second = get(fixture, "b", intermediate);
	for (long later = 0; later <= 2 * hour; later += 2 * hour) {
		expect(judge(fixture, first, CRL_MISSING_ACCEPT, later),
			GNUTLS_A_CERTIFICATE_REVOKED, "the certificate has been revoked");
		if (later == 0)
			expect(judge(fixture, second, CRL_MISSING_ACCEPT, later),
				GNUTLS_A_CERTIFICATE_REVOKED, "the certificate has been revoked");
	}
	revocation_unref(first);
	revocation_unref(second);
}

static void
each_issuer_needs_a_list_unless_that_is_waived(void **state)
{
	static const char *const words =
		"there is no revocation list of an issuer of the certificate";
	struct fixture *fixture = *state;
	char of_root[TEXT_SIZE] = "", of_intermediate[TEXT_SIZE] = "";

	add_good(fixture, of_root, &fixture->root, NULL);
	add_good(fixture, of_intermediate, &fixture->intermediate, NULL);
	struct revocation *first = get(fixture, "a", of_root);
	struct revocation *second = get(fixture, "b", of_intermediate);
	expect(judge(fixture, first, CRL_MISSING_REFUSE, 0), GNUTLS_A_CERTIFICATE_UNKNOWN, words);
	expect(judge(fixture, second, CRL_MISSING_REFUSE, 0), GNUTLS_A_CERTIFICATE_UNKNOWN, words);
	assert_true(judge(fixture, first, CRL_MISSING_ACCEPT, 0).good);
	assert_true(judge(fixture, second, CRL_MISSING_ACCEPT, 0).good);
	revocation_unref(first);
	revocation_unref(second);
}

static void
a_list_that_expires_later_refuses_from_then_on(void **state)
{
	struct fixture *fixture = *state;
	char text[TEXT_SIZE] = "";

	add_good(fixture, text, &fixture->root, NULL);
	add_good(fixture, text, &fixture->intermediate, NULL);
	struct revocation *revocation = get(fixture, "x", text);
	assert_true(judge(fixture, revocation, CRL_MISSING_ACCEPT, hour).good);
	expect(judge(fixture, revocation, CRL_MISSING_ACCEPT, hour + 1),
		GNUTLS_A_CERTIFICATE_UNKNOWN, "the revocation list is too old");
	expect(judge(fixture, revocation, CRL_MISSING_ACCEPT, -hour - 1),
		GNUTLS_A_CERTIFICATE_UNKNOWN, "the revocation list is dated in the future");
	revocation_unref(revocation);
}

static void
a_list_that_its_issuer_did_not_sign_refuses(void **state)
{
	struct fixture *fixture = *state;
	char text[TEXT_SIZE] = "";

	add_good(fixture, text, &fixture->twin, NULL);
	add_good(fixture, text, &fixture->intermediate, NULL);
	struct revocation *revocation = get(fixture, "x", text);
	for (int i = 0; i < 2; i++) {
		expect(judge(fixture, revocation, CRL_MISSING_ACCEPT, 0),
			GNUTLS_A_CERTIFICATE_UNKNOWN,
			"the revocation list of an issuer was not signed by it");
	}
	revocation_unref(revocation);
}

static void
after_a_change_of_keys_the_list_of_the_right_key_counts(void **state)
{
	struct fixture *fixture = *state;
	char text[TEXT_SIZE] = "";

	add(fixture, text,
		&(struct plan){&fixture->twin, fixture->intermediate.crt, -hour / 2, hour});
	add_good(fixture, text, &fixture->root, NULL);
	add_good(fixture, text, &fixture->intermediate, NULL);
	struct revocation *revocation = get(fixture, "x", text);
	for (int i = 0; i < 8; i++) {
		fixture->path[2] = i % 2 ? fixture->twin.crt : fixture->root.crt;
		assert_int_equal(
			judge(fixture, revocation, CRL_MISSING_REFUSE, 0).good, i % 2 == 0);
	}
	revocation_unref(revocation);
}

static void
many_issuers_of_one_name_are_told_apart_every_time(void **state)
{
	struct fixture *fixture = *state;
	struct pki_pair twins[6] = {{NULL, NULL}};
	char text[TEXT_SIZE] = "";

	add_good(fixture, text, &fixture->root, NULL);
	add_good(fixture, text, &fixture->intermediate, NULL);
	struct revocation *revocation = get(fixture, "x", text);
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
		identities_make_authority(&twins[i], "root");
	for (size_t i = 0; i < 3 * ARRAY_SIZE(twins); i++) {
		fixture->path[2] = twins[i % ARRAY_SIZE(twins)].crt;
		assert_false(judge(fixture, revocation, CRL_MISSING_REFUSE, 0).good);
		fixture->path[2] = fixture->root.crt;
		assert_true(judge(fixture, revocation, CRL_MISSING_REFUSE, 0).good);
	}
	for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
		pki_pair_release(&twins[i]);
	revocation_unref(revocation);
}

static void
of_several_lists_of_an_issuer_the_newest_counts(void **state)
{
	struct fixture *fixture = *state;
	char back[TEXT_SIZE] = "", gone[TEXT_SIZE] = "";
	const struct plan old = {&fixture->root, fixture->intermediate.crt, -2 * hour, 4 * hour};
	const struct plan new = {&fixture->root, NULL, -hour, hour};
	const struct plan newest = {&fixture->root, fixture->intermediate.crt, -hour / 2, hour};

	add_good(fixture, back, &fixture->intermediate, NULL);
	add(fixture, back, &new);
	add(fixture, back, &old);
	struct revocation *revocation = get(fixture, "back", back);
	assert_true(judge(fixture, revocation, CRL_MISSING_REFUSE, 0).good);
	revocation_unref(revocation);

	add_good(fixture, gone, &fixture->intermediate, NULL);
	add(fixture, gone, &newest);
	add(fixture, gone, &new);
	revocation = get(fixture, "gone", gone);
	assert_false(judge(fixture, revocation, CRL_MISSING_REFUSE, 0).good);
	revocation_unref(revocation);
}

static void
an_issuer_that_may_not_sign_lists_refuses(void **state)
{
	struct fixture *fixture = *state;
	char text[TEXT_SIZE] = "";

	add_good(fixture, text, &fixture->root, NULL);
	add_good(fixture, text, &fixture->intermediate, NULL);
	struct revocation *revocation = get(fixture, "x", text);
	assert_int_equal(
		gnutls_x509_crt_set_key_usage(fixture->intermediate.crt, GNUTLS_KEY_KEY_CERT_SIGN),
		0);
	sign_again(&fixture->intermediate, &fixture->root);
	expect(judge(fixture, revocation, CRL_MISSING_ACCEPT, 0), GNUTLS_A_CERTIFICATE_UNKNOWN,
		"an issuer of the certificate may not sign revocation lists");
	revocation_unref(revocation);
}

static void
a_list_that_is_not_of_this_time_can_be_loaded_and_refuses(void **state)
{
	static const struct {
		long from, until;
		const char *words;
	} cases[] = {
		{-7200, -3600, "the revocation list is too old"},
		{3600, 7200, "the revocation list is dated in the future"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[TEXT_SIZE] = "";

		add_good(fixture, text, &fixture->root, NULL);
		add(fixture, text,
			&(struct plan){
				&fixture->intermediate, NULL, cases[i].from, cases[i].until});
		struct revocation *revocation = get(fixture, i == 0 ? "old" : "early", text);
		assert_non_null(revocation);
		for (int missing = CRL_MISSING_REFUSE; missing <= CRL_MISSING_ACCEPT; missing++)
			expect(judge(fixture, revocation, (enum crl_missing)missing, 0),
				GNUTLS_A_CERTIFICATE_UNKNOWN, cases[i].words);
		revocation_unref(revocation);
	}
}

static void
an_expired_list_still_says_who_was_revoked(void **state)
{
	struct fixture *fixture = *state;
	char text[TEXT_SIZE] = "";

	add_good(fixture, text, &fixture->root, NULL);
	add(fixture, text,
		&(struct plan){&fixture->intermediate, fixture->leaf.crt, -2 * hour, -hour});
	struct revocation *revocation = get(fixture, "x", text);
	expect(judge(fixture, revocation, CRL_MISSING_REFUSE, 0), GNUTLS_A_CERTIFICATE_REVOKED,
		"the certificate has been revoked");
	revocation_unref(revocation);
}

static void
join(char text[TEXT_SIZE], const char *a, const char *b, const char *c)
{
	struct text joined;

	text_init(&joined, text, TEXT_SIZE);
	text_add(&joined, a);
	text_add(&joined, b);
	text_add(&joined, c);
	assert_false(joined.cut);
}

static void
refuse_text(struct fixture *fixture, const char *a, const char *b, const char *c)
{
	static unsigned number;
	char text[TEXT_SIZE], name[16];

	join(text, a, b, c);
	(void)snprintf(name, sizeof(name), "%u", number++);
	if (get(fixture, name, text))
		fail_msg("%s%s%s was taken", a, b, c);
	assert_non_null(strstr(fixture->diag.text, "revocation list "));
}

static void
nothing_but_lists_may_stand_in_the_file(void **state)
{
	struct fixture *fixture = *state;
	static const char *const garbage[] = {"garbage\n", "-----BEGIN X509 CRL-----\n",
		"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
		"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "0", "#\n",
		"\x01", "-----END X509 CRL-----\n"};
	char list[TEXT_SIZE] = "";

	add_good(fixture, list, &fixture->root, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		refuse_text(fixture, garbage[i], list, "");
		refuse_text(fixture, list, garbage[i], "");
		refuse_text(fixture, list, garbage[i], list);
	}
}

static void
what_is_inside_a_block_must_be_base64_to_its_end(void **state)
{
	struct fixture *fixture = *state;
	char list[TEXT_SIZE] = "", text[TEXT_SIZE];

	add_good(fixture, list, &fixture->root, NULL);
	char *end = strstr(list, "-----END");
	(void)snprintf(text, sizeof(text), "%.*s-more\n%s", (int)(end - list), list, end);
	assert_null(get(fixture, "x", text));
	assert_non_null(strstr(fixture->diag.text, "not base64 up to \"-----END X509 CRL-----\""));
}

static void
a_file_without_a_list_is_refused_with_the_remedy(void **state)
{
	struct fixture *fixture = *state;

	assert_null(get(fixture, "a", ""));
	assert_non_null(strstr(fixture->diag.text, "give lists in PEM (BEGIN X509 CRL)"));
	assert_null(get(fixture, "b", " \n\r\n"));
	assert_non_null(strstr(fixture->diag.text, "there is no revocation list in it"));
}

static void
lists_may_be_in_der_and_mixed(void **state)
{
	struct fixture *fixture = *state;
	gnutls_datum_t der = make_list(
		fixture, &(struct plan){&fixture->root, NULL, -hour, hour}, GNUTLS_X509_FMT_DER);
	char text[TEXT_SIZE] = "\n";

	add_good(fixture, text, &fixture->intermediate, fixture->leaf.crt);
	size_t length = strlen(text);
	memcpy(text + length, der.data, der.size);
	text[length + der.size] = '\r';
	text[length + der.size + 1] = '\n';
	assert_int_equal(files_add(&fixture->files, "/test/both", text, length + der.size + 2,
				 &fixture->diag),
		0);
	assert_int_equal(
		files_add(&fixture->files, "/test/der", der.data, der.size, &fixture->diag), 0);
	struct revocation *both = revocation_get(
		&fixture->revocations, files_find(&fixture->files, "/test/both"), &fixture->diag);
	struct revocation *one = revocation_get(
		&fixture->revocations, files_find(&fixture->files, "/test/der"), &fixture->diag);
	assert_int_equal(
		judge(fixture, both, CRL_MISSING_REFUSE, 0).alert, GNUTLS_A_CERTIFICATE_REVOKED);
	assert_true(judge(fixture, one, CRL_MISSING_ACCEPT, 0).good);
	revocation_unref(both);
	revocation_unref(one);
	gnutls_free(der.data);
}

static void
one_file_is_parsed_once_and_kept_by_whoever_counted_it(void **state)
{
	struct fixture *fixture = *state;
	char text[TEXT_SIZE] = "";

	add_good(fixture, text, &fixture->root, NULL);
	struct revocation *first = get(fixture, "x", text);
	struct revocation *again = revocation_get(
		&fixture->revocations, files_find(&fixture->files, "/test/x"), &fixture->diag);
	assert_ptr_equal(first, again);
	assert_int_equal(fixture->revocations.count, 1);
	revocation_unref(again);
	revocations_release(&fixture->revocations);
	assert_int_equal(fixture->revocations.count, 0);
	assert_true(judge(fixture, first, CRL_MISSING_ACCEPT, 0).good);
	revocation_unref(first);
	revocation_unref(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_on_no_list_passes),
		TEST(who_is_on_the_list_of_the_issuer_is_refused_wherever_it_stands),
		TEST(each_issuer_needs_a_list_unless_that_is_waived),
		TEST(a_list_that_expires_later_refuses_from_then_on),
		TEST(a_list_that_its_issuer_did_not_sign_refuses),
		TEST(after_a_change_of_keys_the_list_of_the_right_key_counts),
		TEST(many_issuers_of_one_name_are_told_apart_every_time),
		TEST(of_several_lists_of_an_issuer_the_newest_counts),
		TEST(an_issuer_that_may_not_sign_lists_refuses),
		TEST(a_list_that_is_not_of_this_time_can_be_loaded_and_refuses),
		TEST(an_expired_list_still_says_who_was_revoked),
		TEST(nothing_but_lists_may_stand_in_the_file),
		TEST(what_is_inside_a_block_must_be_base64_to_its_end),
		TEST(a_file_without_a_list_is_refused_with_the_remedy),
		TEST(lists_may_be_in_der_and_mixed),
		TEST(one_file_is_parsed_once_and_kept_by_whoever_counted_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
