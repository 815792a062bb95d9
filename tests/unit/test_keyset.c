/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tests/unit/keypairs.h"
#include "tunnel/keyset.h"
#include "tunnel/keyshelf.h"

static struct keyset *
make_after(const struct keyset *before, struct keyring *keyring, char **words)
{
	size_t size;
	FILE *errors = open_memstream(words, &size);
	struct keyset *keyset = keyset_new(keyring, before, errors);

	assert_int_equal(fclose(errors), 0);
	assert_int_equal(keyring->count, 0);
	return keyset;
}

static struct keyset *
make(struct keyring *keyring, char **words)
{
	return make_after(NULL, keyring, words);
}

/* A set with just this key, whose handshakes may last @linger seconds. */
static struct keyset *
make_of(enum keypair which, uint32_t linger)
{
	struct keyring keyring = {.linger = linger};
	char *words;

	keypairs_add(&keyring, which, which);
	struct keyset *keyset = make(&keyring, &words);
	assert_non_null(keyset);
	assert_string_equal(words, "");
	free(words);
	return keyset;
}

static void
every_key_is_found_by_its_id_and_no_other_is(void **state)
{
	struct keyring keyring = {0};
	char *words;

	(void)state;
	for (int i = 0; i < KEYPAIR_OTHER; i++)
		keypairs_add(&keyring, (enum keypair)i, (enum keypair)i);
	struct keyset *keyset = make(&keyring, &words);
	assert_non_null(keyset);
	for (int i = 0; i < KEYPAIR_OTHER; i++) {
		const struct spki *spki = keypairs_spki((enum keypair)i);
		const struct keyset_key *key = keyset_find(keyset, spki->id);
		assert_non_null(key);
		assert_int_equal(key->public.kind, spki->kind);
	}
	assert_null(keyset_find(keyset, keypairs_spki(KEYPAIR_OTHER)->id));
	keyset_unref(keyset);
	free(words);
}

static void
an_empty_set_finds_nothing(void **state)
{
	struct keyring keyring = {0};
	char *words;

	(void)state;
	struct keyset *keyset = make(&keyring, &words);
	assert_non_null(keyset);
	assert_null(keyset_find(keyset, keypairs_spki(KEYPAIR_RSA)->id));
	keyset_unref(keyset);
	keyset_unref(NULL);
	free(words);
}

static void
every_key_that_does_not_match_is_told_with_its_place(void **state)
{
	struct keyring keyring = {0};
	char *words;

	(void)state;
	keypairs_add(&keyring, KEYPAIR_ECDSA, KEYPAIR_OTHER);
	keypairs_add(&keyring, KEYPAIR_RSA, KEYPAIR_RSA);
	keypairs_add(&keyring, KEYPAIR_ED25519, KEYPAIR_RSA);
	assert_null(make(&keyring, &words));
	assert_string_equal(words,
		"a.conf:7: key: in the key process: the key does not match the certificate\n"
		"a.conf:7: key: in the key process: the key does not match the certificate: they "
		"are not even of the same kind\n");
	free(words);
}

static gnutls_privkey_t
key_of(const struct keyset *keyset, enum keypair which)
{
	const struct keyset_key *key = keyset_find(keyset, keypairs_spki(which)->id);

	assert_non_null(key);
	return key->key;
}

static void
assert_signs(gnutls_privkey_t key, enum keypair which)
{
	unsigned char bytes[32] = "anything";
	const gnutls_datum_t hash = {.data = bytes, .size = sizeof(bytes)};
	gnutls_datum_t signature;

	assert_int_equal(
		gnutls_privkey_sign_hash2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &hash, &signature), 0);
	keypairs_verify(which, GNUTLS_SIGN_ECDSA_SHA256, &hash, &signature);
	gnutls_free(signature.data);
}

static void
a_key_that_the_set_before_has_is_shared_and_outlives_it(void **state)
{
	struct keyset *before = make_of(KEYPAIR_ECDSA, 1);
	gnutls_privkey_t proved = key_of(before, KEYPAIR_ECDSA);
	struct keyring keyring = {0};
	char *words;

	(void)state;
	keypairs_add(&keyring, KEYPAIR_ED25519, KEYPAIR_ED25519);
	keypairs_add(&keyring, KEYPAIR_ECDSA, KEYPAIR_ECDSA);
	struct keyset *keyset = make_after(before, &keyring, &words);
	assert_non_null(keyset);
	assert_ptr_equal(key_of(keyset, KEYPAIR_ECDSA), proved);
	keyset_unref(before);
	assert_signs(key_of(keyset, KEYPAIR_ECDSA), KEYPAIR_ECDSA);
	assert_non_null(key_of(keyset, KEYPAIR_ED25519));
	keyset_unref(keyset);
	free(words);
}

