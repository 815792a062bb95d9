/* SPDX-License-Identifier: MIT */
#include "tests/unit/keypairs.h"

#include "tests/unit/unit.h"

#include <gnutls/x509.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/keyring.h"

static const struct {
	gnutls_pk_algorithm_t kind;
	unsigned bits;
} plans[KEYPAIRS] = {
	[KEYPAIR_ECDSA] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
	[KEYPAIR_ED25519] = {GNUTLS_PK_EDDSA_ED25519, 0},
	[KEYPAIR_RSA] = {GNUTLS_PK_RSA, 2048},
	[KEYPAIR_OTHER] = {GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
};

static struct {
	gnutls_privkey_t private;
	gnutls_pubkey_t public;
	struct spki spki;
} pairs[KEYPAIRS];

int
keypairs_make(void **state)
{
	struct diag diag;

	(void)state;
	for (int i = 0; i < KEYPAIRS; i++) {
		assert_int_equal(gnutls_privkey_init(&pairs[i].private), 0);
		assert_int_equal(
			gnutls_privkey_generate(pairs[i].private, plans[i].kind, plans[i].bits, 0),
			0);
		assert_int_equal(gnutls_pubkey_init(&pairs[i].public), 0);
		assert_int_equal(
			gnutls_pubkey_import_privkey(pairs[i].public, pairs[i].private, 0, 0), 0);
		assert_int_equal(spki_describe(&pairs[i].spki, pairs[i].public, &diag), 0);
	}
	return 0;
}

int
keypairs_release(void **state)
{
	(void)state;
	for (int i = 0; i < KEYPAIRS; i++) {
		gnutls_privkey_deinit(pairs[i].private);
		gnutls_pubkey_deinit(pairs[i].public);
	}
	return 0;
}

gnutls_privkey_t
keypairs_private(enum keypair which)
{
	return pairs[which].private;
}

gnutls_pubkey_t
keypairs_public(enum keypair which)
{
	return pairs[which].public;
}

const struct spki *
keypairs_spki(enum keypair which)
{
	return &pairs[which].spki;
}

void
keypairs_add(struct keyring *keyring, enum keypair public, enum keypair secret)
{
	static const char blame[] = "a.conf:7: key: in the key process";
	struct keyring_key key = {0};
	gnutls_x509_privkey_t private;
	gnutls_datum_t der, pem;
	struct diag diag;

	assert_int_equal(gnutls_pubkey_export2(pairs[public].public, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_privkey_export_x509(pairs[secret].private, &private), 0);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(
				 private, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem),
		0);
	assert_int_equal(keyring_set(&key.spki, der.data, der.size, &diag), 0);
	assert_int_equal(keyring_set(&key.secret, pem.data, pem.size, &diag), 0);
	assert_int_equal(keyring_set(&key.pin, "", 0, &diag), 0);
	assert_int_equal(keyring_set(&key.blame, blame, strlen(blame), &diag), 0);
	assert_int_equal(keyring_add(keyring, &key, &diag), 0);
	gnutls_x509_privkey_deinit(private);
	gnutls_free(der.data);
	gnutls_free(pem.data);
}

void
keypairs_verify(enum keypair which, gnutls_sign_algorithm_t algorithm, const gnutls_datum_t *hash,
	const gnutls_datum_t *signature)
{
	gnutls_pubkey_t public = pairs[which].public;

	int error = which == KEYPAIR_ED25519
		? gnutls_pubkey_verify_data2(public, algorithm, 0, hash, signature)
		: gnutls_pubkey_verify_hash2(public, algorithm, 0, hash, signature);

	assert_true(error >= 0);
}
