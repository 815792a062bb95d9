/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_pair.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/tls_words.h"

enum { SERIAL_SIZE = 20, KEY_ID_SIZE = 64 };

static const struct key_type {
	const char *name;
	gnutls_pk_algorithm_t algorithm;
	unsigned bits;
} key_types[PKI_PAIR_TYPES] = {
	[PKI_PAIR_ECDSA_P256] = {"ecdsa-p256", GNUTLS_PK_ECDSA,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)},
	[PKI_PAIR_ED25519] = {"ed25519", GNUTLS_PK_EDDSA_ED25519,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519)},
	[PKI_PAIR_RSA_3072] = {"rsa-3072", GNUTLS_PK_RSA, 3072},
};

static const gnutls_x509_subject_alt_name_t san_types[] = {
	[PKI_NAME_DNS] = GNUTLS_SAN_DNSNAME,
	[PKI_NAME_IP] = GNUTLS_SAN_IPADDRESS,
	[PKI_NAME_URI] = GNUTLS_SAN_URI,
};

static int
set_error(struct diag *diag, const char *what, int error)
{
	return diag_set(diag, "%s: %s", what, tls_words(error).text);
}

/* Make both objects, so that whoever fills them can release them whatever fails. */
static int
begin(struct pki_pair *pair, struct diag *diag)
{
	*pair = (struct pki_pair){NULL, NULL};
	int ret = gnutls_x509_privkey_init(&pair->key);
	if (ret < 0)
		return set_error(diag, "private key", ret);
	ret = gnutls_x509_crt_init(&pair->crt);
	if (ret == 0)
		return 0;
	gnutls_x509_privkey_deinit(pair->key);
	*pair = (struct pki_pair){NULL, NULL};
	return set_error(diag, "certificate", ret);
}

static int
make_key(struct pki_pair *pair, const struct pki_pair_plan *plan, struct diag *diag)
{
	const struct key_type *type = &key_types[plan->type];
	int ret = gnutls_x509_privkey_generate2(pair->key, type->algorithm, type->bits, 0, NULL, 0);

	return ret < 0 ? set_error(diag, "make a private key", ret) : 0;
}

/* The two topmost bits make the number positive and exactly as long as it is (RFC 5280 section 4.1.2.2). */
static int
set_serial(gnutls_x509_crt_t crt)
{
	unsigned char serial[SERIAL_SIZE];
	int ret = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	if (ret < 0)
		return ret;
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
	return gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
}

static int
set_common_name(gnutls_x509_crt_t crt, const char *name, const unsigned char *key_id)
{
	char array[PKI_NAME_STEM_LIMIT];
	struct text text;

	text_init(&text, array, sizeof(array));
	text_add(&text, "sallyport CA ");
	for (int i = 0; i < 4; i++)
		text_format(&text, "%02x", key_id[i]);
	if (!name)
		name = array;
	return gnutls_x509_crt_set_dn_by_oid(
		crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
}

/* What authorities and leaves have in common. */
static int
set_basics(struct pki_pair *pair, const struct pki_pair_plan *plan)
{
	unsigned char key_id[KEY_ID_SIZE];
	size_t key_id_size = sizeof(key_id);
	int ret;

	if ((ret = gnutls_x509_crt_set_version(pair->crt, 3)) < 0 ||
		(ret = gnutls_x509_crt_set_key(pair->crt, pair->key)) < 0 ||
		(ret = set_serial(pair->crt)) < 0 ||
		(ret = gnutls_x509_crt_set_activation_time(pair->crt, plan->from)) < 0 ||
		(ret = gnutls_x509_crt_set_expiration_time(pair->crt, plan->until)) < 0 ||
		(ret = gnutls_x509_crt_get_key_id(pair->crt, 0, key_id, &key_id_size)) < 0 ||
		(ret = gnutls_x509_crt_set_subject_key_id(pair->crt, key_id, key_id_size)) < 0)
		return ret;
	return set_common_name(pair->crt, plan->common_name, key_id);
}

static int
set_authority(gnutls_x509_crt_t crt)
{
	int ret = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);

	return ret < 0 ? ret
		       : gnutls_x509_crt_set_key_usage(
				 crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
}

static int
set_leaf(gnutls_x509_crt_t crt)
{
	int ret;

	if ((ret = gnutls_x509_crt_set_basic_constraints(crt, 0, -1)) < 0 ||
		(ret = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) < 0 ||
		(ret = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0)) < 0)
		return ret;
	return gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
}

static int
set_names(gnutls_x509_crt_t crt, const struct pki_pair_plan *plan)
{
	int ret = 0;

	for (size_t i = 0; i < plan->name_count && ret >= 0; i++) {
		const struct pki_name *name = &plan->names[i];
		const void *data = name->kind == PKI_NAME_IP ? (const void *)name->ip : name->text;
		size_t size = name->kind == PKI_NAME_IP ? name->ip_size : strlen(name->text);

		ret = gnutls_x509_crt_set_subject_alt_name(
			crt, san_types[name->kind], data, (unsigned)size, GNUTLS_FSAN_APPEND);
	}
	return ret;
}

