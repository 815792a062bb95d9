/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/big_key.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/identities.h"

/* An odd number of @bits bits. */
static gnutls_datum_t
number(unsigned bits)
{
	gnutls_datum_t number = {.data = malloc(bits / 8), .size = bits / 8};

	assert_non_null(number.data);
	memset(number.data, 0xab, number.size);
	return number;
}

static gnutls_pubkey_t
make_public(const struct big_key *key)
{
	gnutls_datum_t modulus = number(key->bits), exponent = number(key->exponent_bits);
	gnutls_pubkey_t public;

	assert_int_equal(gnutls_pubkey_init(&public), 0);
	assert_int_equal(gnutls_pubkey_import_rsa_raw(public, &modulus, &exponent), 0);
	free(modulus.data);
	free(exponent.data);
	return public;
}

gnutls_datum_t
big_key_public(const struct big_key *key)
{
	gnutls_pubkey_t public = make_public(key);
	gnutls_datum_t der;

	assert_int_equal(gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_pubkey_deinit(public);
	return der;
}

gnutls_datum_t
big_key_certificate(const struct big_key *key)
{
	gnutls_pubkey_t public = make_public(key);
	struct pki_pair authority, leaf;
	gnutls_datum_t der;

	identities_make_authority(&authority, "mallory");
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	assert_int_equal(gnutls_x509_crt_set_pubkey(leaf.crt, public), 0);
	assert_int_equal(
		gnutls_x509_crt_sign2(leaf.crt, authority.crt, authority.key, GNUTLS_DIG_SHA256, 0),
		0);
	assert_int_equal(gnutls_x509_crt_export2(leaf.crt, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_pubkey_deinit(public);
	pki_pair_release(&leaf);
	pki_pair_release(&authority);
	return der;
}

static int
on_sign(gnutls_privkey_t private, gnutls_sign_algorithm_t algorithm, void *pointer, unsigned flags,
	const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	const struct big_key *key = pointer;

	(void)private;
	(void)algorithm;
	(void)flags;
	(void)hash;
	signature->size = key->bits / 8;
	signature->data = gnutls_malloc(signature->size);
	assert_non_null(signature->data);
	memset(signature->data, 0x5a, signature->size);
	return 0;
}

static int
on_info(gnutls_privkey_t private, unsigned flags, void *pointer)
{
	const struct big_key *key = pointer;

	(void)private;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_RSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)key->bits;
	return GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_RSA_PSS_RSAE_SHA256;
}

static gnutls_datum_t
copy(const gnutls_datum_t *data)
{
	gnutls_datum_t copy = {.data = gnutls_malloc(data->size), .size = data->size};

	assert_non_null(copy.data);
	memcpy(copy.data, data->data, data->size);
	return copy;
}

gnutls_certificate_credentials_t
big_key_credentials(
	struct big_key *key, const gnutls_datum_t *shown, gnutls_certificate_type_t type)
{
	const char *name = "localhost";
	gnutls_certificate_credentials_t credentials;
	gnutls_privkey_t private;
	gnutls_pcert_st chain;

	assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
	gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	chain = (gnutls_pcert_st){.pubkey = make_public(key), .type = type, .cert = copy(shown)};
	assert_int_equal(gnutls_privkey_init(&private), 0);
	assert_int_equal(
		gnutls_privkey_import_ext4(private, key, NULL, on_sign, NULL, NULL, on_info, 0), 0);
	/* With a name @shown is not read. */
	assert_true(gnutls_certificate_set_key(credentials, &name, 1, &chain, 1, private) >= 0);
	return credentials;
}
