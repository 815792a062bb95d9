/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "bench/request.h"

static const struct request source = {
	.kind = REQUEST_SOURCE, .start = UINT64_C(0x0102030405060708), .bytes = UINT64_MAX};

static void
what_is_asked_for_is_understood(void **state)
{
	uint8_t bytes[REQUEST_SIZE];
	struct request understood;

	(void)state;
	request_encode(&source, bytes);
	assert_int_equal(request_decode(&understood, bytes, sizeof(bytes)), REQUEST_COMPLETE);
	assert_int_equal(understood.kind, REQUEST_SOURCE);
	assert_true(understood.start == source.start && understood.bytes == source.bytes);
}

static void
every_beginning_of_a_request_waits_for_more(void **state)
{
	uint8_t bytes[REQUEST_SIZE];
	struct request understood;

	(void)state;
	request_encode(&source, bytes);
	for (size_t size = 0; size < sizeof(bytes); size++)
		assert_int_equal(request_decode(&understood, bytes, size), REQUEST_INCOMPLETE);
}

static void
anything_else_is_none_from_its_first_strange_byte(void **state)
{
	uint8_t bytes[REQUEST_SIZE];
	struct request understood;

	(void)state;
	for (size_t strange = 0; strange < 8; strange++) {
		request_encode(&source, bytes);
		bytes[strange] ^= 1;
		assert_int_equal(request_decode(&understood, bytes, strange), REQUEST_INCOMPLETE);
		assert_int_equal(request_decode(&understood, bytes, strange + 1), REQUEST_OTHER);
	}
	request_encode(&source, bytes);
	bytes[15] = 77; /* a kind that there is not */
	assert_int_equal(request_decode(&understood, bytes, sizeof(bytes)), REQUEST_OTHER);
}

static void
a_verdict_arrives_as_it_was_given(void **state)
{
	const struct verdict given = {.received = UINT64_C(1) << 40, .wrong = 3};
	uint8_t bytes[VERDICT_SIZE];
	struct verdict taken;

	(void)state;
	verdict_encode(&given, bytes);
	verdict_decode(&taken, bytes);
	assert_true(taken.received == given.received && taken.wrong == given.wrong);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_is_understood),
		cmocka_unit_test(every_beginning_of_a_request_waits_for_more),
		cmocka_unit_test(anything_else_is_none_from_its_first_strange_byte),
		cmocka_unit_test(a_verdict_arrives_as_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
