/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/psk.h"

#define KEY16 "000102030405060708090a0b0c0d0e0f"
#define KEY64 KEY16 KEY16 KEY16 KEY16

static void
expect_error(const char *text, const char *words)
{
	struct psk psk = {0};
	struct diag diag = {""};

	assert_int_equal(psk_parse(&psk, text, strlen(text), &diag), -1);
	assert_null(psk.keys);
	assert_int_equal(psk.count, 0);
	if (!strstr(diag.text, words))
		fail_msg("%s", diag.text);
	assert_null(strstr(diag.text, "0102"));
}

static void
a_line_is_an_identity_and_its_key(void **state)
{
	static const char text[] =
		"# comment\n\n west:" KEY16 "\r\neast : FFeeddccbbaa99887766554433221100\n"
		"\t# more\nlast:" KEY64;
	struct psk psk = {0};
	struct diag diag;

	(void)state;
	assert_int_equal(psk_parse(&psk, text, sizeof(text) - 1, &diag), 0);
	assert_int_equal(psk.count, 3);
	const struct psk_key *key = psk_find(&psk, "west", 4);
	assert_non_null(key);
	assert_int_equal(key->size, 16);
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(key->bytes[i], i);
	key = psk_find(&psk, "east", 4);
	assert_non_null(key);
	assert_int_equal(key->bytes[0], 0xff);
	assert_int_equal(key->bytes[1], 0xee);
	key = psk_find(&psk, "last", 4);
	assert_non_null(key);
	assert_int_equal(key->size, 64);
	psk_release(&psk);
	assert_null(psk.keys);
}

static void
an_identity_is_found_whole_or_not_at_all(void **state)
{
	static const char text[] = "west:" KEY16;
	struct psk psk = {0};
	struct diag diag;
	char longer[1000];

	(void)state;
	memset(longer, 'w', sizeof(longer));
	assert_int_equal(psk_parse(&psk, text, sizeof(text) - 1, &diag), 0);
	assert_null(psk_find(&psk, "wes", 3));
	assert_null(psk_find(&psk, "west1", 5));
	assert_null(psk_find(&psk, "West", 4));
	assert_null(psk_find(&psk, "west\0x", 6));
	assert_null(psk_find(&psk, "", 0));
	assert_null(psk_find(&psk, longer, sizeof(longer)));
	psk_release(&psk);
	assert_null(psk_find(&psk, "west", 4));
}

static void
an_error_names_its_line_and_no_key(void **state)
{
	char text[400];

	(void)state;
	expect_error("west:" KEY16 "\n\n#\nnothing\n", "line 4: there is no colon");
	expect_error("west:" KEY16 "\n:" KEY16, "line 2: there is no identity");
	expect_error("west:0102", "line 1: the key has 2 bytes; use 16 to 64");
	expect_error("west:" KEY64 "00", "line 1: the key has 65 bytes");
	expect_error("west:" KEY16 "0", "line 1: the key has an odd number");
	expect_error(
		"west:0g0102030405060708090a0b0c0d0e0f", "line 1: the key is not written in hex");
	expect_error(
		"west:g00102030405060708090a0b0c0d0e0f", "line 1: the key is not written in hex");
	(void)snprintf(text, sizeof(text), "%0128d:" KEY16, 1);
	expect_error(text, "line 1: the identity has 128 bytes; at most 127");
}

static void
an_identity_of_the_greatest_length_is_found(void **state)
{
	char text[400];
	struct psk psk = {0};
	struct diag diag;

	(void)state;
	(void)snprintf(text, sizeof(text), "%0127d:" KEY16, 1);
	assert_int_equal(psk_parse(&psk, text, strlen(text), &diag), 0);
	assert_non_null(psk_find(&psk, text, 127));
	psk_release(&psk);
}

static void
a_nul_is_no_part_of_an_identity(void **state)
{
	static const char text[] = "we\0st:" KEY16;
	struct psk psk = {0};
	struct diag diag;

	(void)state;
	assert_int_equal(psk_parse(&psk, text, sizeof(text) - 1, &diag), -1);
	assert_non_null(strstr(diag.text, "NUL"));
}

static void
a_second_key_of_an_identity_is_an_error(void **state)
{
	(void)state;
	expect_error("#west:1\nwest:" KEY16 "\neast:" KEY16 "\n\n west :" KEY64 "\nwest:" KEY16,
		"line 5: the identity \"west\" has a key already");
}

static void
a_file_without_a_key_is_an_error(void **state)
{
	(void)state;
	expect_error("", "there is no key in it");
	expect_error("# nothing\n\n", "there is no key in it");
}

static void
a_file_is_bounded(void **state)
{
	static char text[PSK_LIMIT + 1];

	(void)state;
	memset(text, '\n', sizeof(text));
	struct psk psk = {0};
	struct diag diag;
	assert_int_equal(psk_parse(&psk, text, sizeof(text), &diag), -1);
	assert_non_null(strstr(diag.text, "more than 100000 lines"));
	assert_int_equal(psk_parse(&psk, text, sizeof(text) - 1, &diag), -1);
	assert_non_null(strstr(diag.text, "no key in it"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_an_identity_and_its_key),
		cmocka_unit_test(an_identity_is_found_whole_or_not_at_all),
		cmocka_unit_test(an_error_names_its_line_and_no_key),
		cmocka_unit_test(an_identity_of_the_greatest_length_is_found),
		cmocka_unit_test(a_nul_is_no_part_of_an_identity),
		cmocka_unit_test(a_second_key_of_an_identity_is_an_error),
		cmocka_unit_test(a_file_without_a_key_is_an_error),
		cmocka_unit_test(a_file_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
