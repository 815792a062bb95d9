/* SPDX-License-Identifier: MIT */
/*
 * keypairs.h - key pairs of each kind, and keyrings of them, for the tests of what signs.
 */
#ifndef TESTS_UNIT_KEYPAIRS_H
#define TESTS_UNIT_KEYPAIRS_H

#include <gnutls/abstract.h>

#include "tunnel/spki.h"

struct keyring;

enum keypair {
	KEYPAIR_ECDSA,
	KEYPAIR_ED25519,
	KEYPAIR_RSA,
	KEYPAIR_OTHER /* ECDSA too */,
	KEYPAIRS
};

/* Make them all; keypairs_release() frees them. As group functions of cmocka. */
int keypairs_make(void **state);
int keypairs_release(void **state);

gnutls_privkey_t keypairs_private(enum keypair which);
gnutls_pubkey_t keypairs_public(enum keypair which);
const struct spki *keypairs_spki(enum keypair which);

/* Add the private key of @secret to @keyring as that of @public. */
void keypairs_add(struct keyring *keyring, enum keypair public, enum keypair secret);

/* @signature must be by @which, of @hash or, with Ed25519, of those data. */
void keypairs_verify(enum keypair which, gnutls_sign_algorithm_t algorithm,
	const gnutls_datum_t *hash, const gnutls_datum_t *signature);

#endif
