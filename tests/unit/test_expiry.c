/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tests/unit/samples.h"
#include "tunnel/config.h"
#include "tunnel/expiry.h"
#include "tunnel/ocsp.h"

#define ADDRESSES "connect = 127.0.0.1:2\nca = none.pem\n"
#define ONE	  "[o]\nmode = offload\naccept = 127.0.0.1:1\ncert = o.crt\nkey = o.key\n" ADDRESSES

enum { LIFETIME = 90 };

static const time_t DAY = 24L * 60 * 60;

/* A service whose certificate is over in LIFETIME days, and what was told of it. */
struct fixture {
	struct pki_pair authority;
	struct files files;
	struct expiry expiry;
	struct diag diag;
	time_t start, until;
	char told[4096];
	unsigned count;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	struct pki_pair leaf;

	fixture = (struct fixture){0};
	identities_make_authority(&fixture.authority, "root");
	identities_make_leaf(&leaf, &fixture.authority, "a.example", 0, LIFETIME);
	fixture.start = gnutls_x509_crt_get_activation_time(leaf.crt);
	fixture.until = gnutls_x509_crt_get_expiration_time(leaf.crt);
	identities_add(&fixture.files, "o", &leaf);
	pki_pair_release(&leaf);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	expiry_release(&fixture->expiry);
	files_release(&fixture->files);
	pki_pair_release(&fixture->authority);
	return 0;
}

static void
set(struct fixture *fixture, const char *text)
{
	struct config *config = identities_config(text);

	assert_int_equal(expiry_set(&fixture->expiry, config, &fixture->files, &fixture->diag), 0);
	config_unref(config);
}

static void
remember(void *user, const char *words)
{
	struct fixture *fixture = user;

	(void)snprintf(fixture->told, sizeof(fixture->told), "%s", words);
	fixture->count++;
}

/* How many warnings are there at @now? */
static unsigned
tell(struct fixture *fixture, time_t now)
{
	fixture->count = 0;
	fixture->told[0] = '\0';
	expiry_tell(&fixture->expiry, now, remember, fixture);
	return fixture->count;
}

static void
expect(const struct fixture *fixture, const char *words)
{
	if (!strstr(fixture->told, words))
		fail_msg("\"%s\" is not in \"%s\"", words, fixture->told);
}

static void
each_stage_is_told_once_when_it_is_reached(void **state)
{
	static const int days[] = {30, 7, 1};
	struct fixture *fixture = *state;

	set(fixture, ONE);
	assert_int_equal(tell(fixture, fixture->start), 0);
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		assert_int_equal(tell(fixture, fixture->until - days[i] * DAY), 0);
		assert_int_equal(tell(fixture, fixture->until - days[i] * DAY + 1), 1);
		assert_int_equal(tell(fixture, fixture->until - days[i] * DAY + 2), 0);
	}
	assert_int_equal(tell(fixture, fixture->until), 0);
	assert_int_equal(tell(fixture, fixture->until + 1), 1);
	assert_int_equal(tell(fixture, fixture->until + 1000 * DAY), 0);
}

static void
of_several_stages_only_the_last_is_told(void **state)
{
	struct fixture *fixture = *state;

	set(fixture, ONE);
	assert_int_equal(tell(fixture, fixture->until - 3 * DAY), 1);
	expect(fixture, "expires in 3 days");
	assert_int_equal(tell(fixture, fixture->until - 2 * DAY), 0);
	assert_int_equal(tell(fixture, fixture->until + DAY), 1);
}

static void
the_words_name_service_option_file_and_date(void **state)
{
	struct fixture *fixture = *state;
	char date[64];

	set(fixture, ONE);
	assert_true(strftime(date, sizeof(date), ", on %Y-%m-%d %H:%M:%S UTC: replace it",
			    gmtime(&fixture->until)) > 0);
	assert_int_equal(tell(fixture, fixture->until - 30 * DAY + 1), 1);
	expect(fixture,
		"service o: cert: \"/test/o.crt\": the certificate of dns:a.example CN=leaf "
		"expires in 29 days, on ");
	expect(fixture, date);
	assert_int_equal(tell(fixture, fixture->until - DAY + 1), 1);
	expect(fixture, "expires in less than a day");
	assert_int_equal(tell(fixture, fixture->until + 1), 1);
	expect(fixture, "has expired on ");
}

