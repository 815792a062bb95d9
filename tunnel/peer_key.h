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
#include <stdbool.h>

enum {
	PEER_KEY_BITS = 8192,
	PEER_KEY_EXPONENT_BITS = 32, /* of RSA; nearly all have 65537 */
};

/*
 * Judge the key in @shown, DER of a certificate or, by @type, of a raw public key. False, too, if it cannot be
 * read.
 */
bool peer_key_is_bounded(const gnutls_datum_t *shown, gnutls_certificate_type_t type);

#endif
