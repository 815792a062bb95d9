/* SPDX-License-Identifier: MIT */
/*
 * big_key.h - an RSA key of any size. Nobody has its private half: what it signs is garbage.
 */
#ifndef TESTS_UNIT_BIG_KEY_H
#define TESTS_UNIT_BIG_KEY_H

#include <gnutls/gnutls.h>

struct big_key {
	unsigned bits, exponent_bits; /* multiples of 8 */
};

/* Its SubjectPublicKeyInfo, as DER. The caller frees the data with gnutls_free(). */
gnutls_datum_t big_key_public(const struct big_key *key);

/* A certificate of it, which nobody trusts, as DER. Freed the same way. */
gnutls_datum_t big_key_certificate(const struct big_key *key);

/*
 * Credentials that show @shown, which is one of those of @key, and sign by it. Borrows @key until the caller frees
 * them with gnutls_certificate_free_credentials().
 */
gnutls_certificate_credentials_t big_key_credentials(
	struct big_key *key, const gnutls_datum_t *shown, gnutls_certificate_type_t type);

#endif
