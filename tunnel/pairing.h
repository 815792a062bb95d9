/* SPDX-License-Identifier: MIT */
/*
 * pairing.h - does a private key belong to a public one? A signature shows it.
 *
 * That way it makes no difference whether the key is in memory or in a token, which tells nothing of it.
 */
#ifndef TUNNEL_PAIRING_H
#define TUNNEL_PAIRING_H

#include <gnutls/abstract.h>

#include "common/defs.h"

struct diag;

/* Sign with @key as TLS 1.3 would, and verify with @public. Returns 0, or -1 with words. */
MUST_USE int pairing_check(gnutls_privkey_t key, gnutls_pubkey_t public, struct diag *diag);

#endif
