/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tunnel/environment.h"

static void
what_changes_libraries_is_forgotten_and_the_rest_stays(void **state)
{
	(void)state;
	assert_int_equal(setenv("SSLKEYLOGFILE", "/tmp/keys", 1), 0);
	assert_int_equal(setenv("GNUTLS_SYSTEM_PRIORITY_FILE", "/tmp/x", 1), 0);
	assert_int_equal(setenv("PATHS", "x", 1), 0);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	assert_int_equal(setenv("SOFTHSM2_CONF", "/tmp/tokens", 1), 0);
	assert_int_equal(setenv("P11_KIT_DEBUG", "all", 1), 0);
	environment_clean();
	assert_null(getenv("SSLKEYLOGFILE"));
	assert_null(getenv("GNUTLS_SYSTEM_PRIORITY_FILE"));
	assert_null(getenv("PATHS"));
	assert_null(getenv("P11_KIT_DEBUG"));
	assert_string_equal(getenv("TZ"), "UTC");
	assert_string_equal(getenv("SOFTHSM2_CONF"), "/tmp/tokens");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_libraries_is_forgotten_and_the_rest_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
