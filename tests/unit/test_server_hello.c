/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "tunnel/server_hello.h"

/* RFC 8446 section 4.1.3: the random of a HelloRetryRequest. */
static const char retry[] = "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91"
			    "\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C";
static const char any[33] = "0123456789abcdef0123456789abcdef";

static const char version_1_3[] = "\0\x2b\0\2\3\4";
static const char version_other[] = "\0\x2b\0\2\3\3";
static const char key[] = "\0\x29\0\2\0\0";
static const char share[] = "\0\x33\0\4\0\x1d\0\0";

static uint8_t wire[512];
static size_t size;

static void
put(const void *bytes, size_t count)
{
	assert_true(size + count <= sizeof(wire));
	memcpy(wire + size, bytes, count);
	size += count;
}

/* Make a ServerHello with @random and two extensions, the second of which may be NULL. */
static void
make(const char *random, const char *first, size_t first_size, const char *second,
	size_t second_size)
{
	size_t extensions = first_size + second_size;
	size_t message = 2 + 32 + 1 + 4 + 3 + 2 + extensions;
	const uint8_t head[] = {22, 3, 3, (uint8_t)((message + 4) >> 8), (uint8_t)(message + 4), 2,
		0, (uint8_t)(message >> 8), (uint8_t)message, 3, 3};
	const uint8_t lengths[] = {(uint8_t)(extensions >> 8), (uint8_t)extensions};

	size = 0;
	put(head, sizeof(head));
	put(random, 32);
	put("\4abcd", 5);
	put("\x13\1\0", 3);
	put(lengths, sizeof(lengths));
	put(first, first_size);
	if (second)
		put(second, second_size);
}

/* Read from an array of exactly that size, so that a sanitizer sees a byte too far. */
static struct server_hello
read_first(size_t count)
{
	uint8_t *copy = malloc(count + !count);

	assert_non_null(copy);
	memcpy(copy, wire, count);
	struct server_hello hello = server_hello_read(copy, count);
	free(copy);
	return hello;
}

static void
a_key_and_the_version_mean_a_resumption(void **state)
{
	(void)state;
	make(any, key, sizeof(key) - 1, version_1_3, sizeof(version_1_3) - 1);
	assert_true(read_first(size).is_there);
	assert_false(read_first(size).is_retry);
	assert_true(read_first(size).resumes);
	make(any, version_1_3, sizeof(version_1_3) - 1, key, sizeof(key) - 1);
	assert_true(read_first(size).resumes);
}

static void
one_of_both_is_none(void **state)
{
	(void)state;
	make(any, key, sizeof(key) - 1, share, sizeof(share) - 1);
	assert_true(read_first(size).is_there);
	assert_false(read_first(size).resumes);
	make(any, version_1_3, sizeof(version_1_3) - 1, share, sizeof(share) - 1);
	assert_false(read_first(size).resumes);
	make(any, key, sizeof(key) - 1, version_other, sizeof(version_other) - 1);
	assert_false(read_first(size).resumes);
}

static void
a_retry_is_told_from_a_hello(void **state)
{
	(void)state;
	make(retry, key, sizeof(key) - 1, version_1_3, sizeof(version_1_3) - 1);
	assert_true(read_first(size).is_there);
	assert_true(read_first(size).is_retry);
	assert_false(read_first(size).resumes);
}

static void
what_is_cut_short_promises_nothing(void **state)
{
	(void)state;
	make(any, key, sizeof(key) - 1, version_1_3, sizeof(version_1_3) - 1);
	for (size_t count = 0; count < size; count++) {
		assert_false(read_first(count).is_there);
		assert_false(read_first(count).resumes);
	}
	/* The extensions say that they are longer than the message. */
	wire[size - sizeof(key) - sizeof(version_1_3) + 1]++;
	assert_false(read_first(size).resumes);
}

static void
anything_else_is_no_hello(void **state)
{
	(void)state;
	make(any, key, sizeof(key) - 1, version_1_3, sizeof(version_1_3) - 1);
	wire[0] = 23;
	assert_false(read_first(size).is_there);
	wire[0] = 22;
	wire[5] = 1;
	assert_false(read_first(size).is_there);
	wire[5] = 2;
	wire[8] = 3;
	assert_false(read_first(size).is_there);
	assert_false(server_hello_read(NULL, 0).is_there);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_and_the_version_mean_a_resumption),
		cmocka_unit_test(one_of_both_is_none),
		cmocka_unit_test(a_retry_is_told_from_a_hello),
		cmocka_unit_test(what_is_cut_short_promises_nothing),
		cmocka_unit_test(anything_else_is_no_hello),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
