/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/gnutls.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/config.h"
#include "tunnel/options.h"
#include "tunnel/priority.h"

static char printed[8192];

static const char *
print(const struct tls_config *config, bool post_quantum)
{
	struct text text;

	text_init(&text, printed, sizeof(printed));
	priority_print(config, post_quantum, &text);
	return printed;
}

static struct tls_config
plain(void)
{
	enum side side;

	return (struct tls_config){
		.priority = options_find("priority", &side)->initial,
		.verify = VERIFY_YES,
		.ca = "ca",
		.min_version = TLS_VERSION_1_2,
		.max_version = TLS_VERSION_1_3,
	};
}

static gnutls_priority_t
load(const struct tls_config *config)
{
	gnutls_priority_t priorities = NULL;
	unsigned flags;
	struct diag diag = {""};

	if (priority_load(config, &priorities, &flags, &diag))
		fail_msg("%s", diag.text);
	assert_true(flags != 0);
	return priorities;
}

static void
the_default_takes_up_the_post_quantum_group_where_there_is_one(void **state)
{
	struct tls_config config = plain();

	(void)state;
	const char *with = strstr(print(&config, true), ":+GROUP-X25519-MLKEM768:+GROUP-X25519:");
	assert_non_null(with);
	assert_ptr_equal(with, strstr(printed, ":+GROUP-"));
	assert_non_null(strstr(with, ":+GROUP-SECP256R1"));
	assert_null(strstr(print(&config, false), "MLKEM"));
}

static void
an_order_that_was_chosen_stays(void **state)
{
	struct tls_config config = plain();

	(void)state;
	config.priority = "NORMAL:-GROUP-ALL:+GROUP-SECP256R1:%PROFILE_MEDIUM";
	assert_null(strstr(print(&config, true), "MLKEM"));
	assert_non_null(strstr(printed, config.priority));
}

static void
versions_are_those_of_the_configuration(void **state)
{
	struct tls_config config = plain();

	(void)state;
	assert_non_null(strstr(print(&config, false), ":-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"));
	config.min_version = TLS_VERSION_1_3;
	gnutls_priority_t priorities = load(&config);
	const unsigned *list;
	assert_int_equal(gnutls_priority_protocol_list(priorities, &list), 1);
	assert_int_equal(list[0], GNUTLS_TLS1_3);
	gnutls_priority_deinit(priorities);
}

static void
keys_without_certificates_come_second_and_only_where_they_are_pinned(void **state)
{
	static const char *const pins[] = {"sha256:x"};
	static const char raw[] = ":+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK";
	struct tls_config config = plain();

	(void)state;
	assert_null(strstr(print(&config, false), raw));
	config.pins = (struct texts){pins, 1};
	assert_null(strstr(print(&config, false), raw));
	config.ca = NULL;
	assert_non_null(strstr(print(&config, false), raw));

	gnutls_priority_t priorities = load(&config);
	for (int i = 0; i < 2; i++) {
		const unsigned *list;
		gnutls_ctype_target_t end = i ? GNUTLS_CTYPE_CLIENT : GNUTLS_CTYPE_SERVER;

		assert_int_equal(gnutls_priority_certificate_type_list2(priorities, &list, end), 2);
		assert_int_equal(list[0], GNUTLS_CRT_X509);
		assert_int_equal(list[1], GNUTLS_CRT_RAWPK);
	}
	gnutls_priority_deinit(priorities);

	config.ca_is_system = true;
	assert_null(strstr(print(&config, false), raw));
	config.ca_is_system = false;
	config.pins.count = 0;
	assert_null(strstr(print(&config, false), raw));
	config.pins.count = 1;
	config.verify = VERIFY_NO;
	assert_null(strstr(print(&config, false), raw));
}

static void
shared_keys_come_first_and_never_without_a_fresh_exchange(void **state)
{
	struct tls_config config = plain();
	const unsigned *list;
	bool certificates = false;

	(void)state;
	config.psk = "keys";
	config.priority = "NORMAL:+PSK:+RSA-PSK:+DHE-PSK:%PROFILE_MEDIUM";
	gnutls_priority_t priorities = load(&config);
	int count = gnutls_priority_kx_list(priorities, &list);
	assert_int_equal(list[0], GNUTLS_KX_ECDHE_PSK);
	for (int i = 1; i < count; i++) {
		assert_int_not_equal(list[i], GNUTLS_KX_PSK);
		assert_int_not_equal(list[i], GNUTLS_KX_RSA_PSK);
		assert_int_not_equal(list[i], GNUTLS_KX_DHE_PSK);
		certificates |= list[i] == GNUTLS_KX_ECDHE_ECDSA;
	}
	assert_true(certificates);
	gnutls_priority_deinit(priorities);

	config = plain();
	priorities = load(&config);
	count = gnutls_priority_kx_list(priorities, &list);
	for (int i = 0; i < count; i++)
		assert_int_not_equal(list[i], GNUTLS_KX_ECDHE_PSK);
	gnutls_priority_deinit(priorities);
}

static void
an_error_says_where_it_is(void **state)
{
	struct tls_config config = plain();
	gnutls_priority_t priorities = NULL;
	unsigned flags;
	struct diag diag;

	(void)state;
	config.priority = "NORMAL:+NONE-SUCH:%PROFILE_MEDIUM";
	assert_int_equal(priority_load(&config, &priorities, &flags, &diag), -1);
	assert_non_null(strstr(diag.text, "position 8"));
	config.priority = "NORMAL:%PROFILE_NONE_SUCH";
	assert_int_equal(priority_load(&config, &priorities, &flags, &diag), -1);
}

static void
the_groups_are_told_in_their_order(void **state)
{
	char groups[256];
	struct text text;

	(void)state;
	text_init(&text, groups, sizeof(groups));
	priority_print_groups(&text);
	assert_non_null(strstr(groups, "X25519, SECP256R1"));
	assert_int_equal(
		priority_has_post_quantum(), strncmp(groups, PRIORITY_POST_QUANTUM ",", 16) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_takes_up_the_post_quantum_group_where_there_is_one),
		cmocka_unit_test(an_order_that_was_chosen_stays),
		cmocka_unit_test(versions_are_those_of_the_configuration),
		cmocka_unit_test(
			keys_without_certificates_come_second_and_only_where_they_are_pinned),
		cmocka_unit_test(shared_keys_come_first_and_never_without_a_fresh_exchange),
		cmocka_unit_test(an_error_says_where_it_is),
		cmocka_unit_test(the_groups_are_told_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
