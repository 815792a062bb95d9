/* SPDX-License-Identifier: MIT */
/*
 * pairing.h - does a private key belong to a public one?
 *
 * Where the private one is in memory, its numbers show it; where it is in a token, or in a library that
 * tells nothing of it, a signature does.
 */
#ifndef TUNNEL_PAIRING_H
#define TUNNEL_PAIRING_H

#include <gnutls/abstract.h>

#include "common/defs.h"

struct diag;

/*
 * Find out whether what @key signs, as TLS 1.3 would, verifies with @public. Numbers are compared with as
 * little doubt as a signature leaves, since those of RSA are complete in all that signing takes from them,
 * and the public half of all others is computed. Returns 0, or -1 with words.
 */
MUST_USE int pairing_check(gnutls_privkey_t key, gnutls_pubkey_t public, struct diag *diag);

#endif
