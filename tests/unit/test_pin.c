/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/defs.h"
#include "common/diag.h"
#include "tunnel/pin.h"

static void
a_pin_is_the_32_bytes_of_its_base64(void **state)
{
	struct pin pin;
	struct diag diag = {""};

	(void)state;
	assert_int_equal(
		pin_parse(&pin, "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &diag), 0);
	for (size_t i = 0; i < PIN_SIZE; i++)
		assert_int_equal(pin.bytes[i], i);
	assert_int_equal(
		pin_parse(&pin, "sha256://////////////////////////////////////////8=", &diag), 0);
	for (size_t i = 0; i < PIN_SIZE; i++)
		assert_int_equal(pin.bytes[i], 0xff);
	assert_string_equal(diag.text, "");
}

static void
nothing_else_is_a_pin(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "begins with \"sha256:\""},
		{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "begins with \"sha256:\""},
		{"SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "begins with"},
		{"sha1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "begins with"},
		{"sha256:", "is not the base64 of the 32 bytes"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
			"is not the base64 of the 32"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
			"is not the base64 of the 32"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8f",
			"is not the base64 of the 32"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==",
			"is not the base64 of the 32"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= ",
			"is not the base64 of the 32"},
		{"sha256: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
			"is not the base64 of the 32"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYX_BkaGxwdHh8=",
			"is not the base64 of the 32"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "its end was mistyped"},
		{"sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+=", "its end was mistyped"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pin pin = {{7}};
		struct diag diag = {""};

		if (pin_parse(&pin, cases[i].text, &diag) != -1)
			fail_msg("\"%s\" was taken", cases[i].text);
		if (!strstr(diag.text, cases[i].words))
			fail_msg("\"%s\": %s", cases[i].text, diag.text);
		assert_int_equal(pin.bytes[0], 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pin_is_the_32_bytes_of_its_base64),
		cmocka_unit_test(nothing_else_is_a_pin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
