/* SPDX-License-Identifier: MIT */
/* By what peers prove themselves, and which options that leaves without an effect. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/resolving.h"
#include "tunnel/effect.h"
#include "tunnel/proof.h"

#define OFFLOAD "[o]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\n"
#define ENCRYPT "[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n"
#define PIN	"pin = sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void
what_is_picked_says_what_proves_a_peer(void **state)
{
	static const struct {
		const char *text;
		enum side side;
		bool is_asked, by_psk, by_chain, by_certificate, is_shown;
	} rows[] = {
		{OFFLOAD "cert = c\nca = a\n", SIDE_ACCEPT, true, false, true, true, true},
		{OFFLOAD "cert = c\nverify = no\n", SIDE_ACCEPT, false, false, true, true, true},
		{OFFLOAD "cert = c\nca = none\n" PIN, SIDE_ACCEPT, true, false, false, true, true},
		{OFFLOAD "cert = c\nca = none\n", SIDE_ACCEPT, true, false, true, true, true},
		{OFFLOAD "psk = p\n", SIDE_ACCEPT, true, true, false, false, false},
		{OFFLOAD "psk = p\ncert = c\n", SIDE_ACCEPT, true, true, false, false, true},
		{OFFLOAD "psk = p\nca = a\n", SIDE_ACCEPT, true, true, false, false, false},
		{OFFLOAD "psk = p\ncert = c\nca = a\n", SIDE_ACCEPT, true, true, true, true, true},
		{OFFLOAD "psk = p\ncert = c\nca = none\n" PIN, SIDE_ACCEPT, true, true, false, true,
			true},
		{OFFLOAD "psk = p\ncert = c\nca = none\n", SIDE_ACCEPT, true, true, false, false,
			true},
		{ENCRYPT "psk = p\n", SIDE_CONNECT, true, true, false, false, false},
		{ENCRYPT "psk = p\nca = a\n", SIDE_CONNECT, true, true, true, true, false},
		{ENCRYPT "cert = none\nca = a\n", SIDE_CONNECT, true, false, true, true, false},
		{ENCRYPT "psk = p\nverify = no\n", SIDE_CONNECT, false, false, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%s", rows[i].text);
		resolving_start("m", rows[i].text);
		const struct picks *picks = &resolving.resolved.picks[0];
		assert_int_equal(resolving.mistakes, 0);
		assert_int_equal(proof_is_asked(picks, rows[i].side), rows[i].is_asked);
		assert_int_equal(proof_by_psk(picks, rows[i].side), rows[i].by_psk);
		assert_int_equal(proof_by_chain(picks, rows[i].side), rows[i].by_chain);
		assert_int_equal(proof_by_certificate(picks, rows[i].side), rows[i].by_certificate);
		assert_int_equal(proof_is_shown(picks, rows[i].side), rows[i].is_shown);
	}
}

/* An option behind a section, and whether it counts there or what is said of it. */
struct row {
	const char *section, *line, *said;
};

static const char unverified[] = "has no effect with verify = no, which believes nothing of what a "
				 "peer says; remove one of both";
static const char chainless[] = "has no effect without a CA that vouches for the peer; remove it, "
				"or name one in ca";
static const char psk_only[] = "has no effect, because only pre-shared keys let in; remove it";

#define GOOD  OFFLOAD "cert = c\nca = a\n"
#define OPEN  OFFLOAD "cert = c\nverify = no\n"
#define PAIR  OFFLOAD "cert = c\nca = none\n" PIN
#define PSK   OFFLOAD "cert = c\npsk = p\n"
#define GOOD2 ENCRYPT "cert = none\nca = a\n"
#define OPEN2 ENCRYPT "cert = none\nverify = no\n"
#define PAIR2 ENCRYPT "cert = none\nca = none\n" PIN
#define PSK2  ENCRYPT "psk = p\npsk-identity = i\n"

