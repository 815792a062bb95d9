/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/diag.h"
#include "common/similar.h"
#include "tunnel/options.h"

static void
every_row_is_complete(void **state)
{
	enum side side;

	(void)state;
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);
		bool is_required = option->traits & OPTION_REQUIRED;

		assert_int_equal(options_index(option), i);
		assert_true(option->value && option->summary && option->text);
		assert_int_equal(!option->initial && !option->otherwise, is_required);
		assert_int_equal(is_required, option->missing != NULL);
		assert_true(option->level == OPTION_OF_PROGRAM || option->modes);
		assert_int_equal(option->level == OPTION_OF_SIDE, option->sides != 0);
		assert_true(option->initial || option->sample[0] || option->sample[1]);
		if (option->needs) {
			const struct option *needed = options_find(option->needs, &side);
			assert_int_equal(needed->level, option->level);
			assert_true(options_index(needed) < i);
		}
	}
}

static bool
is_value(const struct option *option, const char *value)
{
	struct diag diag;
	uint64_t number;

	if (!value || option_parse(option, value, &number, &diag) == 0)
		return true;
	print_error("%s: \"%s\" %s\n", option->name, value, diag.text);
	return false;
}

static void
defaults_and_samples_are_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		assert_true(is_value(option, option->initial));
		assert_true(is_value(option, option->sample[0]));
		assert_true(is_value(option, option->sample[1]));
	}
}

static void
names_are_found_with_and_without_a_prefix(void **state)
{
	enum side side;

	(void)state;
	assert_string_equal(options_find("verify", &side)->name, "verify");
	assert_int_equal(side, SIDES);
	assert_string_equal(options_find("accept-verify", &side)->name, "verify");
	assert_int_equal(side, SIDE_ACCEPT);
	assert_string_equal(options_find("connect-key", &side)->name, "key");
	assert_int_equal(side, SIDE_CONNECT);
	assert_string_equal(options_find("connect-timeout", &side)->name, "connect-timeout");
	assert_int_equal(side, SIDES);
	assert_string_equal(options_find("accept-sni", &side)->name, "sni");
	assert_null(options_find("accept-keepalive", &side));
	assert_null(options_find("accept-", &side));
	assert_null(options_find("", &side));
}

static void
what_was_meant_is_suggested(void **state)
{
	char name[SIMILAR_LIMIT];

	(void)state;
	assert_true(options_suggest("acept", name, sizeof(name)));
	assert_string_equal(name, "accept");
	assert_true(options_suggest("handshake-timout", name, sizeof(name)));
	assert_string_equal(name, "handshake-timeout");
	assert_true(options_suggest("conect-verfiy", name, sizeof(name)));
	assert_string_equal(name, "connect-verify");
	assert_false(options_suggest("protocol", name, sizeof(name)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(defaults_and_samples_are_values),
		cmocka_unit_test(names_are_found_with_and_without_a_prefix),
		cmocka_unit_test(what_was_meant_is_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
