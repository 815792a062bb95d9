/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "tunnel/config.h"
#include "tunnel/pin.h"
#include "tunnel/policy.h"
#include "tunnel/rule.h"

/* SHA-256 of nothing, and the same as a pin is written. */
static const char pin_text[] = "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

static struct policy policy;

static int
teardown(void **state)
{
	(void)state;
	policy_release(&policy);
	return 0;
}

/* Texts up to the NULL. */
static struct texts
texts_of(const char *const *list)
{
	struct texts texts = {.list = list};

	while (list[texts.count])
		texts.count++;
	return texts;
}

static void
load(const char *const *allow, const char *const *deny, const char *const *pins)
{
	const struct tls_config config = {
		.allow = texts_of(allow), .deny = texts_of(deny), .pins = texts_of(pins)};
	const char *blamed;
	struct diag diag;

	policy_release(&policy);
	assert_int_equal(policy_load(&policy, &config, &blamed, &diag), 0);
}

static const char *const none[] = {NULL};
static const char *const both[] = {"cn:anna", "cn:bert", NULL};
static const char *const anna[] = {"cn:anna", NULL};
static const char *const a_pin[] = {pin_text, NULL};

/* Judge the peer whose common name is @cn by the rules. */
static struct verdict
judge(const char *cn, const char **rule)
{
	const struct fact fact = {
		.kind = FACT_CN, .bytes = (const uint8_t *)cn, .size = strlen(cn)};
	const struct facts facts = {.list = &fact, .count = 1};

	return policy_judge_rules(&policy, &facts, rule);
}

static void
without_rules_everybody_passes(void **state)
{
	const char *rule = "";

	(void)state;
	load(none, none, none);
	assert_true(judge("anna", &rule).good);
	assert_null(rule);
}

static void
with_allow_only_who_matches_passes(void **state)
{
	const char *rule = "";

	(void)state;
	load(both, none, none);
	assert_true(judge("anna", &rule).good);
	assert_true(judge("bert", &rule).good);

	struct verdict verdict = judge("carl", &rule);
	assert_false(verdict.good);
	assert_int_equal(verdict.alert, GNUTLS_A_ACCESS_DENIED);
	assert_string_equal(verdict.words, "no rule allows it");
	assert_null(rule);
}

static void
deny_wins_over_allow_and_is_named(void **state)
{
	const char *rule = NULL;

	(void)state;
	load(both, anna, none);
	struct verdict verdict = judge("anna", &rule);
	assert_false(verdict.good);
	assert_int_equal(verdict.alert, GNUTLS_A_ACCESS_DENIED);
	assert_string_equal(verdict.words, "a rule denies it");
	assert_string_equal(rule, "cn:anna");
	assert_true(judge("bert", &rule).good);
}

static void
with_deny_alone_all_others_pass(void **state)
{
	const char *rule;

	(void)state;
	load(none, both, none);
	assert_false(judge("anna", &rule).good);
	assert_false(judge("bert", &rule).good);
	assert_string_equal(rule, "cn:bert");
	assert_true(judge("carl", &rule).good);
}

static void
a_key_must_be_one_of_the_pins(void **state)
{
	struct pin pin;
	struct diag diag;
	struct fact fact = {.kind = FACT_PIN, .bytes = pin.bytes, .size = PIN_SIZE};
	const struct facts facts = {.list = &fact, .count = 1}, nothing = {.count = 0};

	(void)state;
	assert_int_equal(pin_parse(&pin, pin_text, &diag), 0);
	load(none, none, a_pin);
	assert_true(policy_judge_pins(&policy, &facts).good);
	pin.bytes[PIN_SIZE - 1] ^= 1;
	struct verdict verdict = policy_judge_pins(&policy, &facts);
	assert_false(verdict.good);
	assert_int_equal(verdict.alert, GNUTLS_A_CERTIFICATE_UNKNOWN);
	assert_false(policy_judge_pins(&policy, &nothing).good);
	load(none, none, none);
	assert_true(policy_judge_pins(&policy, &facts).good);
}

static void
what_cannot_be_loaded_is_blamed_on_its_option(void **state)
{
	static const char *const bad[] = {"cn:", NULL};
	static const char *const options[] = {"pin", "deny", "allow"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct tls_config config = {
			.pins = texts_of(i == 0 ? bad : none),
			.deny = texts_of(i == 1 ? bad : none),
			.allow = texts_of(i == 2 ? bad : none),
		};
		const char *blamed = "";
		struct diag diag;

		assert_int_equal(policy_load(&policy, &config, &blamed, &diag), -1);
		assert_string_equal(blamed, options[i]);
		policy_release(&policy);
	}
}

#define TEST(claim) cmocka_unit_test_teardown(claim, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_rules_everybody_passes),
		TEST(with_allow_only_who_matches_passes),
		TEST(deny_wins_over_allow_and_is_named),
		TEST(with_deny_alone_all_others_pass),
		TEST(a_key_must_be_one_of_the_pins),
		TEST(what_cannot_be_loaded_is_blamed_on_its_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
