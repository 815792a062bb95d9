/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "tests/unit/keypairs.h"
#include "tunnel/pairing.h"

/* A pair of a kind that keypairs.h has not. */
struct pair {
	gnutls_privkey_t private;
	gnutls_pubkey_t public;
};

static void
pair_make(struct pair *pair, gnutls_pk_algorithm_t kind, unsigned bits)
{
	assert_int_equal(gnutls_privkey_init(&pair->private), 0);
	assert_int_equal(gnutls_privkey_generate(pair->private, kind, bits, 0), 0);
	assert_int_equal(gnutls_pubkey_init(&pair->public), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(pair->public, pair->private, 0, 0), 0);
}

static void
pair_release(struct pair *pair)
{
	gnutls_privkey_deinit(pair->private);
	gnutls_pubkey_deinit(pair->public);
}

static void
every_kind_of_key_belongs_to_its_own(void **state)
{
	static const struct {
		gnutls_pk_algorithm_t kind;
		unsigned bits;
	} kinds[] = {{GNUTLS_PK_RSA_PSS, 2048}, {GNUTLS_PK_EDDSA_ED448, 0}};
	struct diag diag;

	(void)state;
	for (enum keypair i = KEYPAIR_ECDSA; i < KEYPAIRS; i++)
		assert_int_equal(pairing_check(keypairs_private(i), keypairs_public(i), &diag), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pair pair;

		pair_make(&pair, kinds[i].kind, kinds[i].bits);
		assert_int_equal(pairing_check(pair.private, pair.public, &diag), 0);
		pair_release(&pair);
	}
}

static void
refused(gnutls_privkey_t private, gnutls_pubkey_t public, const char *words)
{
	struct diag diag;

	assert_int_equal(pairing_check(private, public, &diag), -1);
	assert_string_equal(diag.text, words);
}

static void
a_key_belongs_to_no_other_of_its_kind(void **state)
{
	static const struct {
		gnutls_pk_algorithm_t kind;
		unsigned bits;
		enum keypair like;
	} kinds[] = {
		{GNUTLS_PK_RSA, 2048, KEYPAIR_RSA},
		{GNUTLS_PK_EDDSA_ED25519, 0, KEYPAIR_ED25519},
	};

	(void)state;
	refused(keypairs_private(KEYPAIR_ECDSA), keypairs_public(KEYPAIR_OTHER),
		"the key does not match the certificate");
	refused(keypairs_private(KEYPAIR_OTHER), keypairs_public(KEYPAIR_ECDSA),
		"the key does not match the certificate");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pair pair;

		pair_make(&pair, kinds[i].kind, kinds[i].bits);
		refused(pair.private, keypairs_public(kinds[i].like),
			"the key does not match the certificate");
		pair_release(&pair);
	}
}

/* Everything else of it is right, and its public half that of the certificate. */
static void
a_key_whose_private_exponent_is_another_is_refused(void **state)
{
	gnutls_datum_t m, e, d, p, q;
	gnutls_privkey_t damaged;

	(void)state;
	assert_int_equal(gnutls_privkey_export_rsa_raw2(keypairs_private(KEYPAIR_RSA), &m, &e, &d,
				 &p, &q, NULL, NULL, NULL, 0),
		0);
	d.data[d.size / 2] ^= 1;
	assert_int_equal(gnutls_privkey_init(&damaged), 0);
	assert_int_equal(
		gnutls_privkey_import_rsa_raw(damaged, &m, &e, &d, &p, &q, NULL, NULL, NULL), 0);
	refused(damaged, keypairs_public(KEYPAIR_RSA),
		"the key is damaged: its parts do not belong together");
	gnutls_privkey_deinit(damaged);
	gnutls_free(m.data);
	gnutls_free(e.data);
	gnutls_free(d.data);
	gnutls_free(p.data);
	gnutls_free(q.data);
}

