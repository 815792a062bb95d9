/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/defs.h"
#include "tunnel/records.h"

static void
only_whole_records_are_ready(void **state)
{
	static const uint8_t two[] = {22, 3, 1, 0, 2, 'a', 'b', 23, 3, 3, 0, 1, 'c'};
	static const size_t ready[] = {0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 13};

	(void)state;
	for (size_t length = 0; length <= sizeof(two); length++)
		assert_int_equal(records_ready(two, length), ready[length]);
}

static void
what_cannot_be_a_record_is_ready_at_once(void **state)
{
	static const struct {
		uint8_t bytes[6];
		size_t length, ready;
	} cases[] = {
		{{'G'}, 1, 1},			/* HTTP */
		{{0x80, 0x2e}, 2, 2},		/* an SSL 2 hello */
		{{22, 2}, 2, 2},		/* SSL 2's major version */
		{{23, 3, 3, 0x48, 0x01}, 5, 5}, /* 16 KiB + 2049 */
		{{23, 3, 3, 0x48, 0x00}, 5, 0}, /* 16 KiB + 2048 */
		{{24, 3, 3, 0, 1}, 5, 5},	/* heartbeat */
		{{21, 3}, 2, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(records_ready(cases[i].bytes, cases[i].length), cases[i].ready);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_records_are_ready),
		cmocka_unit_test(what_cannot_be_a_record_is_ready_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
