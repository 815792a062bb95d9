/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tunnel/complaint.h"

static struct complaints complaints;
static FILE *out;
static char *told;

static int
setup(void **state)
{
	static size_t size;

	(void)state;
	out = open_memstream(&told, &size);
	if (!out)
		return -1;
	complaints_init(&complaints, out);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(told);
	told = NULL;
	return 0;
}

/* Tell all, which must be @count, as @words. */
static void
expect(size_t count, const char *words)
{
	assert_int_equal(complaints_tell(&complaints), count);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(told, words);
}

static void
the_order_is_that_of_the_places(void **state)
{
	const struct subject late = {.place = {.file = "a", .number = 0, .line = 9}};
	const struct subject other = {.place = {.file = "b", .number = 1, .line = 1}};
	const struct subject early = {.place = {.file = "a", .number = 0, .line = 2}};

	(void)state;
	complaints_add(&complaints, &other, "fourth");
	complaints_add(&complaints, &late, "second");
	complaints_add(&complaints, &late, "%s", "third");
	complaints_add(&complaints, &early, "first");
	expect(4, "a:2: first\na:9: second\na:9: third\nb:1: fourth\n");
}

static void
what_was_said_is_not_said_again(void **state)
{
	const struct subject here = {.place = {.file = "a", .line = 1}};
	const struct subject there = {.place = {.file = "a", .line = 2}};

	(void)state;
	complaints_add(&complaints, &here, "bad");
	complaints_add(&complaints, &here, "bad");
	complaints_add(&complaints, &there, "bad");
	expect(2, "a:1: bad\na:2: bad\n");
}

static void
after_a_thousand_they_are_only_counted(void **state)
{
	struct subject here = {.place = {.file = "a", .line = 1}};

	(void)state;
	for (unsigned i = 1; i <= 1003; i++) {
		here.place.line = i;
		complaints_add(&complaints, &here, "bad");
	}
	assert_int_equal(complaints_tell(&complaints), 1003);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(told, "\na:1000: bad\n3 more errors are not shown\n"));
	assert_null(strstr(told, "a:1001:"));
}

static void
they_are_forgotten_when_they_were_told(void **state)
{
	const struct subject here = {.place = {.file = "a", .line = 1}};

	(void)state;
	complaints_add(&complaints, &here, "bad");
	assert_int_equal(complaints_tell(&complaints), 1);
	complaints_add(&complaints, &here, "bad");
	expect(1, "a:1: bad\na:1: bad\n");
}

static void
expect_subject(const struct subject *subject, const char *words)
{
	char array[256];
	struct text text;

	text_init(&text, array, sizeof(array));
	subject_print(subject, &text);
	assert_string_equal(array, words);
}

static void
a_subject_says_file_line_service_option_and_value(void **state)
{
	struct subject subject = {.place = {.file = "m", .line = 3}};

	(void)state;
	expect_subject(&subject, "m:3: ");
	subject.service = "s";
	subject.option = "accept";
	subject.value = "x";
	expect_subject(&subject, "m:3: service s: accept: \"x\" ");
	subject.place.line = 0;
	subject.value = NULL;
	expect_subject(&subject, "m: service s: accept: ");
	expect(0, "");
}

static void
a_flag_is_named_as_it_was_written(void **state)
{
	struct subject subject = {.place = {.file = "f", .line = 3, .is_flags = true}};

	(void)state;
	subject.service = "encrypt";
	expect_subject(&subject, "command line: ");
	subject.option = "accept";
	subject.value = "x";
	expect_subject(&subject, "--accept: \"x\" ");
	expect(0, "");
}

static void
a_value_cannot_forge_a_line_and_is_cut(void **state)
{
	char value[2000], array[2000];
	struct subject subject = {.place = {.file = "m", .line = 3}, .value = "a\n\"b"};
	struct text text;

	(void)state;
	expect_subject(&subject, "m:3: \"a\\x0a\\\"b\" ");
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	subject.value = value;
	text_init(&text, array, sizeof(array));
	subject_print(&subject, &text);
	assert_int_equal(text.length, strlen("m:3: \"") + 1024 + strlen("...\" "));
	assert_string_equal(array + text.length - 6, "v...\" ");
	expect(0, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_order_is_that_of_the_places),
		TEST(what_was_said_is_not_said_again),
		TEST(after_a_thousand_they_are_only_counted),
		TEST(they_are_forgotten_when_they_were_told),
		TEST(a_subject_says_file_line_service_option_and_value),
		TEST(a_flag_is_named_as_it_was_written),
		TEST(a_value_cannot_forge_a_line_and_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
