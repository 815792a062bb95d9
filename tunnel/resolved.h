/* SPDX-License-Identifier: MIT */
/*
 * resolved.h - a configuration together with the assignments that its values came from.
 *
 * This is what a struct config is part of; those who print it, blame it or read its files need to know
 * who said what. For each service and option one assignment is picked, the first of: the section with
 * the prefix of the side, the section, the program with the prefix, the program. Then the default.
 */
#ifndef TUNNEL_RESOLVED_H
#define TUNNEL_RESOLVED_H

#include <stdatomic.h>

#include "common/arena.h"
#include "common/defs.h"
#include "tunnel/config.h"
#include "tunnel/statements.h"

/* Where the values of a service came from. NULL: the default. */
struct picks {
	const struct scope *scope;
	struct assignment *picked[OPTIONS_LIMIT][SIDES]; /* options without sides: [SIDE_ACCEPT] */
};

struct resolved {
	struct config config;
	atomic_uint references;
	struct arena arena;
	struct statements statements;
	struct assignment *picked[OPTIONS_LIMIT]; /* the program's options */
	struct service_config *services;
	struct picks *picks; /* one for each of @services */
};

/* The struct that @config is part of. */
static inline const struct resolved *
resolved_of(const struct config *config)
{
	const void *start = (const char *)config - offsetof(struct resolved, config);

	return start;
}

/*
 * Pick and store the values of everything in the statements of @resolved, and mark the assignments that
 * are used. A service whose mode is not known is left out, with a complaint.
 */
void resolved_build(struct resolved *resolved, struct complaints *complaints);

/* Get the assignment that was picked for the option called @name. NULL: the default. */
struct assignment *picks_get(const struct picks *picks, const char *name, enum side side);

/* Was a value for @name picked that was complained about? */
bool picks_are_spoilt(const struct picks *picks, const char *name, enum side side);

#endif
