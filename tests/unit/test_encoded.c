/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/defs.h"
#include "common/diag.h"
#include "tunnel/encoded.h"

#define BEGIN "-----BEGIN THING-----\n"
#define END   "-----END THING-----\n"

/* How many objects are in @size bytes of @text, each the DER of an empty sequence; -1 with @diag. */
static int
count(const char *text, size_t size, struct diag *diag)
{
	struct der rest = {(const uint8_t *)text, size};
	gnutls_datum_t der;
	int objects = 0, ret;

	while ((ret = encoded_take(&rest, "THING", &der, diag)) > 0) {
		assert_int_equal(der.size, 2);
		assert_memory_equal(der.data, "0\0", 2);
		gnutls_free(der.data);
		objects++;
	}
	return ret < 0 ? -1 : objects;
}

static void
every_object_is_taken_in_any_form(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		int objects;
	} cases[] = {
		{"", 0, 0},
		{" \r\n\t", 4, 0},
		{BEGIN "MAA=\n" END, sizeof(BEGIN "MAA=\n" END) - 1, 1},
		{BEGIN "M\nA A\r\n=\n" END, sizeof(BEGIN "M\nA A\r\n=\n" END) - 1, 1},
		{"0\0", 2, 1},
		{"0\0000\0", 4, 2},
		{"0\0\n" BEGIN "MAA=\n" END "0\0", sizeof("0\0\n" BEGIN "MAA=\n" END "0\0") - 1, 3},
	};
	struct diag diag;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(count(cases[i].text, cases[i].size, &diag), cases[i].objects);
}

static void
what_is_no_object_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *words;
	} cases[] = {
		{"\0", 1, "this is neither PEM (-----BEGIN THING-----) nor DER"},
		{"1\0", 2, "this is neither PEM"},
		{"-----BEGIN THINGS-----\n", 23, "this is neither PEM"},
		{"0", 1, "the DER is not whole"},
		{"0\1", 2, "the DER is not whole"},
		{"0\200", 2, "the DER is not whole"},
		{"0\201\0", 3, "the DER is not whole"},
		{"0\201\1\0", 4, "the DER is not whole"},
		{"0\205\1\0\0\0\0", 7, "the DER is not whole"},
		{"0\204\377\377\377\377", 6, "the DER is not whole"},
		{BEGIN "MAA=\n", sizeof(BEGIN "MAA=\n") - 1, "the PEM is not whole"},
		{BEGIN "MAA=\n-----END THIN", sizeof(BEGIN "MAA=\n-----END THIN") - 1,
			"not base64 up to \"-----END THING-----\""},
		{BEGIN "MA?=\n" END, sizeof(BEGIN "MA?=\n" END) - 1, "the PEM is not whole"},
		{BEGIN "MAA=\n\0" END, sizeof(BEGIN "MAA=\n\0" END) - 1, "the PEM is not whole"},
		{BEGIN END, sizeof(BEGIN END) - 1, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diag diag = {""};

		assert_int_equal(count(cases[i].text, cases[i].size, &diag), -1);
		if (!strstr(diag.text, cases[i].words) || !diag.text[0])
			fail_msg("case %zu: %s", i, diag.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_object_is_taken_in_any_form),
		cmocka_unit_test(what_is_no_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
