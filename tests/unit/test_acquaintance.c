/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "tests/unit/identities.h"
#include "tunnel/acquaintance.h"
#include "tunnel/chain.h"

static struct pki_pair authority, leaf;

/* What a chain of @first and @second says. */
static struct acquaintance *
meet(const struct pki_pair *first, const struct pki_pair *second)
{
	const struct chain chain = {.crts = {first->crt, second->crt}, .count = 2};
	struct acquaintance *acquaintance = acquaintance_new(&chain);

	assert_non_null(acquaintance);
	return acquaintance;
}

static bool
has_fact(const struct acquaintance *acquaintance, enum fact_kind kind, const char *text)
{
	const struct facts *facts = &acquaintance->peer.facts;

	for (size_t i = 0; i < facts->count; i++) {
		if (facts->list[i].kind == kind && facts->list[i].size == strlen(text) &&
			memcmp(facts->list[i].bytes, text, strlen(text)) == 0)
			return true;
	}
	return false;
}

static void
it_knows_what_the_first_certificate_says(void **state)
{
	(void)state;
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	struct acquaintance *acquaintance = meet(&leaf, &authority);
	assert_string_equal(acquaintance->identity, "dns:localhost CN=leaf");
	assert_true(acquaintance->is_readable);
	assert_false(acquaintance->must_staple);
	assert_true(has_fact(acquaintance, FACT_DNS, "localhost"));
	assert_true(has_fact(acquaintance, FACT_CN, "leaf"));
	assert_false(has_fact(acquaintance, FACT_CN, "authority"));
	assert_null(acquaintance->peer.facts.from);
	acquaintance_unref(acquaintance);
	pki_pair_release(&leaf);
}

static void
it_ends_with_the_first_certificate_that_expires(void **state)
{
	(void)state;
	for (int days = 1; days < 40; days += 38) {
		identities_make_leaf(&leaf, &authority, "localhost", -1, days);
		struct acquaintance *acquaintance = meet(&leaf, &authority);
		const struct pki_pair *first = days == 1 ? &leaf : &authority;
		assert_true(acquaintance->until == gnutls_x509_crt_get_expiration_time(first->crt));
		acquaintance_unref(acquaintance);
		pki_pair_release(&leaf);
	}
}

static void
it_knows_whether_a_staple_is_demanded(void **state)
{
	/* The extension of RFC 7633 with the feature status_request. */
	const unsigned char feature[] = {0x30, 3, 2, 1, 5};

	(void)state;
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	assert_int_equal(gnutls_x509_crt_set_extension_by_oid(
				 leaf.crt, "1.3.6.1.5.5.7.1.24", feature, sizeof(feature), 0),
		0);
	struct acquaintance *acquaintance = meet(&leaf, &authority);
	assert_true(acquaintance->must_staple);
	acquaintance_unref(acquaintance);
	pki_pair_release(&leaf);
}

static void
it_lives_as_long_as_somebody_refers_to_it(void **state)
{
	(void)state;
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	struct acquaintance *acquaintance = meet(&leaf, &authority);
	assert_ptr_equal(acquaintance_ref(acquaintance), acquaintance);
	acquaintance_unref(acquaintance);
	assert_string_equal(acquaintance->identity, "dns:localhost CN=leaf");
	acquaintance_unref(acquaintance);
	acquaintance_unref(NULL);
	pki_pair_release(&leaf);
}

static int
begin(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	pki_pair_release(&authority);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_knows_what_the_first_certificate_says),
		cmocka_unit_test(it_ends_with_the_first_certificate_that_expires),
		cmocka_unit_test(it_knows_whether_a_staple_is_demanded),
		cmocka_unit_test(it_lives_as_long_as_somebody_refers_to_it),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
