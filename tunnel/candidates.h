/* SPDX-License-Identifier: MIT */
/*
 * candidates.h - what to try next when connecting out.
 *
 * Targets stand in order of preference; the addresses of each become known at once, or when its name
 * was resolved. Those of one target alternate between IPv6 and IPv4, beginning with the first
 * (RFC 8305 section 4). Addresses that failed lately come after everything else. A name is resolved
 * only when nothing that is preferred to it is left to try.
 *
 * Pure: no clock, no socket, no event loop. Whoever asks for the next step also decides when.
 */
#ifndef TUNNEL_CANDIDATES_H
#define TUNNEL_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/defs.h"

enum { CANDIDATES_PER_TARGET = 32 }; /* more addresses of one name are ignored */

/* One address of a target. */
struct candidate {
	struct endpoint endpoint;
	size_t target; /* index */
	bool failing;  /* has failed lately */
	bool taken;
};

struct candidates_target {
	enum { CANDIDATES_UNKNOWN, CANDIDATES_ASKED, CANDIDATES_KNOWN } state;
	size_t count;  /* of its addresses */
	int preferred; /* the family whose turn it is */
};

struct candidates {
	struct candidates_target *targets;
	size_t target_count;
	struct candidate *list;
	size_t count, room;
};

enum candidates_action {
	CANDIDATES_TRY,	    /* connect to the candidate, which is now taken */
	CANDIDATES_RESOLVE, /* resolve the name of the target, which is now asked for */
	CANDIDATES_WAIT,    /* nothing left but names that are being resolved */
	CANDIDATES_OVER,    /* nothing left */
};

struct candidates_step {
	enum candidates_action action;
	size_t target;	  /* of TRY and RESOLVE */
	size_t candidate; /* of TRY: index into the list */
};

/*
 * Start with @count targets, at least one, of which nothing is known yet: the owner adds the address
 * of each that is not a name. Returns 0, or -1 without memory.
 */
MUST_USE int candidates_init(struct candidates *candidates, size_t count);

/* Free the lists; all zero is allowed. */
void candidates_release(struct candidates *candidates);

/*
 * Add @endpoint to @target, unless it has it already or has CANDIDATES_PER_TARGET. @failing: it has
 * failed lately. Returns 0, or -1 without memory.
 */
MUST_USE int candidates_add(struct candidates *candidates, size_t target,
	const struct endpoint *endpoint, bool failing);

/* Note that nothing more will be added to @target. */
void candidates_settle(struct candidates *candidates, size_t target);

/* Choose what to do next. */
struct candidates_step candidates_next(struct candidates *candidates);

/* Let @candidate be taken once more: it was given up before it had failed. */
void candidates_put_back(struct candidates *candidates, size_t candidate);

#endif
