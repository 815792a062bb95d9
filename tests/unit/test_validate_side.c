/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/resolving.h"
#include "tunnel/validate_side.h"

#define OFFLOAD "[o]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\n"
#define ENCRYPT "[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n"
#define BRIDGE	"[b]\nmode = bridge\naccept = *:1\nconnect = h:2\ncert = c\nca = a\n"
#define REST	"cert = c\nca = a\n"
#define PIN	"pin = sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

/* All that is complained about in the sides of the only service of @text. */
static const char *
complaints_about(const char *text)
{
	resolving_start("m", text);
	for (unsigned side = 0; side < SIDES; side++) {
		if (resolving.resolved.services[0].tls[side].used)
			validate_side(
				&resolving.resolved, 0, (enum side)side, &resolving.complaints);
	}
	return resolving_tell();
}

static void
assert_complaint(const char *text, const char *words)
{
	const char *told = complaints_about(text);

	if (!words[0] || !strstr(told, words))
		assert_string_equal(told, words);
}

static void
there_are_as_many_keys_as_certificates_or_none(void **state)
{
	static const char *const good[] = {"cert = c\ncert = d\n",
		"cert = c\nkey = k\ncert = d\nkey = l\n", "cert = c\nkey = k\n", "cert = none\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text), ENCRYPT "ca = a\n%s", good[i]);
		assert_complaint(text, "");
	}
	assert_complaint(ENCRYPT "ca = a\ncert = c\ncert = d\nkey = k\n",
		"m:8: service e: key: \"k\" begins a list of 1, but there are 2 in cert; write one "
		"key for each certificate in the same order, or none where every certificate's "
		"file has its key\n");
	assert_complaint(ENCRYPT "ca = a\ncert = c\nkey = k\nkey = l\n",
		"m:7: service e: key: \"k\" begins a list of 2, but there is 1 in cert; ");
	assert_complaint(ENCRYPT "ca = a\ncert = c\ncert = none\n",
		"m:7: service e: cert: \"none\" stands beside other certificates; remove it or "
		"them\n");
}

static void
a_key_on_a_token_needs_the_key_process(void **state)
{
	static const char words[] = " is on a token, whose keys are used by the key process only; "
				    "write key-process = auto or yes, or name a file\n";
	char expected[256];

	(void)state;
	assert_complaint(ENCRYPT REST "key = pkcs11:object=k\n", "");
	assert_complaint("key-process = yes\n" ENCRYPT REST "key = pkcs11:object=k\n", "");
	(void)snprintf(
		expected, sizeof(expected), "m:8: service e: key: \"pkcs11:object=k\"%s", words);
	assert_complaint("key-process = no\n" ENCRYPT REST "key = pkcs11:object=k\n", expected);
	(void)snprintf(
		expected, sizeof(expected), "m:7: service e: cert: \"pkcs11:object=c\"%s", words);
	assert_complaint("key-process = no\n" ENCRYPT "ca = a\ncert = pkcs11:object=c\n", expected);
	assert_complaint(
		"key-process = no\n" ENCRYPT "ca = a\ncert = pkcs11:object=c\nkey = k\n", "");
}

static void
without_a_ca_there_is_a_pin_or_a_psk(void **state)
{
	(void)state;
	assert_complaint(OFFLOAD "cert = c\nca = none\n",
		"m:6: service o: ca: \"none\" would leave nothing to verify the peer by, since "
		"there is neither pin nor psk; write one of them, or name a file, a directory or "
		"system\n");
	assert_complaint(OFFLOAD "cert = c\nca = none\n" PIN, "");
	assert_complaint(OFFLOAD "cert = c\nca = none\npsk = p\n", "");
	assert_complaint(OFFLOAD "cert = c\nca = none\nverify = no\n", "");
}

static void
a_server_without_a_certificate_has_a_psk(void **state)
{
	(void)state;
	assert_complaint(OFFLOAD "cert = none\nca = a\n",
		"m:5: service o: cert: \"none\" is not possible on the side that accepts, where a "
		"server needs a certificate or psk; name its file\n");
	assert_complaint(OFFLOAD "cert = none\npsk = p\n", "");
	assert_complaint(OFFLOAD "psk = p\n", "");
}

