/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "tunnel/config.h"
#include "tunnel/fingerprint.h"

struct digest {
	uint8_t bytes[FINGERPRINT_SIZE];
};

static struct digest
of_texts(const char *const *list, size_t count)
{
	struct fingerprint fingerprint;
	struct digest digest;

	fingerprint_start(&fingerprint);
	for (size_t i = 0; i < count; i++)
		fingerprint_add_text(&fingerprint, list[i]);
	fingerprint_end(&fingerprint, digest.bytes);
	return digest;
}

/* The digest of two lists: the first @first of @list, and the others of @count. */
static struct digest
of_lists(const char *const *list, size_t first, size_t count)
{
	const struct texts begin = {list, first}, end = {list + first, count - first};
	struct fingerprint fingerprint;
	struct digest digest;

	fingerprint_start(&fingerprint);
	fingerprint_add_texts(&fingerprint, &begin);
	fingerprint_add_texts(&fingerprint, &end);
	fingerprint_end(&fingerprint, digest.bytes);
	return digest;
}

static void
assert_equal(struct digest a, const uint8_t *b)
{
	assert_memory_equal(a.bytes, b, FINGERPRINT_SIZE);
}

static void
assert_different(struct digest a, struct digest b)
{
	assert_memory_not_equal(a.bytes, b.bytes, FINGERPRINT_SIZE);
}

/* A fleet shares what is derived from it, whatever the machines are. */
static void
the_bytes_that_are_hashed_are_the_same_on_every_machine(void **state)
{
	static const uint8_t hashed[] = {3, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c', 8, 7, 6, 5, 4, 3, 2,
		1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
	struct fingerprint fingerprint;
	struct digest digest, expected;

	(void)state;
	fingerprint_start(&fingerprint);
	fingerprint_add(&fingerprint, "abc", 3);
	fingerprint_add_number(&fingerprint, 0x0102030405060708);
	fingerprint_add(&fingerprint, NULL, 0);
	fingerprint_add_text(&fingerprint, NULL);
	fingerprint_end(&fingerprint, digest.bytes);
	assert_null(fingerprint.handle);
	assert_int_equal(
		gnutls_hash_fast(GNUTLS_DIG_SHA256, hashed, sizeof(hashed), expected.bytes), 0);
	assert_equal(digest, expected.bytes);
}

static void
where_one_text_ends_and_the_next_begins_counts(void **state)
{
	static const char *const first[] = {"ab", "c"}, *const second[] = {"a", "bc"},
				 *const one[] = {"abc"};

	(void)state;
	assert_different(of_texts(first, 2), of_texts(second, 2));
	assert_different(of_texts(first, 2), of_texts(one, 1));
	assert_equal(of_texts(first, 2), of_texts(first, 2).bytes);
}

static void
no_text_an_empty_one_and_none_at_all_differ(void **state)
{
	static const char *const null[] = {NULL}, *const empty[] = {""};

	(void)state;
	assert_different(of_texts(null, 1), of_texts(empty, 1));
	assert_different(of_texts(null, 1), of_texts(null, 0));
	assert_different(of_texts(empty, 1), of_texts(empty, 0));
}

static void
where_a_list_ends_and_how_it_is_sorted_counts(void **state)
{
	static const char *const list[] = {"a", "b", "c"}, *const sorted[] = {"b", "a", "c"};

	(void)state;
	assert_different(of_lists(list, 1, 3), of_lists(list, 2, 3));
	assert_different(of_lists(list, 0, 3), of_lists(list, 3, 3));
	assert_different(of_lists(list, 3, 3), of_lists(sorted, 3, 3));
	assert_equal(of_lists(list, 2, 3), of_lists(list, 2, 3).bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_that_are_hashed_are_the_same_on_every_machine),
		cmocka_unit_test(where_one_text_ends_and_the_next_begins_counts),
		cmocka_unit_test(no_text_an_empty_one_and_none_at_all_differ),
		cmocka_unit_test(where_a_list_ends_and_how_it_is_sorted_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