/* An authority made elsewhere may lack the subject key identifier; then that of its key is meant. */
static int
set_issuer_key_id(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
	unsigned char key_id[KEY_ID_SIZE];
	size_t size = sizeof(key_id);
	int ret = gnutls_x509_crt_get_subject_key_id(issuer, key_id, &size, NULL);

	if (ret < 0) {
		size = sizeof(key_id);
		ret = gnutls_x509_crt_get_key_id(issuer, 0, key_id, &size);
	}
	return ret < 0 ? ret : gnutls_x509_crt_set_authority_key_id(crt, key_id, size);
}

/* GnuTLS chooses the digest that suits the issuer's key. */
static int
sign(gnutls_x509_crt_t crt, const struct pki_pair *issuer)
{
	return gnutls_x509_crt_sign2(crt, issuer->crt, issuer->key, GNUTLS_DIG_UNKNOWN, 0);
}

static int
check_pair(const struct pki_pair *pair, struct diag *diag)
{
	unsigned char of_crt[KEY_ID_SIZE], of_key[KEY_ID_SIZE];
	size_t crt_size = sizeof(of_crt), key_size = sizeof(of_key);
	unsigned usage, is_critical;

	if (gnutls_x509_crt_get_key_id(pair->crt, 0, of_crt, &crt_size) < 0 ||
		gnutls_x509_privkey_get_key_id(pair->key, 0, of_key, &key_size) < 0 ||
		crt_size != key_size || memcmp(of_crt, of_key, crt_size) != 0)
		return diag_set(diag, "the key does not belong to the certificate");
	if (gnutls_x509_crt_get_ca_status(pair->crt, NULL) <= 0)
		return diag_set(diag, "the certificate is not that of a certificate authority");
	if (gnutls_x509_crt_get_key_usage(pair->crt, &usage, &is_critical) == 0 &&
		!(usage & GNUTLS_KEY_KEY_CERT_SIGN))
		return diag_set(diag, "the certificate's key usage forbids to sign certificates");
	return 0;
}

const char *
pki_pair_type_name(enum pki_pair_type type)
{
	return key_types[type].name;
}

int
pki_pair_make_authority(struct pki_pair *pair, const struct pki_pair_plan *plan, struct diag *diag)
{
	int ret;

	if (begin(pair, diag) < 0)
		return -1;
	if (make_key(pair, plan, diag) < 0)
		goto fail;
	if ((ret = set_basics(pair, plan)) < 0 || (ret = set_authority(pair->crt)) < 0 ||
		(ret = sign(pair->crt, pair)) < 0) {
		(void)set_error(diag, "make the authority's certificate", ret);
		goto fail;
	}
	return 0;
fail:
	pki_pair_release(pair);
	return -1;
}

/* @authority is NULL for a leaf that is its own. */
static int
make_leaf(struct pki_pair *pair, const struct pki_pair_plan *plan, const struct pki_pair *authority,
	struct diag *diag)
{
	int ret;

	if (begin(pair, diag) < 0)
		return -1;
	if (make_key(pair, plan, diag) < 0)
		goto fail;
	if ((ret = set_basics(pair, plan)) < 0 || (ret = set_leaf(pair->crt)) < 0 ||
		(ret = set_names(pair->crt, plan)) < 0 ||
		(authority && (ret = set_issuer_key_id(pair->crt, authority->crt)) < 0) ||
		(ret = sign(pair->crt, authority ? authority : pair)) < 0) {
		(void)set_error(diag, "make the certificate", ret);
		goto fail;
	}
	return 0;
fail:
	pki_pair_release(pair);
	return -1;
}

int
pki_pair_make_leaf(struct pki_pair *pair, const struct pki_pair_plan *plan,
	const struct pki_pair *authority, struct diag *diag)
{
	return make_leaf(pair, plan, authority, diag);
}

int
pki_pair_make_self(struct pki_pair *pair, const struct pki_pair_plan *plan, struct diag *diag)
{
	return make_leaf(pair, plan, NULL, diag);
}

int
pki_pair_load_authority(struct pki_pair *pair, const gnutls_datum_t *crt, const gnutls_datum_t *key,
	struct diag *diag)
{
	if (begin(pair, diag) < 0)
		return -1;
	int ret = gnutls_x509_crt_import(pair->crt, crt, GNUTLS_X509_FMT_PEM);
	if (ret < 0) {
		(void)set_error(diag, "the authority's certificate", ret);
		goto fail;
	}
	ret = gnutls_x509_privkey_import2(pair->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (ret < 0) {
		(void)set_error(diag, "the authority's key (PEM without a password)", ret);
		goto fail;
	}
	if (check_pair(pair, diag) < 0)
		goto fail;
	return 0;
fail:
	pki_pair_release(pair);
	return -1;
}

int
pki_pair_export(
	const struct pki_pair *pair, gnutls_datum_t *key, gnutls_datum_t *crt, struct diag *diag)
{
	int ret = gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_PEM, crt);

	if (ret < 0)
		return set_error(diag, "certificate", ret);
	ret = gnutls_x509_privkey_export2_pkcs8(
		pair->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, key);
	if (ret == 0)
		return 0;
	gnutls_free(crt->data);
	return set_error(diag, "private key", ret);
}

void
pki_pair_release(struct pki_pair *pair)
{
	if (pair->key)
		gnutls_x509_privkey_deinit(pair->key);
	if (pair->crt)
		gnutls_x509_crt_deinit(pair->crt);
	*pair = (struct pki_pair){NULL, NULL};
}