static const struct row rows[] = {
	{GOOD, "allow = any", ""},
	{GOOD, "deny = cn:x", ""},
	{GOOD, PIN, ""},
	{GOOD, "crl = f", ""},
	{GOOD, "psk = f", ""},
	{GOOD, "remember-chains = no", ""},
	{GOOD2, "remember-chains = yes", ""},
	{OPEN, "remember-chains = no", unverified},
	{PAIR2, "remember-chains = no", chainless},
	{PSK, "remember-chains = no", chainless},
	{OPEN, "allow = any", unverified},
	{OPEN, "deny = cn:x", unverified},
	{OPEN, PIN, unverified},
	{OPEN, "crl = f", unverified},
	{OPEN, "psk = f", unverified},
	{OPEN, "ca = f", ""},
	{OPEN2, "ocsp = require", unverified},
	{OPEN2, "peer-name = n", ""},
	{GOOD2, "ocsp = off", ""},
	{PAIR, "crl = f", chainless},
	{PAIR2, "ocsp = check", chainless},
	{PAIR2, "peer-name = n", chainless},
	{PAIR2, "peer-name = none", chainless},
	{PAIR2, "server-name = n", ""},
	{PAIR, "allow = any", ""},
	{PAIR, "tickets = no", ""},
	{PSK, "allow = psk:i", ""},
	{PSK, "crl = f", chainless},
	{PSK, PIN,
		"has no effect without ca, because then only pre-shared keys let in; write ca, "
		"which can be none, or remove it"},
	{PSK, "tickets = yes", psk_only},
	{PSK, "ticket-lifetime = 1h", psk_only},
	{PSK, "ticket-keys = k", psk_only},
	{PSK2, "tickets = no", psk_only},
	{PSK2, "peer-name = n", chainless},
	{PSK2, "server-name = n", ""},
	{PSK2, "key-permissions = off", ""},
	{PSK2, "password-file = f", "has no effect without cert; remove it"},
	{OFFLOAD "psk = p\n", "ca = a",
		"has no effect without cert, because then only pre-shared keys let in; write "
		"cert, or remove it"},
	{OFFLOAD "psk = p\n", "ocsp-response = f", "has no effect without cert; remove it"},
	{OFFLOAD "psk = p\n", "key-permissions = off", ""},
	{OFFLOAD "psk = p\n", "key = k", "has no effect without cert; remove it"},
	{GOOD2, "password-file = f", "has no effect with cert = none; remove it"},
	{GOOD2, "psk-identity = i", "has no effect without psk; remove it"},
	{GOOD2, "key-permissions = off", "has no effect with cert = none; remove it"},
	{GOOD, "password-file = f", ""},
	{GOOD, "pin-source = f",
		"has no effect, because neither cert nor key is a pkcs11: URL; remove it"},
	{GOOD "key = pkcs11:object=k\n", "pin-source = f", ""},
	{OFFLOAD "ca = a\ncert = c\ncert = pkcs11:object=c\n", "pin-source = f", ""},
	{GOOD, "crl-missing = accept", "has no effect without crl; remove it"},
	{GOOD "crl = f\n", "crl-missing = accept", ""},
	{GOOD "tickets = no\n", "ticket-lifetime = 1h",
		"has no effect with tickets = no; remove it"},
	{GOOD "tickets = no\n", "ticket-keys = k", "has no effect with tickets = no; remove it"},
	{GOOD, "ticket-lifetime = 1h", ""},
	{GOOD2, "ticket-keys = k",
		"has no effect in mode encrypt, only in offload and bridge; remove it"},
	{GOOD2, "sni = x", "has no effect in mode encrypt, only in offload and bridge; remove it"},
	{GOOD, "ocsp = off",
		"has no effect in mode offload, only in encrypt and bridge; remove it"},
	{GOOD, "psk-identity = i",
		"has no effect in mode offload, only in encrypt and bridge; remove it"},
};

static void
an_option_without_what_it_is_about_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[512];

		print_message("%s%s\n", rows[i].section, rows[i].line);
		(void)snprintf(text, sizeof(text), "%s%s\n", rows[i].section, rows[i].line);
		resolving_start("m", text);
		assert_int_equal(resolving.mistakes, 0);
		effect_complain(&resolving.resolved, &resolving.complaints);
		const char *told = resolving_tell();
		if (rows[i].said[0]) {
			assert_non_null(strstr(told, rows[i].said));
		} else {
			assert_string_equal(told, "");
		}
	}
}

static void
a_default_without_an_effect_in_one_service_is_dropped_there_alone(void **state)
{
	(void)state;
	resolving_start("m", "crl = f\ncrl-missing = accept\nallow = any\npsk = p\n" OPEN GOOD2);
	effect_complain(&resolving.resolved, &resolving.complaints);
	assert_string_equal(resolving_tell(), "");
	const struct tls_config *open = &resolving.resolved.services[0].tls[SIDE_ACCEPT];
	const struct tls_config *good = &resolving.resolved.services[1].tls[SIDE_CONNECT];
	assert_null(open->crl);
	assert_null(open->psk);
	assert_int_equal(open->crl_missing, CRL_MISSING_REFUSE);
	assert_int_equal(open->allow.count, 0);
	assert_string_equal(good->crl, "f");
	assert_int_equal(good->crl_missing, CRL_MISSING_ACCEPT);
	assert_int_equal(good->allow.count, 1);
}

#define TEST(claim) cmocka_unit_test_teardown(claim, resolving_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_picked_says_what_proves_a_peer),
		TEST(an_option_without_what_it_is_about_is_told),
		TEST(a_default_without_an_effect_in_one_service_is_dropped_there_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
