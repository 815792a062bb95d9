/* SPDX-License-Identifier: MIT */
/*
 * effect.h - which options have an effect in a service, and complaints about those that have none.
 */
#ifndef TUNNEL_EFFECT_H
#define TUNNEL_EFFECT_H

#include "common/defs.h"
#include "tunnel/config.h"

struct complaints;
struct diag;
struct option;
struct picks;
struct resolved;

/*
 * Can @option have an effect in a service of this mode, on @side if it is of a side? Returns 0, or -1 with
 * words that go behind the quoted value.
 */
MUST_USE int effect_check_place(const struct service_config *service, const struct option *option,
	enum side side, struct diag *why);

/*
 * Has it one beside what else was picked? All options that can must have been picked, and the addresses to
 * accept on stored. As effect_check_place().
 */
MUST_USE int effect_check(const struct service_config *service, const struct picks *picks,
	const struct option *option, enum side side, struct diag *why);

/* Complain about every assignment in @resolved that nothing takes its value from. */
void effect_complain(const struct resolved *resolved, struct complaints *complaints);

#endif
