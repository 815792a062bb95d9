/* SPDX-License-Identifier: MIT */
/*
 * keyshelf.h - the sets of keys that the key process has at one time: offered, present, and replaced
 * ones.
 *
 *	offer -> [offered] -> commit -> [present] -> the next commit -> [old] -> linger seconds -> gone
 *
 * All of them sign: what is offered already, since serve may be faster than main's commit, and what is
 * old for the handshakes that began with it. Used by all threads.
 */
#ifndef TUNNEL_KEYSHELF_H
#define TUNNEL_KEYSHELF_H

#include <stdint.h>

#include "common/defs.h"

struct keyset;
struct keyshelf;

/* The caller frees the result with keyshelf_free(). NULL without memory. */
MUST_USE struct keyshelf *keyshelf_new(void);

/* Drop all sets. No other thread uses @keyshelf any more. NULL does nothing. */
void keyshelf_free(struct keyshelf *keyshelf);

/* Put @keyset, taken over, in the place of what was offered before. NULL: nothing is offered. */
void keyshelf_offer(struct keyshelf *keyshelf, struct keyset *keyset);

/* What is offered becomes present, at @now of clock_seconds(). Without an offer nothing changes. */
void keyshelf_commit(struct keyshelf *keyshelf, double now);

/* From @now on no key is wanted: what is offered is dropped, and what is present becomes old. */
void keyshelf_retire(struct keyshelf *keyshelf, double now);

/* Drop the old sets whose time is over at @now. Returns how many seconds the next one has, or -1. */
double keyshelf_tidy(struct keyshelf *keyshelf, double now);

/* The present set. Counted: the caller drops the result with keyset_unref(). NULL when there is none. */
MUST_USE struct keyset *keyshelf_present(struct keyshelf *keyshelf);

/*
 * The set that has the key @id, of SPKI_ID_SIZE bytes; the newest first. Counted: the caller drops the
 * result with keyset_unref(). NULL when there is none.
 */
MUST_USE struct keyset *keyshelf_find(struct keyshelf *keyshelf, const uint8_t *id);

#endif
