/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tests/unit/keypairs.h"
#include "tunnel/spki.h"

static struct pki_pair authority, leaf;

static int
setup(void **state)
{
	identities_make_authority(&authority, "authority");
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	return keypairs_make(state);
}

static int
teardown(void **state)
{
	pki_pair_release(&leaf);
	pki_pair_release(&authority);
	return keypairs_release(state);
}

/* What @key, which is freed, is known by. */
static struct spki
describe(gnutls_pubkey_t key)
{
	struct spki spki;
	struct diag diag;

	assert_non_null(key);
	assert_int_equal(spki_describe(&spki, key, &diag), 0);
	gnutls_pubkey_deinit(key);
	return spki;
}

static void
a_private_key_is_described_by_its_public_half(void **state)
{
	(void)state;
	for (enum keypair i = KEYPAIR_ECDSA; i < KEYPAIRS; i++) {
		struct spki found;
		struct diag diag;

		assert_int_equal(spki_of_key(&found, keypairs_private(i), &diag), 0);
		assert_memory_equal(found.id, keypairs_spki(i)->id, SPKI_ID_SIZE);
		assert_int_equal(found.kind, keypairs_spki(i)->kind);
	}
}

static void
a_key_is_known_by_the_hash_of_its_der(void **state)
{
	(void)state;
	for (enum keypair i = KEYPAIR_ECDSA; i < KEYPAIRS; i++) {
		uint8_t expected[SPKI_ID_SIZE];
		gnutls_datum_t der;

		assert_int_equal(
			gnutls_pubkey_export2(keypairs_public(i), GNUTLS_X509_FMT_DER, &der), 0);
		assert_int_equal(
			gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, expected), 0);
		assert_memory_equal(keypairs_spki(i)->id, expected, SPKI_ID_SIZE);
		gnutls_free(der.data);
	}
}

static void
its_kind_and_its_size_are_known(void **state)
{
	static const struct {
		enum keypair which;
		gnutls_pk_algorithm_t kind;
		unsigned bits;
	} rows[] = {{KEYPAIR_ECDSA, GNUTLS_PK_ECDSA, 256},
		{KEYPAIR_ED25519, GNUTLS_PK_EDDSA_ED25519, 256},
		{KEYPAIR_RSA, GNUTLS_PK_RSA, 2048}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(keypairs_spki(rows[i].which)->kind, rows[i].kind);
		assert_int_equal(keypairs_spki(rows[i].which)->bits, rows[i].bits);
	}
}

static void
a_key_that_is_none_has_no_description(void **state)
{
	gnutls_pubkey_t key;
	struct spki spki;
	struct diag diag;

	(void)state;
	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(spki_describe(&spki, key, &diag), -1);
	assert_int_equal(strncmp(diag.text, "the public key: ", 16), 0);
	gnutls_pubkey_deinit(key);
}

static void
the_key_in_a_certificate_is_that_which_belongs_to_it(void **state)
{
	gnutls_privkey_t private;
	gnutls_pubkey_t public;
	struct diag diag;

	(void)state;
	assert_int_equal(gnutls_privkey_init(&private), 0);
	assert_int_equal(gnutls_privkey_import_x509(private, leaf.key, 0), 0);
	assert_int_equal(gnutls_pubkey_init(&public), 0);
	assert_int_equal(gnutls_pubkey_import_privkey(public, private, 0, 0), 0);
	gnutls_privkey_deinit(private);

	struct spki expected = describe(public);
	struct spki found = describe(spki_of_certificate(leaf.crt, &diag));
	assert_memory_equal(found.id, expected.id, SPKI_ID_SIZE);
}

static void
of_a_file_it_is_the_first_certificate(void **state)
{
	gnutls_datum_t key, crts[2];
	struct files files = {0};
	char both[8192];
	struct diag diag;

	(void)state;
	assert_int_equal(pki_pair_export(&leaf, &key, &crts[0], &diag), 0);
	gnutls_free(key.data);
	assert_int_equal(pki_pair_export(&authority, &key, &crts[1], &diag), 0);
	gnutls_free(key.data);
	(void)snprintf(both, sizeof(both), "%s%s", (char *)crts[0].data, (char *)crts[1].data);
	identities_add_text(&files, "chain", both);
	gnutls_free(crts[0].data);
	gnutls_free(crts[1].data);

	struct spki expected = describe(spki_of_certificate(leaf.crt, &diag));
	struct spki found = describe(spki_of_file(&files.entries[0], &diag));
	assert_memory_equal(found.id, expected.id, SPKI_ID_SIZE);
	files_release(&files);
}

static void
a_file_without_a_certificate_has_no_key(void **state)
{
	struct files files = {0};
	struct diag diag = {""};

	(void)state;
	identities_add_text(&files, "nothing", "hello\n");
	assert_null(spki_of_file(&files.entries[0], &diag));
	assert_string_not_equal(diag.text, "");
	files_release(&files);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_known_by_the_hash_of_its_der),
		cmocka_unit_test(a_private_key_is_described_by_its_public_half),
		cmocka_unit_test(its_kind_and_its_size_are_known),
		cmocka_unit_test(a_key_that_is_none_has_no_description),
		cmocka_unit_test(the_key_in_a_certificate_is_that_which_belongs_to_it),
		cmocka_unit_test(of_a_file_it_is_the_first_certificate),
		cmocka_unit_test(a_file_without_a_certificate_has_no_key),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
