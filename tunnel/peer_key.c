/* SPDX-License-Identifier: MIT */
#include "tunnel/peer_key.h"

#include <gnutls/abstract.h>
#include <stdbool.h>

/* Has the RSA @key a short exponent? */
static bool
is_exponent_short(gnutls_pubkey_t key)
{
	gnutls_datum_t exponent;

	if (gnutls_pubkey_export_rsa_raw2(key, NULL, &exponent, GNUTLS_EXPORT_FLAG_NO_LZ))
		return false;
	unsigned size = exponent.size;
	gnutls_free(exponent.data);
	return size <= PEER_KEY_EXPONENT_BITS / 8;
}

static bool
is_bounded(gnutls_pubkey_t key)
{
	unsigned bits = 0;
	int algorithm = gnutls_pubkey_get_pk_algorithm(key, &bits);
	bool is_rsa = algorithm == GNUTLS_PK_RSA || algorithm == GNUTLS_PK_RSA_PSS;

	return bits <= PEER_KEY_BITS && (!is_rsa || is_exponent_short(key));
}

const char *
peer_key_refusal(const gnutls_datum_t *shown, gnutls_certificate_type_t type)
{
	gnutls_pubkey_t key;

	if (gnutls_pubkey_init(&key))
		return "there is no memory for the peer's key";
	int error = type == GNUTLS_CRT_RAWPK
		? gnutls_pubkey_import(key, shown, GNUTLS_X509_FMT_DER)
		: gnutls_pubkey_import_x509_raw(key, shown, GNUTLS_X509_FMT_DER, 0);
	bool bounded = !error && is_bounded(key);
	gnutls_pubkey_deinit(key);
	if (error)
		return "the peer's certificate, or the key in it, cannot be read";
	return bounded ? NULL : "the peer's key is beyond RSA of 8192 bits with an exponent of 32";
}
