/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "tunnel/statements.h"

static struct arena arena;
static struct statements statements;
static char told[2048];

/* Read @first and @second, the texts of the files "m" and "i". Returns the number of complaints. */
static size_t
read_texts(char *first, char *second)
{
	char m[] = "m", i[] = "i";
	struct config_text entries[] = {
		{.name = m, .data = first, .size = strlen(first)},
		{.name = i, .data = second, .size = strlen(second)},
	};
	const struct config_texts texts = {.entries = entries, .count = 2};
	struct complaints complaints;
	FILE *out = fmemopen(told, sizeof(told), "w");

	assert_non_null(out);
	memset(&statements, 0, sizeof(statements));
	complaints_init(&complaints, out);
	statements_read(&statements, &texts, &arena, &complaints);
	size_t count = complaints_tell(&complaints);
	(void)fputc('\0', out);
	assert_int_equal(fclose(out), 0);
	return count;
}

static int
teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static const struct assignment *
find(const struct scope *scope, const char *name)
{
	enum side side;
	const struct option *option = options_find(name, &side);

	assert_non_null(option);
	return scope->written[options_index(option)][side];
}

static void
every_assignment_stands_in_its_scope_with_its_place(void **state)
{
	char first[] = "idle-timeout = 5s\n[a]\naccept = *:1\naccept = *:2\n", second[] = "[b]\n";

	(void)state;
	assert_int_equal(read_texts(first, second), 0);
	assert_int_equal(statements.service_count, 2);
	assert_true(find(&statements.program, "idle-timeout")->is_valid);
	const struct assignment *accept = find(statements.services, "accept");
	assert_string_equal(accept->subject.value, "*:1");
	assert_int_equal(accept->subject.place.line, 3);
	assert_string_equal(accept->subject.service, "a");
	assert_string_equal(accept->again->subject.value, "*:2");
	assert_null(accept->again->again);
	assert_string_equal(statements.services->next->subject.service, "b");
	assert_string_equal(statements.services->next->subject.place.file, "i");
}

static void
the_first_value_of_two_counts_and_the_second_is_told(void **state)
{
	char first[] = "[a]\nca = x\nca = y\n", second[] = "[a]\n";

	(void)state;
	assert_int_equal(read_texts(first, second), 2);
	assert_string_equal(find(statements.services, "ca")->subject.value, "x");
	assert_non_null(strstr(told,
		"m:3: service a: ca: \"y\" is a second value, after that in "
		"line 2; "));
	assert_non_null(strstr(told, "the name is used already in m:1; "));
	assert_int_equal(statements.service_count, 1);
}

static void
what_stands_in_the_wrong_place_is_told(void **state)
{
	char first[] = "accept = *:1\n[a]\nuser = u\nacept = *:1\n[-]\n", second[] = "cert = x\n";

	(void)state;
	assert_int_equal(read_texts(first, second), 5);
	assert_non_null(strstr(told, "m:1: accept: \"*:1\" stands before the first section, "));
	assert_non_null(strstr(told, "m:3: service a: user: \"u\" stands in a section, "));
	assert_non_null(strstr(told, "m:4: service a: acept: is no option; did you mean accept?"));
	assert_non_null(strstr(told, "m:5: \"-\" is not a name for a service; "));
	assert_non_null(strstr(told, "i:1: cert: \"x\" stands before the first section, and inc"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			every_assignment_stands_in_its_scope_with_its_place, teardown),
		cmocka_unit_test_teardown(
			the_first_value_of_two_counts_and_the_second_is_told, teardown),
		cmocka_unit_test_teardown(what_stands_in_the_wrong_place_is_told, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
