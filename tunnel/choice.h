/* SPDX-License-Identifier: MIT */
/*
 * choice.h - which of its identities a connecting end shows.
 *
 * GnuTLS shows none where it has several and the server names no issuer of one, as a server that goes by
 * pins does. Here one that the server can use is always found if there is one: of those of the kind that
 * was agreed on (X.509, or a raw key) whose algorithm the server takes, the first whose issuer it named,
 * else the first.
 */
#ifndef TUNNEL_CHOICE_H
#define TUNNEL_CHOICE_H

#include <gnutls/abstract.h>

#include "common/defs.h"

struct choice;

/* The caller frees the result with choice_free(). NULL without memory. */
MUST_USE struct choice *choice_new(void);

void choice_free(struct choice *choice);

/*
 * Add the identity of @count certificates, or one raw key, in @chain with its @key; the best are added
 * first. Borrows what they hold as long as @choice is used. Returns 0, or -1 without memory.
 */
MUST_USE int choice_add(
	struct choice *choice, const gnutls_pcert_st *chain, unsigned count, gnutls_privkey_t key);

/* Have sessions with @certificate show what the choice of their judgement's credentials says. */
void choice_install(gnutls_certificate_credentials_t certificate);

#endif
