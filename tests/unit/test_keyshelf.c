/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "tests/unit/keypairs.h"
#include "tunnel/keyset.h"
#include "tunnel/keyshelf.h"

enum { LINGER = 30 };

static struct keyshelf *shelf;

static int
setup(void **state)
{
	(void)state;
	shelf = keyshelf_new();
	return shelf ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	keyshelf_free(shelf);
	return 0;
}

static struct keyset *
make_lingering(enum keypair which, uint32_t linger)
{
	struct keyring keyring = {.linger = linger};

	keypairs_add(&keyring, which, which);
	struct keyset *keyset = keyset_new(&keyring, NULL, stderr);
	assert_non_null(keyset);
	return keyset;
}

static struct keyset *
make(enum keypair which)
{
	return make_lingering(which, LINGER);
}

/* Which set has the key of @which? Not counted: the shelf has it. */
static struct keyset *
find(enum keypair which)
{
	struct keyset *found = keyshelf_find(shelf, keypairs_spki(which)->id);

	keyset_unref(found);
	return found;
}

static void
what_is_offered_signs_before_it_is_present(void **state)
{
	struct keyset *keyset = make(KEYPAIR_ECDSA);

	(void)state;
	assert_null(find(KEYPAIR_ECDSA));
	keyshelf_offer(shelf, keyset);
	assert_ptr_equal(find(KEYPAIR_ECDSA), keyset);
	assert_null(find(KEYPAIR_OTHER));
	keyshelf_commit(shelf, 0);
	assert_ptr_equal(find(KEYPAIR_ECDSA), keyset);
}

static void
an_offer_that_is_taken_back_leaves_the_present(void **state)
{
	struct keyset *present = make(KEYPAIR_ECDSA);

	(void)state;
	keyshelf_offer(shelf, present);
	keyshelf_commit(shelf, 0);
	keyshelf_offer(shelf, make(KEYPAIR_OTHER));
	keyshelf_offer(shelf, make(KEYPAIR_ED25519));
	assert_null(find(KEYPAIR_OTHER));
	assert_non_null(find(KEYPAIR_ED25519));
	keyshelf_offer(shelf, NULL);
	assert_null(find(KEYPAIR_ED25519));
	assert_ptr_equal(find(KEYPAIR_ECDSA), present);
	keyshelf_commit(shelf, 5);
	assert_ptr_equal(find(KEYPAIR_ECDSA), present);
	assert_true(keyshelf_tidy(shelf, 5) < 0);
}

static void
the_newest_that_has_a_key_is_taken(void **state)
{
	struct keyset *oldest = make(KEYPAIR_ECDSA), *present = make(KEYPAIR_ECDSA),
		      *offered = make(KEYPAIR_ECDSA);

	(void)state;
	keyshelf_offer(shelf, oldest);
	keyshelf_commit(shelf, 0);
	keyshelf_offer(shelf, present);
	keyshelf_commit(shelf, 0);
	assert_ptr_equal(find(KEYPAIR_ECDSA), present);
	keyshelf_offer(shelf, offered);
	assert_ptr_equal(find(KEYPAIR_ECDSA), offered);
}

static void
the_old_signs_for_as_long_as_it_says_and_no_longer(void **state)
{
	(void)state;
	keyshelf_offer(shelf, make(KEYPAIR_ECDSA));
	keyshelf_commit(shelf, 100);
	assert_true(keyshelf_tidy(shelf, 1000) < 0);
	keyshelf_offer(shelf, make(KEYPAIR_OTHER));
	keyshelf_commit(shelf, 1000);
	assert_true(keyshelf_tidy(shelf, 1010) == LINGER - 10);
	assert_non_null(find(KEYPAIR_ECDSA));
	assert_true(keyshelf_tidy(shelf, 1000 + LINGER) < 0);
	assert_null(find(KEYPAIR_ECDSA));
	assert_non_null(find(KEYPAIR_OTHER));
}

static void
of_several_old_ones_the_next_is_told(void **state)
{
	static const struct {
		enum keypair which;
		uint32_t linger;
	} rows[] = {{KEYPAIR_ECDSA, 50}, {KEYPAIR_OTHER, 20}, {KEYPAIR_ED25519, 40}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		keyshelf_offer(shelf, make_lingering(rows[i].which, rows[i].linger));
		keyshelf_commit(shelf, 0);
	}
	assert_true(keyshelf_tidy(shelf, 5) == 15);
	assert_true(keyshelf_tidy(shelf, 20) == 30);
	assert_null(find(KEYPAIR_OTHER));
	assert_non_null(find(KEYPAIR_ECDSA));
}

static void
when_no_key_is_wanted_the_present_becomes_old_and_the_offer_is_dropped(void **state)
{
	struct keyset *keyset = make(KEYPAIR_ECDSA);

	(void)state;
	keyshelf_retire(shelf, 0);
	keyshelf_offer(shelf, keyset);
	keyshelf_commit(shelf, 0);
	keyshelf_offer(shelf, make(KEYPAIR_OTHER));
	keyshelf_retire(shelf, 1);
	assert_null(find(KEYPAIR_OTHER));
	assert_ptr_equal(find(KEYPAIR_ECDSA), keyset);
	assert_true(keyshelf_tidy(shelf, 2) == LINGER - 1);
	assert_true(keyshelf_tidy(shelf, LINGER + 1) < 0);
	assert_null(find(KEYPAIR_ECDSA));
}

static void
whoever_found_a_set_keeps_it(void **state)
{
	(void)state;
	keyshelf_offer(shelf, make(KEYPAIR_ECDSA));
	struct keyset *found = keyshelf_find(shelf, keypairs_spki(KEYPAIR_ECDSA)->id);
	assert_non_null(found);
	keyshelf_offer(shelf, NULL);
	assert_int_equal(found->references, 1);
	assert_non_null(keyset_find(found, keypairs_spki(KEYPAIR_ECDSA)->id));
	keyset_unref(found);
	keyshelf_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_offered_signs_before_it_is_present, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_offer_that_is_taken_back_leaves_the_present, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_newest_that_has_a_key_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_old_signs_for_as_long_as_it_says_and_no_longer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_several_old_ones_the_next_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			when_no_key_is_wanted_the_present_becomes_old_and_the_offer_is_dropped,
			setup, teardown),
		cmocka_unit_test_setup_teardown(whoever_found_a_set_keeps_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, keypairs_make, keypairs_release);
}
