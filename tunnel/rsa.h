/* SPDX-License-Identifier: MIT */
/*
 * rsa.h - RSA keys whose signatures libcrypto makes, in a quarter of the time that GnuTLS takes.
 *
 * To GnuTLS such a key is one of its own, so nobody else need know. It is for the key process only.
 */
#ifndef TUNNEL_RSA_H
#define TUNNEL_RSA_H

#include "configured.h"

#include <gnutls/abstract.h>

#include "common/defs.h"

struct diag;

#if WITH_LIBCRYPTO
/*
 * Make of @pem, a PKCS#8 PrivateKeyInfo, a @key that signs, from any thread, with PKCS#1 v1.5 or PSS; of
 * the results that the CRT gives none comes out that does not verify. The caller frees @key with
 * gnutls_privkey_deinit(). Returns 0, or -1 with words, @key being NULL then. Where @kind, that of the
 * public key, is no RSA, and in a build without libcrypto, it is 0 with NULL: GnuTLS is to have the key.
 */
MUST_USE int rsa_key(const gnutls_datum_t *pem, gnutls_pk_algorithm_t kind, gnutls_privkey_t *key,
	struct diag *diag);
#else
static inline int
rsa_key(const gnutls_datum_t *pem, gnutls_pk_algorithm_t kind, gnutls_privkey_t *key,
	struct diag *diag)
{
	(void)pem, (void)kind, (void)diag;
	return *key = NULL, 0;
}
#endif

#endif
