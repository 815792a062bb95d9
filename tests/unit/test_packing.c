/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/packing.h"
#include "common/unpacking.h"

static const uint8_t packed[] = {4, 3, 2, 1, 3, 0, 0, 0, 'a', 'b', 'c', 'x', 'y'};

static void
pack(struct packing *packing)
{
	packing_add_number(packing, 0x01020304);
	packing_add_block(packing, "abc", 3);
	packing_add(packing, "xy", 2);
}

static void
without_bytes_it_counts_and_with_them_it_writes_as_many(void **state)
{
	uint8_t bytes[sizeof(packed) + 1] = {[sizeof(packed)] = 0xee};
	struct packing counting = {0}, writing = {.bytes = bytes};

	(void)state;
	pack(&counting);
	assert_int_equal(counting.size, sizeof(packed));
	pack(&writing);
	assert_int_equal(writing.size, sizeof(packed));
	assert_memory_equal(bytes, packed, sizeof(packed));
	assert_int_equal(bytes[sizeof(packed)], 0xee);
}

static void
what_was_packed_comes_out_again(void **state)
{
	struct unpacking unpacking = {.bytes = packed, .left = sizeof(packed)};
	size_t size;

	(void)state;
	assert_int_equal(unpacking_take_number(&unpacking), 0x01020304);
	assert_memory_equal(unpacking_take_block(&unpacking, 3, &size), "abc", 3);
	assert_int_equal(size, 3);
	assert_false(unpacking_is_done(&unpacking));
	assert_memory_equal(unpacking_take(&unpacking, 2), "xy", 2);
	assert_true(unpacking_is_done(&unpacking));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_bytes_it_counts_and_with_them_it_writes_as_many),
		cmocka_unit_test(what_was_packed_comes_out_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
