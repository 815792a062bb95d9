/* SPDX-License-Identifier: MIT */
#include "tunnel/policy.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/config.h"
#include "tunnel/pin.h"
#include "tunnel/rule.h"

static int
load_rules(struct rules *rules, const struct texts *texts, struct diag *diag)
{
	if (texts->count == 0)
		return 0;
	rules->texts = texts->list;
	rules->list = calloc(texts->count, sizeof(struct rule *));
	if (!rules->list)
		return diag_set(diag, "out of memory");
	while (rules->count < texts->count) {
		rules->list[rules->count] = rule_new(texts->list[rules->count], diag);
		if (!rules->list[rules->count])
			return -1;
		rules->count++;
	}
	return 0;
}

static void
release_rules(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		rule_free(rules->list[i]);
	free(rules->list);
	*rules = (struct rules){0};
}

static int
load_pins(struct policy *policy, const struct texts *texts, struct diag *diag)
{
	if (texts->count == 0)
		return 0;
	policy->pins = calloc(texts->count, sizeof(*policy->pins));
	if (!policy->pins)
		return diag_set(diag, "out of memory");
	while (policy->pin_count < texts->count) {
		if (pin_parse(
			    &policy->pins[policy->pin_count], texts->list[policy->pin_count], diag))
			return -1;
		policy->pin_count++;
	}
	return 0;
}

int
policy_load(struct policy *policy, const struct tls_config *config, const char **blamed,
	struct diag *diag)
{
	*blamed = "pin";
	if (load_pins(policy, &config->pins, diag))
		return -1;
	*blamed = "deny";
	if (load_rules(&policy->deny, &config->deny, diag))
		return -1;
	*blamed = "allow";
	return load_rules(&policy->allow, &config->allow, diag);
}

void
policy_release(struct policy *policy)
{
	release_rules(&policy->allow);
	release_rules(&policy->deny);
	free(policy->pins);
	policy->pins = NULL;
	policy->pin_count = 0;
}

static const struct fact *
key_of(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		if (facts->list[i].kind == FACT_PIN)
			return &facts->list[i];
	}
	return NULL;
}

struct verdict
policy_judge_pins(const struct policy *policy, const struct facts *facts)
{
	const struct fact *key = key_of(facts);

	for (size_t i = 0; key && i < policy->pin_count; i++) {
		if (key->size == PIN_SIZE &&
			memcmp(key->bytes, policy->pins[i].bytes, PIN_SIZE) == 0)
			return verdict_good;
	}
	return policy->pin_count == 0 ? verdict_good
				      : verdict_bad(GNUTLS_A_CERTIFICATE_UNKNOWN,
						"its key is none of those that are pinned");
}

/* The text of the first rule that matches. NULL: none does. */
static const char *
match(const struct rules *rules, const struct facts *facts)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (rule_matches(rules->list[i], facts))
			return rules->texts[i];
	}
	return NULL;
}

struct verdict
policy_judge_rules(const struct policy *policy, const struct facts *facts, const char **rule)
{
	*rule = match(&policy->deny, facts);
	if (*rule)
		return verdict_bad(GNUTLS_A_ACCESS_DENIED, "a rule denies it");
	if (policy->allow.count == 0 || match(&policy->allow, facts))
		return verdict_good;
	return verdict_bad(GNUTLS_A_ACCESS_DENIED, "no rule allows it");
}