static void
a_certificate_that_two_services_use_is_told_once(void **state)
{
	struct fixture *fixture = *state;

	set(fixture,
		ONE
		"[p]\nmode = offload\naccept = 127.0.0.1:3\ncert = o.crt\nkey = o.key\n" ADDRESSES);
	assert_int_equal(tell(fixture, fixture->until - DAY), 1);
}

static void
a_reload_repeats_nothing_and_forgets_what_is_not_used(void **state)
{
	struct fixture *fixture = *state;
	struct pki_pair leaf;

	set(fixture, ONE);
	assert_int_equal(tell(fixture, fixture->until - 3 * DAY), 1);
	set(fixture, ONE);
	assert_int_equal(tell(fixture, fixture->until - 3 * DAY), 0);
	files_release(&fixture->files);
	identities_make_leaf(&leaf, &fixture->authority, "b.example", 0, LIFETIME - 1);
	identities_add(&fixture->files, "o", &leaf);
	pki_pair_release(&leaf);
	set(fixture, ONE);
	assert_int_equal(fixture->expiry.count, 1);
	assert_int_equal(tell(fixture, fixture->until - 3 * DAY), 1);
	expect(fixture, "b.example");
}

static void
intermediates_count_and_anchors_do_not(void **state)
{
	struct fixture *fixture = *state;
	struct pki_pair pair;
	gnutls_datum_t key, crt;
	char both[8192];

	identities_make_authority(&pair, "intermediate");
	assert_int_equal(pki_pair_export(&pair, &key, &crt, &fixture->diag), 0);
	(void)snprintf(both, sizeof(both), "%s%s",
		(const char *)files_find(&fixture->files, "/test/o.crt")->data,
		(const char *)crt.data);
	assert_int_equal(
		files_put(&fixture->files, "/test/o.crt", both, strlen(both), &fixture->diag), 0);
	identities_add_text(&fixture->files, "none.pem", (const char *)crt.data);
	set(fixture, ONE);
	assert_int_equal(tell(fixture, fixture->start), 1);
	expect(fixture, "CN=intermediate expires in");
	files_release(&fixture->files);
	identities_add_text(&fixture->files, "none.pem", (const char *)crt.data);
	set(fixture, ONE);
	assert_int_equal(fixture->expiry.count, 0);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	pki_pair_release(&pair);
}

/* Add a list that lives for @days from the start on. */
static void
add_list(struct fixture *fixture, int days)
{
	const struct pki_pair *issuer = &fixture->authority;
	unsigned char serial[] = {1};
	gnutls_x509_crl_t crl;
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_crl_init(&crl), 0);
	assert_int_equal(gnutls_x509_crl_set_version(crl, 2), 0);
	assert_int_equal(gnutls_x509_crl_set_this_update(crl, fixture->start), 0);
	assert_int_equal(
		gnutls_x509_crl_set_next_update(crl, fixture->start + (time_t)days * DAY), 0);
	assert_int_equal(gnutls_x509_crl_set_number(crl, serial, sizeof(serial)), 0);
	assert_int_equal(
		gnutls_x509_crl_sign2(crl, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &pem), 0);
	identities_add_text(&fixture->files, "list.pem", (const char *)pem.data);
	gnutls_free(pem.data);
	gnutls_x509_crl_deinit(crl);
}

static void
a_revocation_list_is_told_in_the_second_half_of_its_life(void **state)
{
	struct fixture *fixture = *state;

	add_list(fixture, 10);
	set(fixture, ONE "crl = list.pem\n");
	assert_int_equal(tell(fixture, fixture->start + DAY), 0);
	assert_int_equal(tell(fixture, fixture->start + 4 * DAY), 0);
	assert_int_equal(tell(fixture, fixture->start + 9 * DAY + 1), 1);
	expect(fixture, "service o: crl: \"/test/list.pem\": the revocation list of ");
	expect(fixture, "root");
	assert_int_equal(tell(fixture, fixture->start + 10 * DAY + 1), 1);
	expect(fixture, " has expired on ");
	expect(fixture, ": every connection that needs it is refused; replace it");
}