static void
public_authorities_vouch_for_clients_only_beside_allow(void **state)
{
	(void)state;
	assert_complaint(OFFLOAD "cert = c\nca = system\n",
		"m:6: service o: ca: \"system\" would let in everybody who has a certificate of "
		"any public authority; say with allow who may pass, or name a CA of your own\n");
	assert_complaint(OFFLOAD "cert = c\nca = system\nverify = optional\n", "\"system\" would ");
	assert_complaint(OFFLOAD "cert = c\nca = system\ndeny = cn:x\n", "\"system\" would ");
	assert_complaint(OFFLOAD "cert = c\nca = system\nallow = dns:x\n", "");
	assert_complaint(OFFLOAD "cert = c\nca = system\nverify = no\n", "");
	assert_complaint(ENCRYPT "cert = c\nca = system\n", "");
}

static void
an_optional_proof_is_for_clients_with_certificates(void **state)
{
	(void)state;
	assert_complaint(ENCRYPT REST "verify = optional\n",
		"m:7: service e: verify: \"optional\" is for the side that accepts, ");
	assert_complaint(OFFLOAD REST "verify = optional\npsk = p\n", "");
	assert_complaint(OFFLOAD "verify = optional\npsk = p\n",
		"m:5: service o: verify: \"optional\" would let everybody in, because the only "
		"proof is psk; write yes, or write cert and ca too\n");
}

static void
any_name_will_do_where_something_else_says_who_is_meant(void **state)
{
	(void)state;
	assert_complaint(ENCRYPT REST "peer-name = none\n",
		"m:7: service e: peer-name: \"none\" would trust every server that the CA vouches "
		"for; name the one that is meant, or say with allow or pin who may answer, or "
		"write verify = no\n");
	assert_complaint(ENCRYPT REST "peer-name = none\ndeny = cn:x\n", "\"none\" would trust ");
	assert_complaint(ENCRYPT REST "peer-name = none\nallow = uri:spiffe://x/y\n", "");
	assert_complaint(ENCRYPT REST "peer-name = none\n" PIN, "");
	assert_complaint(ENCRYPT REST "peer-name = none\nverify = no\n", "");
}

static void
a_unix_target_needs_a_name_only_where_names_are_looked_at(void **state)
{
	(void)state;
	assert_complaint(ENCRYPT REST "connect = unix:/x\n",
		"m:1: service e: peer-name: is missing, and the UNIX socket ");
	assert_complaint(ENCRYPT "connect = unix:/x\ncert = c\nca = none\n" PIN, "");
	assert_complaint(ENCRYPT "connect = unix:/x\npsk = p\npsk-identity = i\n", "");
}

static void
only_clients_have_an_address_to_ask_for(void **state)
{
	static const char words[] = " asks for the address of a client, which there is on the side "
				    "that accepts only; remove the condition from:\n";
	char expected[512];

	(void)state;
	assert_complaint(OFFLOAD REST "allow = cn:x, from:192.0.2.0/24\n", "");
	(void)snprintf(expected, sizeof(expected),
		"m:8: service e: allow: \"cn:x, from:192.0.2.0/24\"%s"
		"m:9: service e: deny: \"from:192.0.2.1\"%s",
		words, words);
	assert_complaint(ENCRYPT REST "allow = cn:y\nallow = cn:x, from:192.0.2.0/24\n"
				      "deny = from:192.0.2.1\n",
		expected);
	assert_complaint(BRIDGE "accept-deny = from:192.0.2.1\n", "");
	assert_complaint(BRIDGE "connect-deny = from:192.0.2.1\n",
		"m:7: service b: connect-deny: \"from:192.0.2.1\" asks for ");
}

static void
who_connects_says_which_key_is_its_own(void **state)
{
	(void)state;
	assert_complaint(ENCRYPT REST "psk = p\n",
		"m:1: service e: psk-identity: is missing; say which of the keys in psk this end "
		"has\n");
	assert_complaint(ENCRYPT REST "psk = p\npsk-identity = i\n", "");
	assert_complaint(OFFLOAD REST "psk = p\n", "");
}

#define TEST(claim) cmocka_unit_test_teardown(claim, resolving_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_are_as_many_keys_as_certificates_or_none),
		TEST(a_key_on_a_token_needs_the_key_process),
		TEST(without_a_ca_there_is_a_pin_or_a_psk),
		TEST(a_server_without_a_certificate_has_a_psk),
		TEST(public_authorities_vouch_for_clients_only_beside_allow),
		TEST(an_optional_proof_is_for_clients_with_certificates),
		TEST(any_name_will_do_where_something_else_says_who_is_meant),
		TEST(a_unix_target_needs_a_name_only_where_names_are_looked_at),
		TEST(only_clients_have_an_address_to_ask_for),
		TEST(who_connects_says_which_key_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
