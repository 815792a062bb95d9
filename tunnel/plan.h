/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what main keeps of a generation: its sockets, and its sealed bytes, ready to be sent again.
 *
 * The bytes hold keys; they are in a memory file that only descriptors reach, so that a serve that died
 * is started again with what it had, whatever has happened to the files meanwhile.
 */
#ifndef TUNNEL_PLAN_H
#define TUNNEL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/bindings.h"
#include "tunnel/ticket_key.h"

struct config;
struct diag;
struct draft;
struct files;
struct generation;

/* All zero is empty. */
struct plan {
	struct config *config;
	struct bindings bindings;
	int sealed;
	uint8_t ticket_master
		[TICKET_KEY_SIZE]; /* the first plan makes it, the others have it from there */
	int keyring;		   /* the same for the key process; -1: it has no keys */
};

/*
 * Make @plan, which is empty, of @draft for @workers; it will follow @present, with which it shares
 * sockets. Returns 0, or -1 with words, nothing being bound then.
 */
MUST_USE int plan_make(struct plan *plan, const struct plan *present, struct draft *draft,
	unsigned workers, struct diag *diag);

/* Has @plan the same bytes for every process as @present, so that it would change nothing? */
bool plan_is_same(const struct plan *plan, const struct plan *present);

/* Decode the bytes of @plan into @generation, which is empty. Returns 0, or -1 with words. */
MUST_USE int plan_open(const struct plan *plan, struct generation *generation, struct diag *diag);

/*
 * Make @plan, which is empty, as @present but for the contents of @files, which it has under the same paths.
 * Returns as plan_make().
 */
MUST_USE int plan_make_with(struct plan *plan, const struct plan *present,
	const struct files *files, struct diag *diag);

/* The sealed keyring (keyring.h), borrowed; -1: the key process is not needed. */
int plan_keyring(const struct plan *plan);

/* Send the sockets and the bytes to serve. Returns 0, or -1 with words. */
MUST_USE int plan_send(const struct plan *plan, int channel, struct diag *diag);

/* Replace @present by @plan, which is empty afterwards. */
void plan_replace(struct plan *present, struct plan *plan);

/* Give up a plan that never replaced the present one. */
void plan_cancel(struct plan *plan);

/* Close everything. */
void plan_release(struct plan *present);

/* Log a line an address on which @plan listens and the plan before it did not. */
void plan_log_listeners(const struct plan *plan);

#endif
