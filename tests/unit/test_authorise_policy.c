/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/text.h"
#include "tests/unit/encounter.h"
#include "tests/unit/identities.h"
#include "tunnel/acquaintance.h"
#include "tunnel/authorise.h"
#include "tunnel/certificate.h"
#include "tunnel/chain.h"
#include "tunnel/credentials.h"
#include "tunnel/trust.h"
#include "tunnel/verified.h"

/* Both ends show the good certificate; @judge has @options more. What did it decide? */
static bool
judge_good(int judge, const char *options)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s%s", good_pair, options);
	encounter_make(judge == CLIENT ? text : good_pair, judge == SERVER ? text : good_pair,
		"localhost");
	encounter_shake_hands();
	return encounter_ask(judge);
}

static void
rules_decide_in_both_roles(void **state)
{
	static const struct {
		const char *options;
		const char *words; /* NULL: it passes */
		const char *rule;
	} rows[] = {
		{"allow = dns:localhost\n", NULL, NULL},
		{"allow = cn:leaf, dns:localhost\n", NULL, NULL},
		{"allow = cn:other\nallow = cn:leaf\n", NULL, NULL},
		{"allow = cn:other\n", "no rule allows it", NULL},
		{"allow = cn:leaf, dns:other\n", "no rule allows it", NULL},
		{"deny = cn:other\n", NULL, NULL},
		{"allow = cn:leaf\ndeny = dns:localhost\n", "a rule denies it", "dns:localhost"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * ENDS; i++) {
		int judge = (int)(i % ENDS);

		(void)encounter_setup(NULL);
		assert_int_equal(judge_good(judge, rows[i / ENDS].options), !rows[i / ENDS].words);
		if (rows[i / ENDS].words)
			encounter_assert_refused(
				judge, GNUTLS_A_ACCESS_DENIED, rows[i / ENDS].words);
		if (rows[i / ENDS].rule)
			assert_string_equal(encounter.judgements[judge].rule, rows[i / ENDS].rule);
		(void)encounter_teardown(NULL);
	}
}

static void
the_chain_is_judged_before_the_rules(void **state)
{
	struct pki_pair bad;
	char options[128];

	(void)state;
	identities_make_leaf(&bad, &stranger, "localhost", -1, 1);
	identities_add(&encounter.files, "bad", &bad);
	pki_pair_release(&bad);
	(void)snprintf(options, sizeof(options), "%sallow = cn:other\n", good_pair);
	encounter_make(bad_pair, options, "localhost");
	encounter_shake_hands();
	encounter_assert_refused(
		SERVER, GNUTLS_A_UNKNOWN_CA, "the certificate authority is not known");
}

/* The line that pins the key of @pair. */
static const char *
pin_line(const struct pki_pair *pair, char *array, size_t size)
{
	struct text text;

	text_init(&text, array, size);
	text_add(&text, "pin = ");
	assert_int_equal(certificate_pin(pair->crt, &text), 0);
	text_add(&text, "\n");
	return array;
}

static void
a_pin_is_wanted_beside_the_chain(void **state)
{
	char line[128];

	(void)state;
	for (int judge = 0; judge < ENDS; judge++) {
		(void)encounter_setup(NULL);
		assert_true(judge_good(judge, pin_line(&good, line, sizeof(line))));
		(void)encounter_teardown(NULL);
		(void)encounter_setup(NULL);
		assert_false(judge_good(judge, pin_line(&stranger, line, sizeof(line))));
		encounter_assert_refused(judge, GNUTLS_A_CERTIFICATE_UNKNOWN,
			"its key is none of those that are pinned");
		(void)encounter_teardown(NULL);
	}
}

/* Both ends have no authority but pins; @judge sees a certificate of a stranger, valid in these days. */
static bool
judge_by_pin(int judge, int from, int until, bool pinned)
{
	struct pki_pair bad;
	char pins[ENDS][128], options[ENDS][256];

	identities_make_leaf(&bad, &stranger, "elsewhere.example.net", from, until);
	identities_add(&encounter.files, "bad", &bad);
	for (int end = 0; end < ENDS; end++) {
		const struct pki_pair *peer = end == judge && pinned ? &bad : &good;

		(void)snprintf(options[end], sizeof(options[end]), "%sca = none\n%s",
			end == judge ? good_pair : bad_pair,
			pin_line(peer, pins[end], sizeof(pins[end])));
	}
	pki_pair_release(&bad);
	encounter_make(options[CLIENT], options[SERVER], "localhost");
	encounter_shake_hands();
	return encounter_ask(judge);
}

static void
a_pin_without_an_authority_replaces_chain_and_name_but_not_dates(void **state)
{
	(void)state;
	for (int judge = 0; judge < ENDS; judge++) {
		(void)encounter_setup(NULL);
		assert_true(judge_by_pin(judge, -1, 1, true));
		(void)encounter_teardown(NULL);
		(void)encounter_setup(NULL);
		assert_false(judge_by_pin(judge, -1, 1, false));
		encounter_assert_refused(judge, GNUTLS_A_CERTIFICATE_UNKNOWN,
			"its key is none of those that are pinned");
		(void)encounter_teardown(NULL);
		(void)encounter_setup(NULL);
		assert_false(judge_by_pin(judge, -3, -1, true));
		encounter_assert_refused(
			judge, GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate has expired");
		(void)encounter_teardown(NULL);
		(void)encounter_setup(NULL);
		assert_false(judge_by_pin(judge, 1, 3, true));
		encounter_assert_refused(
			judge, GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate is not valid yet");
		(void)encounter_teardown(NULL);
	}
}

static void
what_verified_is_remembered_by_its_own_credentials(void **state)
{
	const struct credentials *credentials;
	struct verified_key key;
	const gnutls_datum_t *certificates;
	unsigned count;

	(void)state;
	assert_true(judge_good(CLIENT, ""));
	credentials = encounter.judgements[CLIENT].credentials;
	certificates = gnutls_certificate_get_peers(encounter.sessions[CLIENT], &count);
	key = verified_key_of(certificates, count, "localhost");
	struct acquaintance *known = verified_recall(credentials->verified, &key, time(NULL));
	assert_non_null(known);
	assert_string_equal(known->identity, "dns:localhost CN=leaf");
	acquaintance_unref(known);
	key = verified_key_of(certificates, count, "other");
	assert_null(verified_recall(credentials->verified, &key, time(NULL)));
}

static void
what_is_remembered_is_not_verified_again(void **state)
{
	struct verified *verified;
	struct verified_key key;
	struct pki_pair bad;
	gnutls_datum_t der;

	(void)state;
	identities_make_leaf(&bad, &stranger, "localhost", -1, 1);
	identities_add(&encounter.files, "bad", &bad);
	encounter_make(good_pair, bad_pair, "localhost");
	verified = encounter.judgements[CLIENT].credentials->verified;
	assert_int_equal(gnutls_x509_crt_export2(bad.crt, GNUTLS_X509_FMT_DER, &der), 0);
	key = verified_key_of(&der, 1, "localhost");

	const struct chain chain = {.crts = {bad.crt}, .count = 1};
	struct acquaintance *acquaintance = acquaintance_new(&chain);
	verified_add(verified, &key, acquaintance, time(NULL), time(NULL) + 60);
	acquaintance_unref(acquaintance);
	encounter_shake_hands();
	assert_true(encounter_ask(CLIENT));
	gnutls_free(der.data);
	pki_pair_release(&bad);
}

/* Judge the peer of @end a second time. */
static bool
judge_again(int end)
{
	struct judgement *judgement = &encounter.judgements[end];

	free(judgement->identity);
	judgement->identity = NULL;
	judgement->judged = judgement->authorised = false;
	return encounter_ask(end);
}

/* Take the authority from those that @end trusts. */
static void
distrust(int end)
{
	struct trust *trust = encounter.judgements[end].credentials->trust;

	gnutls_x509_trust_list_deinit(trust->list, 0);
	assert_int_equal(gnutls_x509_trust_list_init(&trust->list, 0), 0);
}

/* In the program an authority goes with a reload only; here it shows who verifies and who remembers. */
static void
a_chain_is_verified_anew_where_nothing_is_remembered(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * ENDS; i++) {
		int judge = i % ENDS;
		bool remembers = i < ENDS;

		(void)encounter_setup(NULL);
		assert_true(judge_good(judge, remembers ? "" : "remember-chains = no\n"));
		assert_true(judge_again(judge));
		distrust(judge);
		if (remembers) {
			assert_true(judge_again(judge));
		} else {
			assert_false(judge_again(judge));
			encounter_assert_refused(judge, GNUTLS_A_UNKNOWN_CA,
				"the certificate authority is not known");
		}
		(void)encounter_teardown(NULL);
	}
}

static void
who_says_more_than_can_be_judged_is_refused(void **state)
{
	static struct pki_name names[PEER_FACTS_LIMIT + 1];
	const struct pki_pair_plan plan = {
		.common_name = "leaf",
		.from = time(NULL) - 60,
		.until = time(NULL) + 60,
		.names = names,
		.name_count = ARRAY_SIZE(names),
	};
	struct pki_pair talker;
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(pki_name_parse(&names[i], PKI_NAME_DNS, "a.test", &diag), 0);
	assert_int_equal(pki_pair_make_leaf(&talker, &plan, &authority, &diag), 0);
	identities_add(&encounter.files, "bad", &talker);
	pki_pair_release(&talker);
	encounter_make(bad_pair, good_pair, "localhost");
	encounter_shake_hands();
	encounter_assert_refused(
		SERVER, GNUTLS_A_BAD_CERTIFICATE, "the certificate says more than can be judged");
}

static void
nobody_gets_a_ticket_before_the_decision(void **state)
{
	static const char client[] =
		"cert = none\npsk = psk\npsk-identity = anna\ntls-max-version = 1.2\n";
	char options[128];

	(void)state;
	for (int allowed = 0; allowed < 2; allowed++) {
		(void)encounter_setup(NULL);
		identities_add_text(
			&encounter.files, "psk", "anna:00112233445566778899aabbccddeeff\n");
		(void)snprintf(options, sizeof(options), "%spsk = psk\nallow = psk:%s\n", good_pair,
			allowed ? "anna" : "bert");
		encounter_make(client, options, "localhost");
		encounter_shake_hands();
		assert_int_equal(encounter.results[SERVER],
			allowed ? GNUTLS_E_SUCCESS : GNUTLS_E_CERTIFICATE_ERROR);
		assert_int_equal((gnutls_session_get_flags(encounter.sessions[CLIENT]) &
					 GNUTLS_SFLAGS_SESSION_TICKET) != 0,
			allowed);
		(void)encounter_teardown(NULL);
	}
}

static void
the_clients_address_is_judged_where_it_is_known(void **state)
{
	struct address address;
	struct endpoint from;
	char options[128];
	struct diag diag;

	(void)state;
	for (int near = 0; near < 2; near++) {
		(void)encounter_setup(NULL);
		(void)snprintf(options, sizeof(options), "%sallow = from:10.0.0.0/8\n", good_pair);
		encounter_make(good_pair, options, "localhost");
		assert_int_equal(
			address_parse(&address, near ? "10.1.2.3:1" : "11.1.2.3:1", false, &diag),
			0);
		address_endpoint(&address, &from);
		encounter.judgements[SERVER].from = &from;
		encounter_shake_hands();
		assert_int_equal(encounter_ask(SERVER), near);
		(void)encounter_teardown(NULL);
	}
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, encounter_setup, encounter_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rules_decide_in_both_roles),
		TEST(the_chain_is_judged_before_the_rules),
		TEST(a_pin_is_wanted_beside_the_chain),
		TEST(a_pin_without_an_authority_replaces_chain_and_name_but_not_dates),
		TEST(what_verified_is_remembered_by_its_own_credentials),
		TEST(what_is_remembered_is_not_verified_again),
		cmocka_unit_test(a_chain_is_verified_anew_where_nothing_is_remembered),
		TEST(who_says_more_than_can_be_judged_is_refused),
		TEST(nobody_gets_a_ticket_before_the_decision),
		TEST(the_clients_address_is_judged_where_it_is_known),
	};

	return cmocka_run_group_tests(tests, encounter_begin, encounter_end);
}
