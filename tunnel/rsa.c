/* SPDX-License-Identifier: MIT */
#include "tunnel/rsa.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/libcrypto.h"
#include "tunnel/tls_words.h"

/* What stands behind a key of GnuTLS. */
struct rsa {
	struct libcrypto crypto;
	EVP_PKEY *key;
};

/* What GnuTLS asks a key to sign. */
static const struct scheme {
	gnutls_sign_algorithm_t algorithm;
	int padding;
	const char *digest;
} schemes[] = {
	{GNUTLS_SIGN_RSA_RAW, RSA_PKCS1_PADDING, NULL /* a DigestInfo says it */},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, RSA_PKCS1_PSS_PADDING, "SHA256"},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, RSA_PKCS1_PSS_PADDING, "SHA384"},
	{GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, RSA_PKCS1_PSS_PADDING, "SHA512"},
	{GNUTLS_SIGN_RSA_PSS_SHA256, RSA_PKCS1_PSS_PADDING, "SHA256"},
	{GNUTLS_SIGN_RSA_PSS_SHA384, RSA_PKCS1_PSS_PADDING, "SHA384"},
	{GNUTLS_SIGN_RSA_PSS_SHA512, RSA_PKCS1_PSS_PADDING, "SHA512"},
};

static const struct scheme *
find(gnutls_sign_algorithm_t algorithm)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (schemes[i].algorithm == algorithm)
			return &schemes[i];
	return NULL;
}

/* RFC 8446 section 4.2.3: the salt is as long as the hash; MGF1 takes the same hash by itself. */
static bool
begin(const struct libcrypto *crypto, EVP_PKEY_CTX *context, const struct scheme *scheme)
{
	if (crypto->EVP_PKEY_sign_init(context) <= 0 ||
		crypto->EVP_PKEY_CTX_set_rsa_padding(context, scheme->padding) <= 0)
		return false;
	if (!scheme->digest)
		return true;
	return crypto->EVP_PKEY_CTX_set_signature_md(
		       context, crypto->EVP_get_digestbyname(scheme->digest)) > 0 &&
		crypto->EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/* libcrypto blinds, and looks at what the CRT gave before it gives that away. */
static int
sign_with(const struct rsa *rsa, const struct scheme *scheme, const gnutls_datum_t *hash,
	gnutls_datum_t *signature)
{
	const struct libcrypto *crypto = &rsa->crypto;
	EVP_PKEY_CTX *context = crypto->EVP_PKEY_CTX_new(rsa->key, NULL);
	size_t size = signature->size;
	int result = GNUTLS_E_PK_SIGN_FAILED;

	if (context && begin(crypto, context, scheme) &&
		crypto->EVP_PKEY_sign(context, signature->data, &size, hash->data, hash->size) > 0)
		result = 0;
	signature->size = (unsigned)size;
	crypto->EVP_PKEY_CTX_free(context);
	crypto->ERR_clear_error();
	return result;
}

static int
sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata, unsigned flags,
	const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	const struct rsa *rsa = userdata;
	const struct scheme *scheme = find(algorithm);

	(void)key;
	(void)flags;
	if (!scheme)
		return GNUTLS_E_PK_SIGN_FAILED;
	signature->size = (unsigned)rsa->crypto.EVP_PKEY_get_size(rsa->key);
	signature->data = gnutls_malloc(signature->size);
	if (!signature->data)
		return GNUTLS_E_MEMORY_ERROR;
	int error = sign_with(rsa, scheme, hash, signature);
	if (error < 0) {
		gnutls_free(signature->data);
		*signature = (gnutls_datum_t){0};
	}
	return error;
}

static int
inform(gnutls_privkey_t key, unsigned flags, void *userdata)
{
	const struct rsa *rsa = userdata;
	gnutls_pk_algorithm_t kind = rsa->crypto.EVP_PKEY_get_base_id(rsa->key) == EVP_PKEY_RSA
		? GNUTLS_PK_RSA
		: GNUTLS_PK_RSA_PSS;

	(void)key;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)kind;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return rsa->crypto.EVP_PKEY_get_bits(rsa->key);
	return 0;
}

static void
rsa_free(struct rsa *rsa)
{
	if (rsa->key)
		rsa->crypto.EVP_PKEY_free(rsa->key);
	free(rsa);
}

static void
release(gnutls_privkey_t key, void *userdata)
{
	(void)key;
	rsa_free(userdata);
}

static int
parse(struct rsa *rsa, const gnutls_datum_t *der, struct diag *diag)
{
	const struct libcrypto *crypto = &rsa->crypto;
	const unsigned char *next = der->data;
	PKCS8_PRIV_KEY_INFO *info = crypto->d2i_PKCS8_PRIV_KEY_INFO(NULL, &next, (long)der->size);

	if (info)
		rsa->key = crypto->EVP_PKCS82PKEY(info);
	crypto->PKCS8_PRIV_KEY_INFO_free(info);
	if (!rsa->key)
		return libcrypto_explain(crypto, "the key cannot be read", diag);
	int kind = crypto->EVP_PKEY_get_base_id(rsa->key);
	if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS)
		return 0;
	return diag_set(diag, "the key is not RSA, as the certificate says");
}

static int
parse_pem(struct rsa *rsa, const gnutls_datum_t *pem, struct diag *diag)
{
	gnutls_datum_t der;
	int error = gnutls_pem_base64_decode2("PRIVATE KEY", pem, &der);

	if (error < 0)
		return diag_set(diag, "the key is no PKCS#8 in PEM: %s", tls_words(error).text);
	int result = parse(rsa, &der, diag);
	explicit_bzero(der.data, der.size);
	gnutls_free(der.data);
	return result;
}

static struct rsa *
rsa_new(const gnutls_datum_t *pem, struct diag *diag)
{
	struct rsa *rsa = calloc(1, sizeof(*rsa));

	if (!rsa) {
		(void)diag_set(diag, "out of memory");
		return NULL;
	}
	if (libcrypto_load(&rsa->crypto, diag) == 0 && parse_pem(rsa, pem, diag) == 0)
		return rsa;
	rsa_free(rsa);
	return NULL;
}

int
rsa_key(const gnutls_datum_t *pem, gnutls_pk_algorithm_t kind, gnutls_privkey_t *key,
	struct diag *diag)
{
	*key = NULL;
	if (kind != GNUTLS_PK_RSA && kind != GNUTLS_PK_RSA_PSS)
		return 0;
	struct rsa *rsa = rsa_new(pem, diag);
	if (!rsa)
		return -1;
	if (gnutls_privkey_init(key) == 0 &&
		gnutls_privkey_import_ext4(*key, rsa, NULL, sign, NULL, release, inform, 0) == 0)
		return 0;
	/* Only without memory. */
	rsa_free(rsa);
	if (*key)
		gnutls_privkey_deinit(*key);
	*key = NULL;
	return diag_set(diag, "out of memory");
}
