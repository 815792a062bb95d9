/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "tests/unit/identities.h"
#include "tunnel/chain.h"

/*
 * root signs middle, and middle signs leaf. impostor bears the name of middle, and other that of root,
 * each with a key of its own; old has the name and the key of root, and is over.
 */
static struct pki_pair root, other, old, middle, impostor, leaf, stranger;
static gnutls_x509_crt_t anchors[2];
static struct trust trusted;
static struct chain chain;
static struct path path;

/* An authority below @issuer, which identities.h does not make. */
static void
sign(struct pki_pair *pair, const struct pki_pair *issuer)
{
	assert_int_equal(
		gnutls_x509_crt_sign2(pair->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0),
		0);
}

/* Make @pair what @young was before it was renewed. */
static void
age(struct pki_pair *pair, const struct pki_pair *young)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_privkey_init(&pair->key), 0);
	assert_int_equal(gnutls_x509_privkey_cpy(pair->key, young->key), 0);
	assert_int_equal(gnutls_x509_crt_export2(young->crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_x509_crt_init(&pair->crt), 0);
	assert_int_equal(gnutls_x509_crt_import(pair->crt, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(pair->crt, time(NULL) - 1), 0);
	sign(pair, pair);
}

static int
setup_group(void **state)
{
	(void)state;
	identities_make_authority(&root, "root");
	identities_make_authority(&other, "root");
	age(&old, &root);
	identities_make_authority(&stranger, "stranger");
	identities_make_authority(&middle, "middle");
	identities_make_authority(&impostor, "middle");
	sign(&middle, &root);
	identities_make_leaf(&leaf, &middle, "localhost", -1, 1);
	return 0;
}

static int
teardown_group(void **state)
{
	struct pki_pair *const pairs[] = {
		&root, &other, &old, &middle, &impostor, &leaf, &stranger};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		pki_pair_release(pairs[i]);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	trusted = (struct trust){.anchors = anchors};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	while (trusted.anchor_count > 0)
		gnutls_x509_crt_deinit(anchors[--trusted.anchor_count]);
	chain_release(&chain);
	return 0;
}

/* As a parsed one, since GnuTLS does not find what was made in memory. */
static void
trust(const struct pki_pair *pair)
{
	gnutls_x509_crt_t *anchor = &anchors[trusted.anchor_count++];
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_export2(pair->crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_x509_crt_init(anchor), 0);
	assert_int_equal(gnutls_x509_crt_import(*anchor, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
}

/* Parse what a peer with these certificates, up to the NULL, would send. */
static int
parse(const struct pki_pair *const *pairs)
{
	gnutls_datum_t ders[CHAIN_MAX + 1] = {{NULL, 0}};
	unsigned count = 0;

	for (; pairs[count]; count++) {
		assert_int_equal(gnutls_x509_crt_export2(
					 pairs[count]->crt, GNUTLS_X509_FMT_DER, &ders[count]),
			0);
	}
	int result = chain_parse(&chain, ders, count);
	while (count > 0)
		gnutls_free(ders[--count].data);
	return result;
}

static void
assert_path(const struct pki_pair *const *pairs)
{
	unsigned count = 0;

	assert_int_equal(path_find(&path, &chain, &trusted), 0);
	for (; pairs[count]; count++) {
		assert_true(count < path.count);
		assert_true(gnutls_x509_crt_equals(path.crts[count], pairs[count]->crt));
	}
	assert_int_equal(path.count, count);
}

static const struct pki_pair *const whole[] = {&leaf, &middle, &root, NULL};
static const struct pki_pair *const sent[] = {&leaf, &middle, NULL};

static void
a_path_ends_in_the_anchor_that_was_not_sent(void **state)
{
	(void)state;
	trust(&root);
	assert_int_equal(parse(sent), 0);
	assert_path(whole);
}

static void
a_path_has_the_anchor_once_if_it_was_sent(void **state)
{
	(void)state;
	trust(&root);
	assert_int_equal(parse(whole), 0);
	assert_path(whole);
}

static void
a_path_is_found_in_any_order(void **state)
{
	static const struct pki_pair *const mixed[] = {&leaf, &stranger, &root, &middle, NULL};

	(void)state;
	trust(&root);
	assert_int_equal(parse(mixed), 0);
	assert_path(whole);
}

static void
a_name_without_the_key_is_no_issuer(void **state)
{
	static const struct pki_pair *const diverted[] = {&leaf, &impostor, &middle, NULL};

	(void)state;
	trust(&root);
	assert_int_equal(parse(diverted), 0);
	assert_path(whole);
}

/* The path ends in the root where @anchor is trusted as well, before it and after it. */
static void
assert_root_is_found_beside(const struct pki_pair *anchor)
{
	const struct pki_pair *const order[] = {anchor, &root, anchor};

	for (int i = 0; i < 2; i++) {
		(void)setup(NULL);
		trust(order[i]);
		trust(order[i + 1]);
		assert_int_equal(parse(sent), 0);
		assert_path(whole);
		(void)teardown(NULL);
	}
}

static void
of_anchors_with_one_name_the_one_that_has_signed_is_found(void **state)
{
	(void)state;
	assert_root_is_found_beside(&other);
}

static void
of_anchors_with_one_key_the_one_that_lives_longest_is_found(void **state)
{
	(void)state;
	assert_root_is_found_beside(&old);
}

static void
an_intermediate_that_is_trusted_ends_the_path(void **state)
{
	static const struct pki_pair *const wanted[] = {&leaf, &middle, NULL};

	(void)state;
	trust(&middle);
	assert_int_equal(parse(sent), 0);
	assert_path(wanted);
}

static void
a_leaf_that_is_trusted_itself_is_a_path(void **state)
{
	static const struct pki_pair *const alone[] = {&leaf, NULL};

	(void)state;
	trust(&leaf);
	assert_int_equal(parse(alone), 0);
	assert_path(alone);
}

static void
an_anchor_that_shows_itself_is_a_path(void **state)
{
	static const struct pki_pair *const alone[] = {&root, NULL};

	(void)state;
	trust(&old);
	trust(&root);
	assert_int_equal(parse(alone), 0);
	assert_path(alone);
}

static void
there_is_no_path_without_an_anchor(void **state)
{
	static const struct pki_pair *const alone[] = {&leaf, NULL};

	(void)state;
	trust(&stranger);
	assert_int_equal(parse(sent), 0);
	assert_int_equal(path_find(&path, &chain, &trusted), -1);
	chain_release(&chain);
	trust(&root);
	assert_int_equal(parse(alone), 0);
	assert_int_equal(path_find(&path, &chain, &trusted), -1);
}

static void
a_path_expires_with_its_first_certificate(void **state)
{
	(void)state;
	trust(&root);
	assert_int_equal(parse(sent), 0);
	assert_int_equal(path_find(&path, &chain, &trusted), 0);
	assert_true(path_expiry(&path) == gnutls_x509_crt_get_expiration_time(leaf.crt));
}

static void
a_chain_is_bounded_and_well_formed(void **state)
{
	const struct pki_pair *many[CHAIN_MAX + 2] = {NULL};
	const gnutls_datum_t garbage = {.data = (unsigned char *)(uintptr_t) "garbage", .size = 7};

	(void)state;
	for (int i = 0; i < CHAIN_MAX; i++)
		many[i] = &leaf;
	assert_int_equal(parse(many), 0);
	chain_release(&chain);
	many[CHAIN_MAX] = &leaf;
	assert_int_equal(parse(many), -1);
	chain_release(&chain);
	assert_int_equal(chain_parse(&chain, &garbage, 1), -1);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_ends_in_the_anchor_that_was_not_sent),
		TEST(a_path_has_the_anchor_once_if_it_was_sent),
		TEST(a_path_is_found_in_any_order),
		TEST(a_name_without_the_key_is_no_issuer),
		TEST(of_anchors_with_one_name_the_one_that_has_signed_is_found),
		TEST(of_anchors_with_one_key_the_one_that_lives_longest_is_found),
		TEST(an_intermediate_that_is_trusted_ends_the_path),
		TEST(a_leaf_that_is_trusted_itself_is_a_path),
		TEST(an_anchor_that_shows_itself_is_a_path),
		TEST(there_is_no_path_without_an_anchor),
		TEST(a_path_expires_with_its_first_certificate),
		TEST(a_chain_is_bounded_and_well_formed),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
