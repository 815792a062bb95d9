/* SPDX-License-Identifier: MIT */
/*
 * acquaintance.h - what a peer's certificates say of it, read once and remembered as long as it pays.
 */
#ifndef TUNNEL_ACQUAINTANCE_H
#define TUNNEL_ACQUAINTANCE_H

#include <stdbool.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/peer.h"

struct chain;

/* Immutable once made, and counted from any thread. */
struct acquaintance {
	char *identity;	  /* for the log, printable */
	struct peer peer; /* the facts, but for the client's address */
	time_t until;	  /* when the first certificate of the chain expires */
	bool is_readable; /* false: the facts are not all there, so nobody may pass by them */
	bool must_staple; /* the certificate demands a staple (RFC 7633) */
	_Atomic unsigned references;
};

/* Read @chain, which is not empty. The caller drops the result with acquaintance_unref(). NULL without memory. */
MUST_USE struct acquaintance *acquaintance_new(const struct chain *chain);

/* acquaintance_unref(NULL) does nothing. */
struct acquaintance *acquaintance_ref(struct acquaintance *acquaintance);
void acquaintance_unref(struct acquaintance *acquaintance);

#endif