static void
what_has_not_begun_is_told(void **state)
{
	struct fixture *fixture = *state;

	add_list(fixture, 10);
	set(fixture, ONE "crl = list.pem\n");
	assert_int_equal(tell(fixture, fixture->start - 1), 2); /* the certificate, and the list */
	expect(fixture, "service o: crl: \"/test/list.pem\": the revocation list of ");
	expect(fixture, ": every connection that needs it is refused; is the clock right?");
	assert_int_equal(tell(fixture, fixture->start - 1), 0);
	set(fixture, ONE "crl = list.pem\n");
	assert_int_equal(tell(fixture, fixture->start - 1), 2);
	assert_int_equal(tell(fixture, fixture->start), 0);
}

static void
what_has_expired_is_told_again_by_a_reload(void **state)
{
	struct fixture *fixture = *state;

	set(fixture, ONE);
	assert_int_equal(tell(fixture, fixture->until + 1), 1);
	assert_int_equal(tell(fixture, fixture->until + 1), 0);
	set(fixture, ONE);
	assert_int_equal(tell(fixture, fixture->until + 1), 1);
	expect(fixture, "has expired on ");
}

/* Add a response that is good from SAMPLES_TIME on for a week. */
static void
add_staple(struct fixture *fixture)
{
	gnutls_datum_t der = samples_get("ocsp_good");

	assert_int_equal(
		files_add(&fixture->files, "/test/staple", der.data, der.size, &fixture->diag), 0);
	gnutls_free(der.data);
}

static void
a_staple_is_told_in_the_second_half_of_its_life(void **state)
{
	struct fixture *fixture = *state;
	const time_t start = SAMPLES_TIME, end = SAMPLES_TIME + 7 * DAY;

	files_release(&fixture->files);
	add_staple(fixture);
	set(fixture, ONE "ocsp-response = staple\n");
	assert_int_equal(fixture->expiry.count, 1);
	assert_int_equal(tell(fixture, start - OCSP_SKEW), 0);
	assert_int_equal(tell(fixture, end - DAY), 0);
	assert_int_equal(tell(fixture, end - DAY + 1), 1);
	expect(fixture,
		"service o: ocsp-response: \"/test/staple\": OCSP response 1 expires in less "
		"than a day, on 2026-01-08 00:00:00 UTC: replace it");
	assert_int_equal(tell(fixture, end), 0);
	assert_int_equal(tell(fixture, end + 1), 1);
	expect(fixture,
		"OCSP response 1 has expired on 2026-01-08 00:00:00 UTC: it is not stapled; "
		"replace it");
	set(fixture, ONE "ocsp-response = staple\n");
	assert_int_equal(tell(fixture, start - OCSP_SKEW - 1), 1);
	expect(fixture, "is not valid before 2026-01-01 00:00:00 UTC: it is not stapled; is the");
}

static void
the_next_look_is_when_the_first_thing_expires(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(expiry_wait(&fixture->expiry, fixture->start), 0);
	set(fixture, ONE);
	assert_int_equal(expiry_wait(&fixture->expiry, fixture->start), EXPIRY_INTERVAL);
	assert_int_equal(
		expiry_wait(&fixture->expiry, fixture->until - EXPIRY_INTERVAL), EXPIRY_INTERVAL);
	assert_int_equal(expiry_wait(&fixture->expiry, fixture->until - 5), 6);
	assert_int_equal(expiry_wait(&fixture->expiry, fixture->until), 1);
	assert_int_equal(expiry_wait(&fixture->expiry, fixture->until + 1), EXPIRY_INTERVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_stage_is_told_once_when_it_is_reached),
		TEST(of_several_stages_only_the_last_is_told),
		TEST(the_words_name_service_option_file_and_date),
		TEST(a_certificate_that_two_services_use_is_told_once),
		TEST(a_reload_repeats_nothing_and_forgets_what_is_not_used),
		TEST(intermediates_count_and_anchors_do_not),
		TEST(a_revocation_list_is_told_in_the_second_half_of_its_life),
		TEST(what_has_not_begun_is_told),
		TEST(what_has_expired_is_told_again_by_a_reload),
		TEST(a_staple_is_told_in_the_second_half_of_its_life),
		TEST(the_next_look_is_when_the_first_thing_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
