/* SPDX-License-Identifier: MIT */
/*
 * keys.h - the role of the key process: it holds private keys and answers serve's requests to sign.
 *
 * It opens nothing but the PKCS#11 modules of its first keyring with a token and, with its first RSA key,
 * libcrypto, and has no file and no socket: keyrings and channels come from main. A keyring is taken whole,
 * or refused with words; what was replaced by a commit still signs for the handshakes that began with it, as
 * long as one of them can last. Whoever has a channel gets signatures of handshakes, and nothing else, with
 * the keys that main named.
 */
#ifndef TUNNEL_KEYS_H
#define TUNNEL_KEYS_H

#include <stdbool.h>

#include "common/defs.h"

/* Hold keys until main is gone; takes over @channel. Returns true unless something broke before. */
MUST_USE bool keys_run(int channel);

#endif
