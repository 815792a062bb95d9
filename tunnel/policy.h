/* SPDX-License-Identifier: MIT */
/*
 * policy.h - who may pass on one side, of those who have proved who they are: pins, `deny`, `allow`.
 */
#ifndef TUNNEL_POLICY_H
#define TUNNEL_POLICY_H

#include <stddef.h>

#include "common/defs.h"
#include "tunnel/verdict.h"

struct diag;
struct facts;
struct pin;
struct rule;
struct tls_config;

struct rules {
	struct rule **list;
	const char *const *texts; /* as written, of the configuration */
	size_t count;
};

/* Immutable once loaded. All zero lets everybody pass. */
struct policy {
	struct rules allow, deny;
	struct pin *pins;
	size_t pin_count;
};

/*
 * Make @policy, which is all zero, of @config, whose texts it borrows. Returns 0, or -1 with words and the
 * option to blame in @blamed; the caller releases @policy in either case.
 */
MUST_USE int policy_load(struct policy *policy, const struct tls_config *config,
	const char **blamed, struct diag *diag);

void policy_release(struct policy *policy);

/* Is the peer's key one of the pins? Good without pins. */
MUST_USE struct verdict policy_judge_pins(const struct policy *policy, const struct facts *facts);

/*
 * Does a rule of `deny` match, or none of `allow` where there are any? The text of the rule that decides
 * against the peer is stored in @rule, borrowed, or NULL.
 */
MUST_USE struct verdict policy_judge_rules(
	const struct policy *policy, const struct facts *facts, const char **rule);

#endif
