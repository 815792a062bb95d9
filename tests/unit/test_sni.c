/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/sni.h"

static struct sni *
table(void)
{
	static const struct sni_pattern patterns[] = {
		{"*.Example.net", 1},
		{"www.example.net", 2},
		{"*.www.example.net", 3},
		{"example.net", 4},
		{"DB.test", 5},
		{"xn--dmin-moa0i.test", 6},
	};
	struct sni *sni = sni_new(patterns, sizeof(patterns) / sizeof(patterns[0]));

	assert_non_null(sni);
	return sni;
}

static void
expect(const char *name, size_t index)
{
	struct sni *sni = table();
	size_t got = sni_find(sni, name);

	sni_free(sni);
	if (got != index)
		fail_msg("%s: %zu instead of %zu", name, got, index);
}

static void
a_name_belongs_to_its_own_pattern_before_a_star(void **state)
{
	(void)state;
	expect("www.example.net", 2);
	expect("mail.example.net", 1);
	expect("example.net", 4);
	expect("a.www.example.net", 3);
	expect("xn--dmin-moa0i.test", 6);
}

static void
patterns_are_compared_without_case(void **state)
{
	(void)state;
	expect("db.test", 5);
	expect("mail.example.net", 1);
}

static void
a_star_is_just_one_label(void **state)
{
	(void)state;
	expect("a.b.example.net", SNI_NONE);
	expect(".example.net", SNI_NONE);
	expect("a.b.www.example.net", SNI_NONE);
}

static void
what_no_pattern_has_is_found_nowhere(void **state)
{
	(void)state;
	expect("", SNI_NONE);
	expect(".", SNI_NONE);
	expect("net", SNI_NONE);
	expect("*", SNI_NONE);
	expect("db.test.", SNI_NONE);
	expect("db.test.example", SNI_NONE);
}

static void
a_name_of_any_length_is_looked_up(void **state)
{
	char name[400];

	(void)state;
	for (size_t length = 0; length < sizeof(name) - 14; length++) {
		memset(name, 'x', length);
		(void)snprintf(name + length, sizeof(name) - length, ".example.net");
		expect(name, length > 0 && length + 12 <= SNI_PATTERN_MAX ? 1 : SNI_NONE);
	}
}

static void
every_one_of_thousands_of_names_is_found(void **state)
{
	enum { COUNT = 5000 };
	static char texts[COUNT][32];
	static struct sni_pattern patterns[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "n%zu.test", i * 7919 % COUNT);
		patterns[i] = (struct sni_pattern){texts[i], i};
	}
	struct sni *sni = sni_new(patterns, COUNT);
	assert_non_null(sni);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(sni_find(sni, texts[i]), i);
	assert_true(sni_find(sni, "n5000.test") == SNI_NONE);
	sni_free(sni);
}

static void
an_empty_table_finds_nothing(void **state)
{
	struct sni *sni = sni_new(NULL, 0);

	(void)state;
	assert_non_null(sni);
	assert_true(sni_find(sni, "a.test") == SNI_NONE);
	sni_free(sni);
}

static void
what_can_never_match_is_no_pattern(void **state)
{
	static const char *const bad[] = {"", "*", "*.", ".", "a.", ".a", "a..b", "*.*.a", "a.*",
		"a*.b", "*a.b", "a b", "a/b", "\xc3\xa4.test", "[::1]", "a:1",
		"0123456789012345678901234567890123456789012345678901234567890123.test"};
	static const char *const good[] = {
		"a", "*.a", "A.b-c.test", "_srv.test", "192.0.2.1", "*.a.b.c.d.e"};
	char longest[SNI_PATTERN_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct diag diag = {""};
		if (sni_check(bad[i], &diag) == 0)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_true(diag.text[0]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct diag diag = {""};
		if (sni_check(good[i], &diag) < 0)
			fail_msg("\"%s\" %s", good[i], diag.text);
	}
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[SNI_PATTERN_MAX] = '\0';
	struct diag diag;
	assert_int_equal(sni_check(longest, &diag), 0);
	longest[SNI_PATTERN_MAX] = 'a';
	longest[SNI_PATTERN_MAX + 1] = '\0';
	assert_int_equal(sni_check(longest, &diag), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_belongs_to_its_own_pattern_before_a_star),
		cmocka_unit_test(patterns_are_compared_without_case),
		cmocka_unit_test(a_star_is_just_one_label),
		cmocka_unit_test(what_no_pattern_has_is_found_nowhere),
		cmocka_unit_test(a_name_of_any_length_is_looked_up),
		cmocka_unit_test(every_one_of_thousands_of_names_is_found),
		cmocka_unit_test(an_empty_table_finds_nothing),
		cmocka_unit_test(what_can_never_match_is_no_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
