/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tunnel/signing.h"

static uint8_t bytes[SIGNING_REQUEST_SIZE], data[SIGNING_DATA_LIMIT];
static const uint8_t id[SIGNING_ID_SIZE] = "the id of a key";

static size_t
encode_request(size_t size)
{
	const struct signing_request request = {
		.number = 7, .algorithm = 9, .id = id, .data = data, .size = size};

	return signing_encode_request(&request, bytes);
}

static size_t
encode_answer(bool good, size_t size)
{
	const struct signing_answer answer = {
		.number = 7, .good = good, .bytes = data, .size = size};

	return signing_encode_answer(&answer, bytes);
}

static void
a_request_of_any_size_up_to_the_limit_comes_out_again(void **state)
{
	static const size_t sizes[] = {0, 1, 32, SIGNING_DATA_LIMIT};

	(void)state;
	memset(data, 0x5a, sizeof(data));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct signing_request request;
		size_t size = encode_request(sizes[i]);
		assert_true(size <= SIGNING_REQUEST_SIZE);
		assert_int_equal(signing_decode_request(&request, bytes, size), 0);
		assert_int_equal(request.number, 7);
		assert_int_equal(request.algorithm, 9);
		assert_memory_equal(request.id, id, SIGNING_ID_SIZE);
		assert_int_equal(request.size, sizes[i]);
		assert_memory_equal(request.data, data, sizes[i]);
	}
}

static void
an_answer_is_a_signature_or_words(void **state)
{
	struct signing_answer answer;

	(void)state;
	assert_int_equal(signing_decode_answer(&answer, bytes, encode_answer(true, 64)), 0);
	assert_true(answer.good && answer.number == 7 && answer.size == 64);
	assert_int_equal(
		signing_decode_answer(&answer, bytes, encode_answer(false, SIGNING_ANSWER_LIMIT)),
		0);
	assert_false(answer.good);
	assert_int_equal(answer.size, SIGNING_ANSWER_LIMIT);
}

static void
no_message_is_good_when_it_is_cut_or_longer_or_of_the_other_kind(void **state)
{
	struct signing_request request;
	struct signing_answer answer;
	size_t size = encode_request(32);

	(void)state;
	for (size_t less = 0; less < size; less++)
		assert_int_equal(signing_decode_request(&request, bytes, less), -1);
	assert_int_equal(signing_decode_request(&request, bytes, size + 1), -1);
	assert_int_equal(signing_decode_answer(&answer, bytes, size), -1);
	size = encode_answer(true, 32);
	for (size_t less = 0; less < size; less++)
		assert_int_equal(signing_decode_answer(&answer, bytes, less), -1);
	assert_int_equal(signing_decode_answer(&answer, bytes, size + 1), -1);
	assert_int_equal(signing_decode_request(&request, bytes, size), -1);
}

static void
what_does_not_begin_as_a_message_of_ours_is_none(void **state)
{
	struct signing_request request;
	struct signing_answer answer;
	size_t size = encode_request(32);

	(void)state;
	bytes[0] ^= 1;
	assert_int_equal(signing_decode_request(&request, bytes, size), -1);
	size = encode_answer(true, 32);
	bytes[0] ^= 1;
	assert_int_equal(signing_decode_answer(&answer, bytes, size), -1);
}

static void
what_says_that_it_is_larger_than_the_limit_is_refused(void **state)
{
	uint8_t *large = calloc(1, SIGNING_REQUEST_SIZE + 64);
	struct signing_request request;
	size_t size = encode_request(0);
	const uint32_t length = SIGNING_DATA_LIMIT + 1;

	(void)state;
	memcpy(large, bytes, size);
	memcpy(large + size - sizeof(length), &length, sizeof(length));
	assert_int_equal(signing_decode_request(&request, large, size + length), -1);
	free(large);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_any_size_up_to_the_limit_comes_out_again),
		cmocka_unit_test(an_answer_is_a_signature_or_words),
		cmocka_unit_test(no_message_is_good_when_it_is_cut_or_longer_or_of_the_other_kind),
		cmocka_unit_test(what_does_not_begin_as_a_message_of_ours_is_none),
		cmocka_unit_test(what_says_that_it_is_larger_than_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
