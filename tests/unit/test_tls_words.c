/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>

#include "tunnel/tls_words.h"

static void
the_words_end_without_a_full_stop(void **state)
{
	(void)state;
	assert_string_equal(
		gnutls_strerror(GNUTLS_E_NO_CERTIFICATE_FOUND), "No certificate was found.");
	assert_string_equal(
		tls_words(GNUTLS_E_NO_CERTIFICATE_FOUND).text, "No certificate was found");
	assert_string_equal(tls_words(-12345).text, "(unknown error code)");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_end_without_a_full_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
