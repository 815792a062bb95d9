/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "tunnel/pki_name.h"

static void
host_names_are_those_of_rfc_1123(void **state)
{
	static const char *const good[] = {"a", "localhost", "db.example.net", "3com.example",
		"xn--bcher-kva.example", "1.2.3.x4"};
	static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b",
		"192.0.2.1", "12", "::1", "*.a.b", "a\n", "\xc3\xbc.example"};
	char longest[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(pki_name_is_host(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(pki_name_is_host(bad[i]));
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 63; i < sizeof(longest); i += 64)
		longest[i] = '.';
	longest[253] = '\0';
	assert_true(pki_name_is_host(longest));
	longest[253] = 'a';
	longest[254] = '\0';
	assert_false(pki_name_is_host(longest));
	longest[63] = 'a'; /* a label of 64 */
	longest[64] = '\0';
	assert_false(pki_name_is_host(longest));
}

static void
a_name_of_each_kind_is_taken_and_others_refused_with_words(void **state)
{
	static const struct {
		const char *text;
		enum pki_name_kind kind;
		int result;
	} rows[] = {
		{"db.example.net", PKI_NAME_DNS, 0},
		{"*.example.net", PKI_NAME_DNS, 0},
		{"*.net", PKI_NAME_DNS, -1},
		{"*", PKI_NAME_DNS, -1},
		{"a.*.example.net", PKI_NAME_DNS, -1},
		{"192.0.2.1", PKI_NAME_DNS, -1},
		{"192.0.2.1", PKI_NAME_IP, 0},
		{"2001:db8::1", PKI_NAME_IP, 0},
		{"[::1]", PKI_NAME_IP, -1},
		{"db.example.net", PKI_NAME_IP, -1},
		{"spiffe://example.net/db", PKI_NAME_URI, 0},
		{"urn:x", PKI_NAME_URI, 0},
		{"example.net/db", PKI_NAME_URI, -1},
		{"://x", PKI_NAME_URI, -1},
		{"1a:x", PKI_NAME_URI, -1},
		{"a:", PKI_NAME_URI, -1},
		{"a:\n", PKI_NAME_URI, -1},
		{"a:b c", PKI_NAME_URI, -1},
		{"a:\xc3\xbc", PKI_NAME_URI, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pki_name name;
		struct diag diag = {.text = ""};

		assert_int_equal(
			pki_name_parse(&name, rows[i].kind, rows[i].text, &diag), rows[i].result);
		assert_int_equal(strlen(diag.text) > 0, rows[i].result < 0);
	}
}

static void
an_address_is_parsed_to_its_bytes(void **state)
{
	struct pki_name name;
	struct diag diag;

	(void)state;
	assert_int_equal(pki_name_parse(&name, PKI_NAME_IP, "192.0.2.1", &diag), 0);
	assert_int_equal(name.ip_size, 4);
	assert_memory_equal(name.ip, "\xc0\x00\x02\x01", 4);
	assert_int_equal(pki_name_parse(&name, PKI_NAME_IP, "::1", &diag), 0);
	assert_int_equal(name.ip_size, 16);
	assert_int_equal(name.ip[15], 1);
}

static void
the_name_of_a_file_leads_nowhere_else(void **state)
{
	static const char *const good[] = {"a", "db.example.net", "A_1-b@c", "0"};
	static const char *const bad[] = {"", ".", "..", "../a", "/a", "a/b", "-a", ".a", "a b",
		"a\n", "ca", "\xc3\xbc", "@a"};
	char longest[PKI_NAME_STEM_LIMIT + 2];
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(pki_name_check_stem(good[i], &diag), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(pki_name_check_stem(bad[i], &diag), -1);
	memset(longest, 'a', sizeof(longest));
	longest[PKI_NAME_STEM_LIMIT + 1] = '\0';
	assert_int_equal(pki_name_check_stem(longest, &diag), -1);
	assert_int_equal(pki_name_check_common(longest, &diag), -1);
	longest[PKI_NAME_STEM_LIMIT] = '\0';
	assert_int_equal(pki_name_check_stem(longest, &diag), 0);
	assert_int_equal(pki_name_check_common(longest, &diag), 0);
}

static void
a_common_name_is_printable(void **state)
{
	struct diag diag;

	(void)state;
	assert_int_equal(pki_name_check_common("Orders, test lab", &diag), 0);
	assert_int_equal(pki_name_check_common("", &diag), -1);
	assert_int_equal(pki_name_check_common("a\x1b", &diag), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_names_are_those_of_rfc_1123),
		cmocka_unit_test(a_name_of_each_kind_is_taken_and_others_refused_with_words),
		cmocka_unit_test(an_address_is_parsed_to_its_bytes),
		cmocka_unit_test(the_name_of_a_file_leads_nowhere_else),
		cmocka_unit_test(a_common_name_is_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
