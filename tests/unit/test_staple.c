/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "common/defs.h"
#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tests/unit/samples.h"
#include "tunnel/staple.h"

enum { TODAY = SAMPLES_TIME + SAMPLES_DAY, END = SAMPLES_TIME + 7 * SAMPLES_DAY };

struct fixture {
	struct pki_pair authority, leaf; /* of which only the key is used */
	gnutls_certificate_credentials_t credentials;
	struct files files;
	struct diag diag;
};

/* An end that has the sample leaf. The key is another one, which nobody asks for here. */
static int
setup(void **state)
{
	static struct fixture fixture;
	gnutls_x509_crt_t chain[] = {
		samples_get_certificate("leaf_crt"), samples_get_certificate("ca_crt")};

	fixture = (struct fixture){0};
	identities_make_authority(&fixture.authority, "root");
	identities_make_leaf(&fixture.leaf, &fixture.authority, "a.example", -1, 1);
	assert_int_equal(gnutls_certificate_allocate_credentials(&fixture.credentials), 0);
	gnutls_certificate_set_flags(fixture.credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	assert_true(gnutls_certificate_set_x509_key(
			    fixture.credentials, chain, 2, fixture.leaf.key) >= 0);
	gnutls_x509_crt_deinit(chain[0]);
	gnutls_x509_crt_deinit(chain[1]);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	gnutls_certificate_free_credentials(fixture->credentials);
	files_release(&fixture->files);
	pki_pair_release(&fixture->leaf);
	pki_pair_release(&fixture->authority);
	return 0;
}

/* A file with these samples, one behind the other. */
static struct file *
put(struct fixture *fixture, const char *name, const char *other)
{
	uint8_t bytes[8192];
	gnutls_datum_t first = samples_get(name);
	gnutls_datum_t second = other ? samples_get(other) : (gnutls_datum_t){NULL, 0};

	assert_true(first.size + second.size <= sizeof(bytes));
	memcpy(bytes, first.data, first.size);
	if (second.data)
		memcpy(bytes + first.size, second.data, second.size);
	files_release(&fixture->files);
	assert_int_equal(files_add(&fixture->files, "staple", bytes, first.size + second.size,
				 &fixture->diag),
		0);
	gnutls_free(first.data);
	gnutls_free(second.data);
	return &fixture->files.entries[0];
}

static bool
is_stapled(const struct fixture *fixture)
{
	return gnutls_certificate_get_ocsp_expiration(fixture->credentials, 0, 0, 0) > 0;
}

/* The samples are from January 2026, which is over. */
static void
what_is_not_of_this_time_is_left_out_and_is_no_error(void **state)
{
	static const char *const names[] = {
		"ocsp_good", "ocsp_delegated", "ocsp_endless", "ocsp_by_retired"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct file *file = put(fixture, names[i], NULL);
		if (staple_load(fixture->credentials, file, &fixture->diag))
			fail_msg("%s: %s", names[i], fixture->diag.text);
		assert_false(is_stapled(fixture));
	}
}

static void
what_is_wrong_besides_stays_an_error(void **state)
{
	static const char *const names[] = {"ocsp_revoked", "ocsp_unknown", "ocsp_other",
		"ocsp_by_twin", "ocsp_by_bystander", "ocsp_by_impostor", "ocsp_critical",
		"ocsp_try_later", "crl_plain"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct file *file = put(fixture, names[i], NULL);
		if (staple_load(fixture->credentials, file, &fixture->diag) == 0)
			fail_msg("%s was taken", names[i]);
		assert_non_null(strstr(fixture->diag.text, "OCSP response 1: "));
	}
}

static void
a_second_one_for_a_certificate_is_an_error_at_any_time(void **state)
{
	struct fixture *fixture = *state;
	const struct file *file = put(fixture, "ocsp_good", "ocsp_delegated");

	assert_int_equal(staple_load(fixture->credentials, file, &fixture->diag), -1);
	assert_non_null(strstr(fixture->diag.text, "OCSP response 2: it is the second "));
}

static void
those_of_the_time_are_counted_whatever_they_say(void **state)
{
	static const struct {
		const char *name, *second;
		time_t now;
		int count;
		enum ocsp_answer other;
	} cases[] = {
		{"ocsp_good", NULL, TODAY, 1, OCSP_GOOD},
		{"ocsp_good", NULL, END + 1, 0, OCSP_STALE},
		{"ocsp_good", NULL, SAMPLES_TIME - SAMPLES_DAY, 0, OCSP_EARLY},
		{"ocsp_good", "ocsp_revoked", TODAY, 2, OCSP_GOOD},
		{"ocsp_good", "ocsp_endless", END + 1, 1, OCSP_STALE},
		{"ocsp_endless", "ocsp_good", END + 1, 1, OCSP_STALE},
		{"ocsp_good", "ocsp_try_later", TODAY, -1, OCSP_GOOD},
		{"crl_plain", NULL, TODAY, -1, OCSP_GOOD},
	};
	struct fixture *fixture = *state;
	enum ocsp_answer other;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file *file = put(fixture, cases[i].name, cases[i].second);
		int count = staple_count_current(file, cases[i].now, &other);
		if (count != cases[i].count || other != cases[i].other)
			fail_msg("case %zu: %d, %d", i, count, other);
		file->size--;
		assert_int_equal(staple_count_current(file, cases[i].now, &other), -1);
		file->size++;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_of_this_time_is_left_out_and_is_no_error),
		TEST(what_is_wrong_besides_stays_an_error),
		TEST(a_second_one_for_a_certificate_is_an_error_at_any_time),
		TEST(those_of_the_time_are_counted_whatever_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
