/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/diag.h"
#include "tunnel/pki_pair.h"

enum { HOUR = 3600 };

static struct diag diag;

static void
make_authority(struct pki_pair *pair, enum pki_pair_type type)
{
	const struct pki_pair_plan plan = {
		.type = type,
		.from = time(NULL) - HOUR,
		.until = time(NULL) + HOUR,
	};

	assert_int_equal(pki_pair_make_authority(pair, &plan, &diag), 0);
}

static void
make_leaf(struct pki_pair *pair, enum pki_pair_type type, const struct pki_pair *authority)
{
	struct pki_name name;
	const struct pki_pair_plan plan = {
		.common_name = "leaf",
		.type = type,
		.from = time(NULL) - HOUR,
		.until = time(NULL) + HOUR,
		.names = &name,
		.name_count = 1,
	};

	assert_int_equal(pki_name_parse(&name, PKI_NAME_DNS, "db.example.net", &diag), 0);
	assert_int_equal(pki_pair_make_leaf(pair, &plan, authority, &diag), 0);
}

/* As a peer gets it: what GnuTLS checks names against is gathered only when a certificate is read. */
static gnutls_x509_crt_t
as_peers_see(gnutls_x509_crt_t made)
{
	gnutls_x509_crt_t crt;
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
	return crt;
}

/* What the library says of @made for @purpose and @host when only @authority is trusted. */
static unsigned
verify(gnutls_x509_crt_t made, const struct pki_pair *authority, const char *purpose,
	const char *host)
{
	unsigned char purpose_bytes[64], host_bytes[64];
	gnutls_typed_vdata_st data[] = {
		{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose_bytes},
		{.type = GNUTLS_DT_DNS_HOSTNAME, .data = host_bytes},
	};
	gnutls_x509_crt_t crt = as_peers_see(made), anchor = as_peers_see(authority->crt);
	gnutls_x509_trust_list_t list;
	unsigned status = ~0U;

	(void)snprintf((char *)purpose_bytes, sizeof(purpose_bytes), "%s", purpose);
	(void)snprintf((char *)host_bytes, sizeof(host_bytes), "%s", host);
	assert_int_equal(gnutls_x509_trust_list_init(&list, 0), 0);
	assert_int_equal(gnutls_x509_trust_list_add_cas(list, &anchor, 1, 0), 1);
	assert_int_equal(gnutls_x509_trust_list_verify_crt2(list, &crt, 1, data, 2,
				 GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &status, NULL),
		0);
	gnutls_x509_trust_list_deinit(list, 1);
	gnutls_x509_crt_deinit(crt);
	return status;
}

static void
a_leaf_of_any_key_verifies_under_an_authority_of_any_key(void **state)
{
	(void)state;
	for (int i = 0; i < PKI_PAIR_TYPES; i++) {
		struct pki_pair authority, leaf;

		make_authority(&authority, (enum pki_pair_type)i);
		for (int j = 0; j < PKI_PAIR_TYPES; j++) {
			make_leaf(&leaf, (enum pki_pair_type)j, &authority);
			assert_int_equal(verify(leaf.crt, &authority, GNUTLS_KP_TLS_WWW_SERVER,
						 "db.example.net"),
				0);
			assert_int_equal(verify(leaf.crt, &authority, GNUTLS_KP_TLS_WWW_CLIENT,
						 "db.example.net"),
				0);
			pki_pair_release(&leaf);
		}
		pki_pair_release(&authority);
	}
}

static void
a_leaf_is_good_for_nothing_else(void **state)
{
	struct pki_pair authority, other, leaf;

	(void)state;
	make_authority(&authority, PKI_PAIR_ECDSA_P256);
	make_authority(&other, PKI_PAIR_ECDSA_P256);
	make_leaf(&leaf, PKI_PAIR_ECDSA_P256, &authority);
	assert_true(verify(leaf.crt, &authority, GNUTLS_KP_TLS_WWW_SERVER, "other.example.net") &
		GNUTLS_CERT_UNEXPECTED_OWNER);
	assert_true(verify(leaf.crt, &authority, GNUTLS_KP_CODE_SIGNING, "db.example.net") &
		GNUTLS_CERT_PURPOSE_MISMATCH);
	assert_true(verify(leaf.crt, &other, GNUTLS_KP_TLS_WWW_SERVER, "db.example.net") &
		GNUTLS_CERT_SIGNER_NOT_FOUND);
	pki_pair_release(&leaf);
	pki_pair_release(&other);
	pki_pair_release(&authority);
}

static void
serial_numbers_are_long_positive_and_different(void **state)
{
	struct pki_pair pair[2];
	unsigned char serial[2][64];

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t size = sizeof(serial[i]);

		make_authority(&pair[i], PKI_PAIR_ED25519);
		assert_int_equal(gnutls_x509_crt_get_serial(pair[i].crt, serial[i], &size), 0);
		assert_int_equal(size, 20);
		assert_int_equal(serial[i][0] & 0xc0, 0x40);
		pki_pair_release(&pair[i]);
	}
	assert_memory_not_equal(serial[0], serial[1], 20);
}

static int
reload(const struct pki_pair *crt_of, const struct pki_pair *key_of, struct pki_pair *loaded)
{
	gnutls_datum_t key, unused_key, crt, unused_crt;

	assert_int_equal(pki_pair_export(crt_of, &unused_key, &crt, &diag), 0);
	assert_int_equal(pki_pair_export(key_of, &key, &unused_crt, &diag), 0);
	assert_int_equal(strncmp((const char *)key.data, "-----BEGIN PRIVATE KEY-----", 27), 0);
	int ret = pki_pair_load_authority(loaded, &crt, &key, &diag);
	gnutls_free(key.data);
	gnutls_free(unused_key.data);
	gnutls_free(crt.data);
	gnutls_free(unused_crt.data);
	return ret;
}

static void
only_a_matching_authority_is_loaded(void **state)
{
	struct pki_pair authority, other, leaf, loaded;

	(void)state;
	make_authority(&authority, PKI_PAIR_ECDSA_P256);
	make_authority(&other, PKI_PAIR_ECDSA_P256);
	make_leaf(&leaf, PKI_PAIR_ECDSA_P256, &authority);
	assert_int_equal(reload(&authority, &authority, &loaded), 0);
	pki_pair_release(&loaded);
	assert_int_equal(reload(&authority, &other, &loaded), -1);
	assert_string_equal(diag.text, "the key does not belong to the certificate");
	assert_int_equal(reload(&leaf, &leaf, &loaded), -1);
	assert_string_equal(diag.text, "the certificate is not that of a certificate authority");
	assert_null(loaded.key);
	pki_pair_release(&leaf);
	pki_pair_release(&other);
	pki_pair_release(&authority);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_of_any_key_verifies_under_an_authority_of_any_key),
		cmocka_unit_test(a_leaf_is_good_for_nothing_else),
		cmocka_unit_test(serial_numbers_are_long_positive_and_different),
		cmocka_unit_test(only_a_matching_authority_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
