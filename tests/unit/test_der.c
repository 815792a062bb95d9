/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tunnel/der.h"

/* A copy with nothing behind it, so that a sanitizer sees who reads on. */
static struct der
exactly(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size + !size);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return (struct der){copy, size};
}

static void
elements_are_taken_one_after_the_other(void **state)
{
	static const uint8_t bytes[] = {
		DER_INTEGER, 1, 5, DER_SEQUENCE, 3, DER_OID, 1, 9, DER_OCTET_STRING, 0};
	struct der rest = {bytes, sizeof(bytes)}, content, element;

	(void)state;
	assert_true(der_is(&rest, DER_INTEGER));
	assert_int_equal(der_take(&rest, DER_INTEGER, &content), 0);
	assert_ptr_equal(content.at, bytes + 2);
	assert_int_equal(content.size, 1);
	assert_int_equal(der_take_whole(&rest, &element), 0);
	assert_ptr_equal(element.at, bytes + 3);
	assert_int_equal(element.size, 5);
	assert_int_equal(der_take(&rest, DER_OCTET_STRING, &content), 0);
	assert_int_equal(content.size, 0);
	assert_int_equal(rest.size, 0);
	assert_false(der_is(&rest, DER_OCTET_STRING));
	assert_int_equal(der_take_whole(&rest, &element), -1);
}

static void
another_tag_is_not_taken_and_stays(void **state)
{
	static const uint8_t bytes[] = {DER_INTEGER, 1, 5};
	struct der rest = {bytes, sizeof(bytes)}, content;

	(void)state;
	assert_false(der_is(&rest, DER_BOOLEAN));
	assert_int_equal(der_take(&rest, DER_BOOLEAN, &content), -1);
	assert_ptr_equal(rest.at, bytes);
	assert_int_equal(rest.size, sizeof(bytes));
}

static void
long_contents_have_their_length_in_several_bytes(void **state)
{
	static const struct {
		size_t length;
		uint8_t header[5];
		size_t size;
	} rows[] = {
		{127, {DER_OCTET_STRING, 127}, 2},
		{128, {DER_OCTET_STRING, 0x81, 128}, 3},
		{300, {DER_OCTET_STRING, 0x82, 1, 44}, 4},
		{70000, {DER_OCTET_STRING, 0x83, 1, 0x11, 0x70}, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = rows[i].size + rows[i].length;
		uint8_t *bytes = calloc(1, size);
		struct der rest = {bytes, size}, content;

		assert_non_null(bytes);
		memcpy(bytes, rows[i].header, rows[i].size);
		assert_int_equal(der_take(&rest, DER_OCTET_STRING, &content), 0);
		assert_int_equal(content.size, rows[i].length);
		assert_ptr_equal(content.at, bytes + rows[i].size);
		rest = (struct der){bytes, size - 1};
		assert_int_equal(der_take(&rest, DER_OCTET_STRING, &content), -1);
		assert_int_equal(rest.size, size - 1);
		free(bytes);
	}
}

static void
what_is_malformed_or_not_der_is_refused(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t size;
	} rows[] = {
		{{0}, 0},
		{{DER_INTEGER}, 1},
		{{DER_INTEGER, 1}, 2},
		{{0x1f, 1, 0, 0}, 4},
		{{DER_INTEGER, 0x80, 1, 0, 0}, 5},
		{{DER_INTEGER, 0x81}, 2},
		{{DER_INTEGER, 0x82, 1}, 3},
		{{DER_INTEGER, 0x81, 2, 0, 0}, 5},
		{{DER_INTEGER, 0x82, 0, 2, 0, 0}, 6},
		{{DER_INTEGER, 0x85, 1, 0, 0, 0, 0}, 7},
		{{DER_INTEGER, 0x84, 255, 255, 255, 255, 0}, 7},
	};

	static const uint8_t padded[4 + 128] = {DER_INTEGER, 0x82, 0, 128};
	struct der padding = {padded, sizeof(padded)}, none;

	(void)state;
	assert_int_equal(der_take(&padding, DER_INTEGER, &none), -1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct der whole = exactly(rows[i].bytes, rows[i].size), rest = whole, element;

		assert_int_equal(der_take_whole(&rest, &element), -1);
		assert_int_equal(der_take(&rest, DER_INTEGER, &element), -1);
		assert_int_equal(rest.size, rows[i].size);
		free((void *)(uintptr_t)whole.at);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_taken_one_after_the_other),
		cmocka_unit_test(another_tag_is_not_taken_and_stays),
		cmocka_unit_test(long_contents_have_their_length_in_several_bytes),
		cmocka_unit_test(what_is_malformed_or_not_der_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