/* Its file may have the public half of any certificate. */
static void
a_key_that_only_says_that_it_belongs_is_refused(void **state)
{
	gnutls_ecc_curve_t curve;
	gnutls_datum_t x, y, k;
	gnutls_privkey_t liar;

	(void)state;
	assert_int_equal(gnutls_privkey_export_ecc_raw2(
				 keypairs_private(KEYPAIR_OTHER), &curve, NULL, NULL, &k, 0),
		0);
	assert_int_equal(
		gnutls_pubkey_export_ecc_raw2(keypairs_public(KEYPAIR_ECDSA), &curve, &x, &y, 0),
		0);
	assert_int_equal(gnutls_privkey_init(&liar), 0);
	assert_int_equal(gnutls_privkey_import_ecc_raw(liar, curve, &x, &y, &k), 0);
	refused(liar, keypairs_public(KEYPAIR_ECDSA),
		"the key is damaged: its parts do not belong together");
	gnutls_privkey_deinit(liar);
	gnutls_free(x.data);
	gnutls_free(y.data);
	gnutls_free(k.data);
}

/* The certificate says which hash it is for, and the key does not. */
static void
a_pss_key_without_parameters_belongs_to_a_certificate_that_has_them(void **state)
{
	gnutls_x509_spki_t parameters;
	struct diag diag;
	struct pair pair;

	(void)state;
	pair_make(&pair, GNUTLS_PK_RSA_PSS, 2048);
	assert_int_equal(gnutls_x509_spki_init(&parameters), 0);
	gnutls_x509_spki_set_rsa_pss_params(parameters, GNUTLS_DIG_SHA256, 32);
	assert_int_equal(gnutls_pubkey_set_spki(pair.public, parameters, 0), 0);
	assert_int_equal(pairing_check(pair.private, pair.public, &diag), 0);
	gnutls_x509_spki_deinit(parameters);
	pair_release(&pair);
}

static void
a_key_belongs_to_none_of_another_kind(void **state)
{
	static const char words[] =
		"the key does not match the certificate: they are not even of the same kind";

	(void)state;
	refused(keypairs_private(KEYPAIR_RSA), keypairs_public(KEYPAIR_ECDSA), words);
	refused(keypairs_private(KEYPAIR_ECDSA), keypairs_public(KEYPAIR_ED25519), words);
}

static void
a_key_that_tls_cannot_use_is_refused_with_a_remedy(void **state)
{
	struct pair pair;

	(void)state;
	pair_make(&pair, GNUTLS_PK_ECDH_X25519, 0);
	refused(pair.private, pair.public,
		"TLS has no use for a key of the kind ECDH (X25519): make one that is ECDSA, "
		"Ed25519 or RSA");
	pair_release(&pair);
}

static int
fail_to_sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata,
	unsigned flags, const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	(void)key;
	(void)algorithm;
	(void)userdata;
	(void)flags;
	(void)data;
	(void)signature;
	return GNUTLS_E_PKCS11_PIN_ERROR;
}

static int
inform(gnutls_privkey_t key, unsigned flags, void *userdata)
{
	(void)key;
	(void)userdata;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_ECDSA;
	return flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO ? 1 : 256;
}

static void
a_key_that_signs_nothing_says_why(void **state)
{
	gnutls_privkey_t key;
	struct diag diag;

	(void)state;
	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_import_ext4(
				 key, NULL, fail_to_sign, fail_to_sign, NULL, NULL, inform, 0),
		0);
	assert_int_equal(pairing_check(key, keypairs_public(KEYPAIR_ECDSA), &diag), -1);
	assert_non_null(strstr(diag.text, "it gives no signature ECDSA-SHA256: "));
	assert_non_null(strstr(diag.text, "PIN"));
	gnutls_privkey_deinit(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_belongs_to_its_own),
		cmocka_unit_test(a_key_belongs_to_no_other_of_its_kind),
		cmocka_unit_test(a_key_whose_private_exponent_is_another_is_refused),
		cmocka_unit_test(a_key_that_only_says_that_it_belongs_is_refused),
		cmocka_unit_test(
			a_pss_key_without_parameters_belongs_to_a_certificate_that_has_them),
		cmocka_unit_test(a_key_belongs_to_none_of_another_kind),
		cmocka_unit_test(a_key_that_tls_cannot_use_is_refused_with_a_remedy),
		cmocka_unit_test(a_key_that_signs_nothing_says_why),
	};

	return cmocka_run_group_tests(tests, keypairs_make, keypairs_release);
}
