/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "bench/pattern.h"

static void
a_stream_is_the_same_however_it_is_cut(void **state)
{
	const uint64_t far = UINT64_C(1) << 40;

	(void)state;
	for (uint64_t at = 1; at < PATTERN_CHUNK; at = at * 3 + 1) {
		assert_memory_equal(
			pattern_at(7, far) + at, pattern_at(7, far + at), PATTERN_CHUNK - at);
	}
}

static void
a_changed_byte_is_counted(void **state)
{
	static uint8_t data[PATTERN_CHUNK];

	(void)state;
	memcpy(data, pattern_at(7, 1000), sizeof(data));
	assert_int_equal(pattern_check(7, 1000, data, sizeof(data)), 0);
	data[0] ^= 1;
	data[sizeof(data) - 1] ^= 0x80;
	assert_int_equal(pattern_check(7, 1000, data, sizeof(data)), 2);
}

/* Of random bytes, one in 256 is right by chance. */
static void
a_shift_makes_nearly_everything_wrong(void **state)
{
	const uint64_t shifts[] = {1, 16, 1460, 4096, 16384, 65520, 65535, 65536, 1 << 20, 1 << 30};

	(void)state;
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		uint64_t wrong = pattern_check(7, 0, pattern_at(7, shifts[i]), 16384);
		assert_true(wrong > 16384 * 98 / 100);
	}
}

static void
streams_with_other_starts_differ(void **state)
{
	(void)state;
	assert_true(pattern_check(1, 0, pattern_at(8192, 0), 16384) > 16384 * 98 / 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_the_same_however_it_is_cut),
		cmocka_unit_test(a_changed_byte_is_counted),
		cmocka_unit_test(a_shift_makes_nearly_everything_wrong),
		cmocka_unit_test(streams_with_other_starts_differ),
	};

	pattern_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
