/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/abstract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/encounter.h"
#include "tests/unit/identities.h"
#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/verified.h"

static void
who_is_trusted_passes_and_is_known(void **state)
{
	(void)state;
	encounter_make(good_pair, good_pair, "localhost");
	encounter_shake_hands();
	for (int end = 0; end < ENDS; end++) {
		assert_int_equal(encounter.results[end], 0);
		assert_true(encounter.judgements[end].judged);
		assert_true(encounter_ask(end));
		assert_string_equal(encounter.judgements[end].identity, "dns:localhost CN=leaf");
	}
}

static void
a_compressed_certificate_is_not_even_inflated(void **state)
{
	const unsigned packet = GNUTLS_HANDSHAKE_COMPRESSED_CERTIFICATE_PKT;
	const gnutls_datum_t message = {0};

	(void)state;
	encounter_make(good_pair, good_pair, "localhost");
	for (int end = 0; end < ENDS; end++) {
		gnutls_session_t session = encounter.sessions[end];

		assert_int_equal(authorise_hook(session, packet, GNUTLS_HOOK_PRE, 0, &message), 0);
		assert_int_equal(authorise_hook(session, packet, GNUTLS_HOOK_PRE, 1, &message),
			GNUTLS_E_CERTIFICATE_ERROR);
		encounter_assert_refused(end, GNUTLS_A_UNEXPECTED_MESSAGE,
			"a compressed certificate came, which nobody offered to take");
	}
}

/* Set the extended key usage of @pair to the one purpose id-kp @purpose (RFC 5280 section 4.2.1.12). */
static void
set_purpose(struct pki_pair *pair, const struct pki_pair *issuer, unsigned char purpose)
{
	const unsigned char usage[] = {0x30, 10, 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, purpose};

	assert_int_equal(gnutls_x509_crt_set_extension_by_oid(
				 pair->crt, "2.5.29.37", usage, sizeof(usage), 0),
		0);
	assert_int_equal(
		gnutls_x509_crt_sign2(pair->crt, issuer->crt, issuer->key, GNUTLS_DIG_UNKNOWN, 0),
		0);
}

enum { FOR_SERVERS = 1, FOR_CLIENTS = 2 };

/* Both ends get to see a certificate of these properties. */
struct flaw {
	const char *host;
	const struct pki_pair *issuer;
	int from, until;	      /* days */
	unsigned char purposes[ENDS]; /* of the certificate that each end is shown; 0: both */
	bool name_only;		      /* an accepting end looks at no name */
	gnutls_alert_description_t alert;
	const char *words;
};

static const struct flaw flaws[] = {
	{"localhost", &stranger, -1, 1, {0, 0}, false, GNUTLS_A_UNKNOWN_CA,
		"the certificate authority is not known"},
	{"localhost", &good, -1, 1, {0, 0}, false, GNUTLS_A_UNKNOWN_CA,
		"the certificate authority is not known"},
	{"localhost", &authority, -3, -1, {0, 0}, false, GNUTLS_A_CERTIFICATE_EXPIRED,
		"the certificate has expired"},
	{"localhost", &authority, 1, 3, {0, 0}, false, GNUTLS_A_CERTIFICATE_EXPIRED,
		"the certificate is not valid yet"},
	{"localhost", &authority, -1, 1, {FOR_CLIENTS, FOR_SERVERS}, false,
		GNUTLS_A_UNSUPPORTED_CERTIFICATE, "the certificate is not meant for this purpose"},
	{"other.example.net", &authority, -1, 1, {0, 0}, true, GNUTLS_A_BAD_CERTIFICATE,
		"the certificate is not for the expected name"},
	{"127.0.0.1", &authority, -1, 1, {0, 0}, true, GNUTLS_A_BAD_CERTIFICATE,
		"the certificate is not for the expected name"},
};

/* Let @judge see a certificate with @flaw in a handshake of @version. */
static void
show(const struct flaw *flaw, int judge, const char *version)
{
	struct pki_pair bad;
	char options[128];

	(void)encounter_setup(NULL);
	identities_make_leaf(&bad, flaw->issuer, flaw->host, flaw->from, flaw->until);
	if (flaw->purposes[judge])
		set_purpose(&bad, flaw->issuer, flaw->purposes[judge]);
	identities_add(&encounter.files, "bad", &bad);
	pki_pair_release(&bad);
	(void)snprintf(options, sizeof(options), "%stls-max-version = %s\n",
		judge == CLIENT ? good_pair : bad_pair, version);
	encounter_make(options, judge == CLIENT ? bad_pair : good_pair, "localhost");
	encounter_shake_hands();
}

