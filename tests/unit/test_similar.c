/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/similar.h"

static void
every_kind_of_slip_counts_one(void **state)
{
	(void)state;
	assert_int_equal(similar_distance("accept", "accept"), 0);
	assert_int_equal(similar_distance("accept", "acccept"), 1);
	assert_int_equal(similar_distance("accept", "acept"), 1);
	assert_int_equal(similar_distance("accept", "eccept"), 1);
	assert_int_equal(similar_distance("accept", "acecpt"), 1);
	assert_int_equal(similar_distance("accept", "caccetp"), 2);
	assert_int_equal(similar_distance("kitten", "sitting"), 3);
}

static void
an_empty_word_is_as_far_as_the_other_is_long(void **state)
{
	(void)state;
	assert_int_equal(similar_distance("", ""), 0);
	assert_int_equal(similar_distance("", "mode"), 4);
	assert_int_equal(similar_distance("mode", ""), 4);
}

static void
words_up_to_the_limit_are_compared_and_longer_ones_are_far(void **state)
{
	char word[SIMILAR_LIMIT + 2] = "", other[SIMILAR_LIMIT + 2] = "";

	(void)state;
	memset(word, 'a', SIMILAR_LIMIT);
	memset(other, 'a', SIMILAR_LIMIT);
	other[SIMILAR_LIMIT - 1] = 'b';
	assert_int_equal(similar_distance(word, other), 1);
	word[SIMILAR_LIMIT] = 'a';
	assert_int_equal(similar_distance(word, other), SIMILAR_LIMIT);
	assert_int_equal(similar_distance(other, word), SIMILAR_LIMIT);
}

static void
a_longer_word_may_have_more_slips(void **state)
{
	(void)state;
	assert_true(similar_is_near("ca", 1));
	assert_false(similar_is_near("ca", 2));
	assert_true(similar_is_near("idle-timeout", 4));
	assert_false(similar_is_near("idle-timeout", 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_slip_counts_one),
		cmocka_unit_test(an_empty_word_is_as_far_as_the_other_is_long),
		cmocka_unit_test(words_up_to_the_limit_are_compared_and_longer_ones_are_far),
		cmocka_unit_test(a_longer_word_may_have_more_slips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
