/* SPDX-License-Identifier: MIT */
/*
 * rawkey.h - raw public keys (RFC 7250), for peers that know no certificates.
 *
 * Only where keys are pinned and no authority is believed (`ca = none`): there a raw key says as much as a
 * certificate, but for the dates.
 */
#ifndef TUNNEL_RAWKEY_H
#define TUNNEL_RAWKEY_H

#include <gnutls/abstract.h>
#include <stdbool.h>

#include "common/defs.h"

struct tls_config;

/* Are they offered, behind certificates? */
bool rawkey_is_wanted(const struct tls_config *config);

/*
 * Make @raw of the public key of @certificate. The caller releases it with gnutls_pcert_deinit(). Returns an
 * error of GnuTLS, or 0.
 */
MUST_USE int rawkey_make(gnutls_pcert_st *raw, const gnutls_pcert_st *certificate);

#endif
