/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/text.h"
#include "tunnel/verdict.h"

static const char nameless[] = "the certificate is refused for a reason without a name";

/* Does the library itself have words for @bit? Bit 30 stands for those that it has none for. */
static bool
library_knows(unsigned bit)
{
	gnutls_datum_t words, none;

	assert_int_equal(
		gnutls_certificate_verification_status_print(bit, GNUTLS_CRT_X509, &words, 0), 0);
	assert_int_equal(
		gnutls_certificate_verification_status_print(1U << 30, GNUTLS_CRT_X509, &none, 0),
		0);
	bool knows = words.size != none.size;
	gnutls_free(words.data);
	gnutls_free(none.data);
	return knows;
}

static void
only_no_objection_is_good(void **state)
{
	(void)state;
	assert_true(verdict_of_status(0).good);
	assert_string_equal(verdict_of_status(0).words, "it verifies");
	for (unsigned i = 0; i < 32; i++) {
		assert_false(verdict_of_status(1U << i).good);
		assert_non_null(verdict_of_status(1U << i).words);
		assert_int_not_equal(verdict_of_status(1U << i).alert, GNUTLS_A_CLOSE_NOTIFY);
	}
}

static void
every_bit_that_the_library_knows_has_words_of_its_own(void **state)
{
	unsigned known = 0;

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		if (library_knows(1U << i)) {
			known++;
			assert_string_not_equal(verdict_of_status(1U << i).words, nameless);
		}
	}
	assert_in_range(known, 10, 32);
	assert_string_not_equal(verdict_of_status(GNUTLS_CERT_INVALID).words, nameless);
	assert_string_equal(verdict_of_status(1U << 30).words, nameless);
}

static void
alerts_are_those_of_the_standard(void **state)
{
	static const struct {
		unsigned status;
		gnutls_alert_description_t alert;
		const char *words;
	} rows[] = {
		{GNUTLS_CERT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate has expired"},
		{GNUTLS_CERT_NOT_ACTIVATED, GNUTLS_A_CERTIFICATE_EXPIRED,
			"the certificate is not valid yet"},
		{GNUTLS_CERT_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED,
			"the certificate has been revoked"},
		{GNUTLS_CERT_SIGNER_NOT_FOUND, GNUTLS_A_UNKNOWN_CA,
			"the certificate authority is not known"},
		{GNUTLS_CERT_SIGNATURE_FAILURE, GNUTLS_A_BAD_CERTIFICATE,
			"a signature in the certificate chain is wrong"},
		{GNUTLS_CERT_PURPOSE_MISMATCH, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
			"the certificate is not meant for this purpose"},
		{GNUTLS_CERT_UNEXPECTED_OWNER, GNUTLS_A_BAD_CERTIFICATE,
			"the certificate is not for the expected name"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned status = rows[i].status | GNUTLS_CERT_INVALID;

		assert_int_equal(verdict_of_status(status).alert, rows[i].alert);
		assert_string_equal(verdict_of_status(status).words, rows[i].words);
	}
}

static void
the_gravest_reason_decides(void **state)
{
	(void)state;
	assert_int_equal(verdict_of_status(GNUTLS_CERT_EXPIRED | GNUTLS_CERT_REVOKED).alert,
		GNUTLS_A_CERTIFICATE_REVOKED);
	assert_int_equal(
		verdict_of_status(GNUTLS_CERT_EXPIRED | GNUTLS_CERT_SIGNER_NOT_FOUND).alert,
		GNUTLS_A_UNKNOWN_CA);
}

static void
all_reasons_are_printed_but_the_empty_one(void **state)
{
	char array[256];
	struct text text;

	(void)state;
	text_init(&text, array, sizeof(array));
	verdict_print(
		GNUTLS_CERT_INVALID | GNUTLS_CERT_EXPIRED | GNUTLS_CERT_UNEXPECTED_OWNER, &text);
	assert_string_equal(
		array, "the certificate has expired; the certificate is not for the expected name");
	text_init(&text, array, sizeof(array));
	verdict_print(GNUTLS_CERT_INVALID, &text);
	assert_string_equal(array, "the certificate is not valid");
	text_init(&text, array, sizeof(array));
	verdict_print(0, &text);
	assert_string_equal(array, "it verifies");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_no_objection_is_good),
		cmocka_unit_test(every_bit_that_the_library_knows_has_words_of_its_own),
		cmocka_unit_test(alerts_are_those_of_the_standard),
		cmocka_unit_test(the_gravest_reason_decides),
		cmocka_unit_test(all_reasons_are_printed_but_the_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
