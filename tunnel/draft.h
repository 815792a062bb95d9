/* SPDX-License-Identifier: MIT */
/*
 * draft.h - a configuration as main has read it from its origin: judged, with the files it names.
 *
 * Nothing is bound or created by it; `sallyport check` goes no further, and serve gets what is in it.
 */
#ifndef TUNNEL_DRAFT_H
#define TUNNEL_DRAFT_H

#include <stdbool.h>
#include <stdio.h>

#include "common/defs.h"
#include "common/process.h"
#include "tunnel/generation.h"
#include "tunnel/keyring.h"

struct config;
struct origin;
struct service_config;
struct socket_options;

/* All zero is empty. */
struct draft {
	struct config *config;
	struct generation generation; /* texts, files and listeners, for one worker so far */
	struct keyring keyring;	      /* the keys that the key process gets, and serve does not */
	struct process_user user;     /* whom serve runs as ... */
	bool changes_user;	      /* ... and whether that is somebody else than main */
};

/*
 * Read everything from @origin into @draft, which is empty. Every error is written to @errors, a line
 * each. Returns 0, or -1 if there was any, @draft then empty.
 */
MUST_USE int draft_read(struct draft *draft, const struct origin *origin, FILE *errors);

/* Release everything, wiping what is secret. */
void draft_release(struct draft *draft);

/* What the UNIX listeners of @service are made with. Returns 0, or -1 with words as config_blame(). */
MUST_USE int draft_socket_options(const struct config *config, const struct service_config *service,
	struct socket_options *options, struct diag *diag);

#endif
