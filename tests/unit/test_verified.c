/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <string.h>

#include "tunnel/acquaintance.h"
#include "tunnel/verified.h"

static const time_t now = 1000000;

/* Whom all the chains here belong to; never freed, since a reference stays here. */
static struct acquaintance somebody = {.references = 1};

static bool
has(struct verified *verified, const struct verified_key *key, time_t when)
{
	struct acquaintance *found = verified_recall(verified, key, when);

	if (!found)
		return false;
	assert_ptr_equal(found, &somebody);
	acquaintance_unref(found);
	return true;
}

/* Nothing is remembered of anybody any more. */
static void
forget(struct verified *verified)
{
	verified_free(verified);
	assert_int_equal(somebody.references, 1);
}

static gnutls_datum_t
datum(const char *text)
{
	return (gnutls_datum_t){
		.data = (unsigned char *)(uintptr_t)text, .size = (unsigned)strlen(text)};
}

static struct verified_key
key_of(const char *first, const char *second, const char *name)
{
	const gnutls_datum_t certificates[] = {datum(first), datum(second)};

	return verified_key_of(certificates, 2, name);
}

static bool
are_equal(struct verified_key a, struct verified_key b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static void
a_key_says_where_one_certificate_ends(void **state)
{
	(void)state;
	assert_true(are_equal(key_of("leaf", "ca", "name"), key_of("leaf", "ca", "name")));
	assert_false(are_equal(key_of("leaf", "ca", "name"), key_of("leafc", "a", "name")));
	assert_false(are_equal(key_of("leaf", "ca", "name"), key_of("leaf", "cb", "name")));
}

static void
a_key_says_for_which_name(void **state)
{
	(void)state;
	assert_false(are_equal(key_of("leaf", "ca", "name"), key_of("leaf", "ca", "other")));
	assert_false(are_equal(key_of("leaf", "ca", "name"), key_of("leaf", "ca", NULL)));
}

static void
what_was_not_added_is_not_there(void **state)
{
	struct verified *verified = verified_new();
	struct verified_key key = key_of("leaf", "ca", NULL);
	struct verified_key other = key;

	(void)state;
	assert_false(has(verified, &key, now));
	verified_add(verified, &key, &somebody, now, now + 3600);
	assert_true(has(verified, &key, now));
	/* The same place of the table. */
	other.bytes[31] ^= 1;
	assert_false(has(verified, &other, now));
	forget(verified);
}

static void
an_entry_ends_after_minutes(void **state)
{
	struct verified *verified = verified_new();
	struct verified_key key = key_of("leaf", "ca", NULL);

	(void)state;
	verified_add(verified, &key, &somebody, now, now + 3600);
	assert_true(has(verified, &key, now + VERIFIED_SECONDS));
	assert_false(has(verified, &key, now + VERIFIED_SECONDS + 1));
	forget(verified);
}

static void
an_entry_ends_with_its_certificate(void **state)
{
	struct verified *verified = verified_new();
	struct verified_key key = key_of("leaf", "ca", NULL);

	(void)state;
	verified_add(verified, &key, &somebody, now, now + 2);
	assert_true(has(verified, &key, now + 2));
	assert_false(has(verified, &key, now + 3));
	forget(verified);
}

static void
a_clock_that_was_set_back_finds_nothing(void **state)
{
	struct verified *verified = verified_new();
	struct verified_key key = key_of("leaf", "ca", NULL);

	(void)state;
	verified_add(verified, &key, &somebody, now, now + 3600);
	assert_false(has(verified, &key, now - 1));
	forget(verified);
}

static void
the_number_of_entries_is_bounded(void **state)
{
	struct verified *verified = verified_new();
	struct verified_key key = {{0}};
	unsigned found = 0;

	(void)state;
	for (uint32_t i = 0; i < 4 * VERIFIED_LIMIT; i++) {
		memcpy(key.bytes, &i, sizeof(i));
		verified_add(verified, &key, &somebody, now, now + 3600);
	}
	for (uint32_t i = 0; i < 4 * VERIFIED_LIMIT; i++) {
		memcpy(key.bytes, &i, sizeof(i));
		found += has(verified, &key, now);
	}
	assert_int_equal(found, VERIFIED_LIMIT);
	forget(verified);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_says_where_one_certificate_ends),
		cmocka_unit_test(a_key_says_for_which_name),
		cmocka_unit_test(what_was_not_added_is_not_there),
		cmocka_unit_test(an_entry_ends_after_minutes),
		cmocka_unit_test(an_entry_ends_with_its_certificate),
		cmocka_unit_test(a_clock_that_was_set_back_finds_nothing),
		cmocka_unit_test(the_number_of_entries_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