static void
every_flaw_has_its_words_and_its_alert(void **state)
{
	static const char *const versions[] = {"1.2", "1.3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flaws) * ENDS * 2; i++) {
		const struct flaw *flaw = &flaws[i / 4];
		int judge = (int)(i / 2 % 2);

		show(flaw, judge, versions[i % 2]);
		if (flaw->name_only && judge == SERVER) {
			assert_true(encounter_ask(judge));
		} else {
			assert_int_equal(encounter.results[judge], GNUTLS_E_CERTIFICATE_ERROR);
			encounter_assert_refused(judge, flaw->alert, flaw->words);
		}
		assert_non_null(encounter.judgements[judge].identity);
		(void)encounter_teardown(NULL);
	}
}

static void
a_purpose_that_fits_is_good(void **state)
{
	static const struct flaw none = {
		"localhost", &authority, -1, 1, {FOR_SERVERS, FOR_CLIENTS}, false, 0, NULL};

	(void)state;
	for (int judge = 0; judge < ENDS; judge++) {
		show(&none, judge, "1.3");
		assert_int_equal(encounter.results[judge], 0);
		assert_true(encounter_ask(judge));
		(void)encounter_teardown(NULL);
	}
}

static void
a_chain_below_the_profile_is_too_weak(void **state)
{
	char options[128];

	(void)state;
	(void)snprintf(
		options, sizeof(options), "%spriority = NORMAL:%%PROFILE_ULTRA\n", good_pair);
	encounter_make(good_pair, options, "localhost");
	encounter_shake_hands();
	encounter_assert_refused(SERVER, GNUTLS_A_BAD_CERTIFICATE,
		"a key or a signature in the certificate chain is too weak");
}