/* A certificate that was renewed with another key, and a key that was not. */
static void
a_key_that_the_set_before_has_not_is_proved(void **state)
{
	struct keyset *before = make_of(KEYPAIR_ECDSA, 1);
	struct keyring keyring = {0};
	char *words;

	(void)state;
	keypairs_add(&keyring, KEYPAIR_OTHER, KEYPAIR_ECDSA);
	assert_null(make_after(before, &keyring, &words));
	assert_string_equal(words,
		"a.conf:7: key: in the key process: the key does not match the certificate\n");
	keyset_unref(before);
	free(words);
}

static bool
has(struct keyshelf *shelf, enum keypair which)
{
	struct keyset *keyset = keyshelf_find(shelf, keypairs_spki(which)->id);
	bool found = keyset != NULL;

	keyset_unref(keyset);
	return found;
}

static void
a_set_signs_when_offered_and_after_it_was_replaced_as_long_as_it_lingers(void **state)
{
	struct keyshelf *shelf = keyshelf_new();

	(void)state;
	assert_false(has(shelf, KEYPAIR_ECDSA));
	keyshelf_offer(shelf, make_of(KEYPAIR_ECDSA, 10));
	assert_true(has(shelf, KEYPAIR_ECDSA));
	keyshelf_commit(shelf, 100);
	keyshelf_offer(shelf, make_of(KEYPAIR_ED25519, 20));
	assert_true(has(shelf, KEYPAIR_ECDSA) && has(shelf, KEYPAIR_ED25519));
	keyshelf_commit(shelf, 200);
	assert_true(keyshelf_tidy(shelf, 201) == 9);
	assert_true(has(shelf, KEYPAIR_ECDSA) && has(shelf, KEYPAIR_ED25519));
	assert_true(keyshelf_tidy(shelf, 210) < 0);
	assert_false(has(shelf, KEYPAIR_ECDSA));
	assert_true(has(shelf, KEYPAIR_ED25519));
	keyshelf_free(shelf);
	keyshelf_free(NULL);
}

static void
an_offer_that_was_not_committed_is_gone_with_the_next(void **state)
{
	struct keyshelf *shelf = keyshelf_new();

	(void)state;
	keyshelf_offer(shelf, make_of(KEYPAIR_ECDSA, 10));
	keyshelf_commit(shelf, 1);
	keyshelf_offer(shelf, make_of(KEYPAIR_ED25519, 10));
	keyshelf_offer(shelf, NULL);
	assert_false(has(shelf, KEYPAIR_ED25519));
	keyshelf_commit(shelf, 2);
	assert_true(has(shelf, KEYPAIR_ECDSA));
	assert_true(keyshelf_tidy(shelf, 2) < 0);
	keyshelf_free(shelf);
}

static void
what_was_found_stays_whatever_replaces_it(void **state)
{
	struct keyshelf *shelf = keyshelf_new();
	const uint8_t *id = keypairs_spki(KEYPAIR_ECDSA)->id;

	(void)state;
	keyshelf_offer(shelf, make_of(KEYPAIR_ECDSA, 0));
	struct keyset *kept = keyshelf_find(shelf, id);
	keyshelf_free(shelf);
	assert_non_null(keyset_find(kept, id));
	keyset_unref(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_found_by_its_id_and_no_other_is),
		cmocka_unit_test(an_empty_set_finds_nothing),
		cmocka_unit_test(every_key_that_does_not_match_is_told_with_its_place),
		cmocka_unit_test(a_key_that_the_set_before_has_is_shared_and_outlives_it),
		cmocka_unit_test(a_key_that_the_set_before_has_not_is_proved),
		cmocka_unit_test(
			a_set_signs_when_offered_and_after_it_was_replaced_as_long_as_it_lingers),
		cmocka_unit_test(an_offer_that_was_not_committed_is_gone_with_the_next),
		cmocka_unit_test(what_was_found_stays_whatever_replaces_it),
	};

	return cmocka_run_group_tests(tests, keypairs_make, keypairs_release);
}
