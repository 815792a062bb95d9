/* SPDX-License-Identifier: MIT */
/*
 * peer_key.h - is a signature by a peer's key checked in bounded time?
 *
 * In TLS 1.3 GnuTLS checks it before anybody is asked who the peer is, so a stranger chooses the key. What RSA
 * costs grows with the cube of its size where the exponent is as long as that: seconds with 32,768 bits.
 */
#ifndef TUNNEL_PEER_KEY_H
#define TUNNEL_PEER_KEY_H

#include <gnutls/gnutls.h>

#include "common/defs.h"

enum {
	PEER_KEY_BITS = 8192,
	PEER_KEY_EXPONENT_BITS = 32, /* of RSA; nearly all have 65537 */
};

/*
 * Why no signature by the key in @shown may be checked, in words for the log; NULL: it may. @shown is DER of a
 * certificate or, by @type, of a raw public key.
 */
MUST_USE const char *peer_key_refusal(const gnutls_datum_t *shown, gnutls_certificate_type_t type);

#endif