static void
an_address_must_be_in_the_certificate_as_an_address(void **state)
{
	static const struct {
		const char *certified, *expected;
		bool passes;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8:0::1", true},
		{"2001:db8::1", "2001:db8::2", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pki_pair pair;

		(void)encounter_setup(NULL);
		identities_make_leaf(&pair, &authority, rows[i].certified, -1, 1);
		identities_add(&encounter.files, "bad", &pair);
		pki_pair_release(&pair);
		encounter_make(good_pair, bad_pair, rows[i].expected);
		encounter_shake_hands();
		assert_int_equal(encounter_ask(CLIENT), rows[i].passes);
		(void)encounter_teardown(NULL);
	}
}

static void
a_client_without_a_certificate_is_refused_with_the_alert_of_the_version(void **state)
{
	(void)state;
	encounter_make("cert = none\n", good_pair, "localhost");
	encounter_shake_hands();
	encounter_assert_refused(
		SERVER, GNUTLS_A_CERTIFICATE_REQUIRED, "the peer showed no certificate");
	assert_null(encounter.judgements[SERVER].identity);
	(void)encounter_teardown(NULL);
	(void)encounter_setup(NULL);
	encounter_make("cert = none\ntls-max-version = 1.2\n", good_pair, "localhost");
	encounter_shake_hands();
	encounter_assert_refused(
		SERVER, GNUTLS_A_HANDSHAKE_FAILURE, "the peer showed no certificate");
}

static void
an_optional_certificate_may_be_absent_but_not_bad(void **state)
{
	static const struct flaw *const stranger_flaw = &flaws[0];
	struct pki_pair bad;
	char options[128];

	(void)state;
	(void)snprintf(options, sizeof(options), "%sverify = optional\n", good_pair);
	encounter_make("cert = none\n", options, "localhost");
	encounter_shake_hands();
	assert_int_equal(encounter.results[SERVER], 0);
	assert_true(encounter_ask(SERVER));
	assert_null(encounter.judgements[SERVER].identity);
	(void)encounter_teardown(NULL);
	(void)encounter_setup(NULL);
	identities_make_leaf(&bad, &stranger, "localhost", -1, 1);
	identities_add(&encounter.files, "bad", &bad);
	pki_pair_release(&bad);
	encounter_make(bad_pair, options, "localhost");
	encounter_shake_hands();
	encounter_assert_refused(SERVER, stranger_flaw->alert, stranger_flaw->words);
}

static void
without_verification_anybody_passes_and_is_called_unverified(void **state)
{
	struct pki_pair bad;
	char client[128], server[128];

	(void)state;
	(void)snprintf(client, sizeof(client), "%sverify = no\npeer-name = none\n", good_pair);
	(void)snprintf(server, sizeof(server), "%sverify = no\n", bad_pair);
	identities_make_leaf(&bad, &stranger, "other.example.net", -3, -1);
	identities_add(&encounter.files, "bad", &bad);
	pki_pair_release(&bad);
	encounter_make(client, server, NULL);
	encounter_shake_hands();
	assert_true(encounter_ask(CLIENT));
	assert_string_equal(
		encounter.judgements[CLIENT].identity, "unverified dns:other.example.net CN=leaf");
	assert_true(encounter_ask(SERVER));
	assert_null(encounter.judgements[SERVER].identity);
}

static void
a_server_that_showed_nothing_never_passes(void **state)
{
	char client[128];

	(void)state;
	(void)snprintf(client, sizeof(client), "%sverify = no\npeer-name = none\n", good_pair);
	encounter_make(client, good_pair, NULL);
	encounter_assert_refused(
		CLIENT, GNUTLS_A_CERTIFICATE_REQUIRED, "the peer showed no certificate");
}

static void
what_was_judged_once_stays(void **state)
{
	(void)state;
	encounter_make(good_pair, good_pair, "localhost");
	encounter_shake_hands();
	encounter.judgements[CLIENT].name = "other.example.net";
	assert_true(encounter_ask(CLIENT));
	encounter.judgements[SERVER].authorised = false;
	assert_false(encounter_ask(SERVER));
}

/* Let the server show its certificate @count times over. */
static void
show_copies(unsigned count)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_pcert_st *chain = calloc(count, sizeof(*chain));
	gnutls_privkey_t key;
	gnutls_x509_crt_t crt;
	const struct file *file = files_find(&encounter.files, "/test/good.crt");
	const gnutls_datum_t pem = {.data = file->data, .size = (unsigned)file->size};

	assert_non_null(chain);
	encounter_make(good_pair, good_pair, "localhost");
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(gnutls_pcert_import_x509(&chain[i], crt, 0), 0);
	gnutls_x509_crt_deinit(crt);
	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_import_x509(key, good.key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
	assert_int_equal(
		gnutls_certificate_set_key(credentials, NULL, 0, chain, (int)count, key), 0);
	assert_int_equal(gnutls_credentials_set(
				 encounter.sessions[SERVER], GNUTLS_CRD_CERTIFICATE, credentials),
		0);
	encounter_shake_hands();
	gnutls_deinit(encounter.sessions[SERVER]);
	encounter.sessions[SERVER] = NULL;
	gnutls_certificate_free_credentials(credentials);
	free(chain);
}

static void
sixteen_certificates_are_judged_and_more_are_refused(void **state)
{
	(void)state;
	show_copies(16);
	assert_true(encounter_ask(CLIENT));
	(void)encounter_teardown(NULL);
	(void)encounter_setup(NULL);
	show_copies(17);
	encounter_assert_refused(
		CLIENT, GNUTLS_A_BAD_CERTIFICATE, "the certificate chain cannot be parsed");
	assert_null(encounter.judgements[CLIENT].identity);
}

static void
what_does_not_verify_is_not_remembered(void **state)
{
	const gnutls_datum_t *certificates;
	struct verified_key key;
	unsigned count;

	(void)state;
	show(&flaws[0], SERVER, "1.3");
	certificates = gnutls_certificate_get_peers(encounter.sessions[SERVER], &count);
	assert_non_null(certificates);
	key = verified_key_of(certificates, count, NULL);
	assert_null(verified_recall(
		encounter.judgements[SERVER].credentials->verified, &key, time(NULL)));
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, encounter_setup, encounter_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_trusted_passes_and_is_known),
		TEST(a_compressed_certificate_is_not_even_inflated),
		cmocka_unit_test(every_flaw_has_its_words_and_its_alert),
		cmocka_unit_test(a_purpose_that_fits_is_good),
		TEST(a_chain_below_the_profile_is_too_weak),
		cmocka_unit_test(an_address_must_be_in_the_certificate_as_an_address),
		TEST(a_client_without_a_certificate_is_refused_with_the_alert_of_the_version),
		TEST(an_optional_certificate_may_be_absent_but_not_bad),
		TEST(without_verification_anybody_passes_and_is_called_unverified),
		TEST(a_server_that_showed_nothing_never_passes),
		TEST(what_was_judged_once_stays),
		TEST(sixteen_certificates_are_judged_and_more_are_refused),
		TEST(what_does_not_verify_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, encounter_begin, encounter_end);
}
