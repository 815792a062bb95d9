/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/defs.h"
#include "common/diag.h"
#include "tests/unit/samples.h"
#include "tunnel/crl.h"

static int
parse(struct crl *crl, const char *name, struct diag *diag)
{
	gnutls_datum_t der = samples_get(name);
	int ret = crl_parse(crl, &(struct der){der.data, der.size}, diag);

	gnutls_free(der.data);
	return ret;
}

/* Parse the list @name, which is good. */
static struct crl
get(const char *name)
{
	struct crl crl = {0};
	struct diag diag;

	if (parse(&crl, name, &diag))
		fail_msg("%s: %s", name, diag.text);
	return crl;
}

static void
a_list_knows_its_times_number_and_issuer(void **state)
{
	struct crl crl = get("crl_plain");

	(void)state;
	assert_int_equal(crl.this_update, SAMPLES_TIME);
	assert_int_equal(crl.next_update, 4070908800);
	assert_int_equal(crl.number_size, 2);
	assert_memory_equal(crl.number, "\x01\x2c", 2);
	assert_string_equal(crl.issuer_words, "CN=sample CA");
	assert_int_equal(crl.serial_count, 2);
	crl_release(&crl);
}

static void
the_serials_on_a_list_are_found_and_no_others(void **state)
{
	static const struct {
		const char *serial;
		size_t size;
		bool found;
	} cases[] = {
		{"\x12\x34", 2, true},
		{"\x00\x12\x34", 3, true},
		{"\x00\xff", 2, true},
		{"\xff", 1, true},
		{"\x12\x35", 2, false},
		{"\x12", 1, false},
		{"\x12\x34\x00", 3, false},
		{"\x34\x12", 2, false},
	};
	struct crl crl = get("crl_plain"), empty = get("crl_empty");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		gnutls_x509_crt_t crt;

		assert_int_equal(gnutls_x509_crt_init(&crt), 0);
		assert_int_equal(
			gnutls_x509_crt_set_serial(crt, cases[i].serial, cases[i].size), 0);
		assert_int_equal(crl_has(&crl, crt), cases[i].found);
		assert_false(crl_has(&empty, crt));
		gnutls_x509_crt_deinit(crt);
	}
	crl_release(&crl);
	crl_release(&empty);
}

static void
a_certificate_without_a_serial_is_on_every_list(void **state)
{
	struct crl crl = get("crl_empty");
	gnutls_x509_crt_t crt;

	(void)state;
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_true(crl_has(&crl, crt));
	gnutls_x509_crt_deinit(crt);
	crl_release(&crl);
}

static void
only_the_issuers_key_has_signed_it(void **state)
{
	gnutls_x509_crt_t ca = samples_get_certificate("ca_crt");
	gnutls_x509_crt_t twin = samples_get_certificate("twin_crt");
	gnutls_x509_crt_t leaf = samples_get_certificate("leaf_crt");
	struct crl crl = get("crl_plain");
	gnutls_datum_t dn;

	(void)state;
	assert_true(crl_verify(&crl, ca));
	assert_false(crl_verify(&crl, twin));
	assert_int_equal(gnutls_x509_crt_get_raw_dn(twin, &dn), 0);
	assert_true(crl_names(&crl, &dn));
	gnutls_free(dn.data);
	assert_int_equal(gnutls_x509_crt_get_raw_dn(leaf, &dn), 0);
	assert_false(crl_names(&crl, &dn));
	gnutls_free(dn.data);
	crl_release(&crl);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(twin);
	gnutls_x509_crt_deinit(leaf);
}

static void
a_changed_list_is_not_signed(void **state)
{
	gnutls_x509_crt_t ca = samples_get_certificate("ca_crt");
	gnutls_datum_t der = samples_get("crl_plain");
	unsigned char *serial = memmem(der.data, der.size, "\x02\x02\x12\x34", 4);
	struct crl crl = {0};
	struct diag diag;

	(void)state;
	assert_non_null(serial);
	serial[3] = 0x35;
	assert_int_equal(crl_parse(&crl, &(struct der){der.data, der.size}, &diag), 0);
	assert_false(crl_verify(&crl, ca));
	crl_release(&crl);
	gnutls_free(der.data);
	gnutls_x509_crt_deinit(ca);
}

static void
what_does_not_say_everything_about_everybody_is_refused(void **state)
{
	static const struct {
		const char *name, *words;
	} cases[] = {
		{"crl_delta", "the list is a delta"},
		{"crl_quiet_delta", "the list is a delta"},
		{"crl_users_only", "covers only a part of the certificates"},
		{"crl_indirect", "covers only a part of the certificates"},
		{"crl_critical", "critical extension (1.3.6.1.4.1.99999.1) that is not known"},
		{"crl_critical_entry", "an entry has a critical extension"},
		{"crl_sha1", "an algorithm that is broken"},
		{"crl_two_algorithms", "two different signature algorithms"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct crl crl = {0};
		struct diag diag = {""};

		if (parse(&crl, cases[i].name, &diag) == 0)
			fail_msg("%s was taken", cases[i].name);
		if (!strstr(diag.text, cases[i].words))
			fail_msg("%s: %s", cases[i].name, diag.text);
		assert_ptr_equal(strstr(diag.text, "list of \"CN=sample CA\": "), diag.text);
		crl_release(&crl);
	}
}

static void
what_is_not_critical_does_not_matter(void **state)
{
	struct crl crl = get("crl_not_critical");

	(void)state;
	crl_release(&crl);
}

static void
a_list_that_is_cut_or_has_something_behind_it_is_malformed(void **state)
{
	gnutls_datum_t der = samples_get("crl_plain");
	unsigned char longer[1024] = {0};

	(void)state;
	memcpy(longer, der.data, der.size);
	for (size_t size = 0; size <= der.size + 1; size++) {
		struct crl crl = {0};
		struct diag diag = {""};

		assert_int_equal(crl_parse(&crl, &(struct der){longer, size}, &diag),
			size == der.size ? 0 : -1);
		assert_int_equal(diag.text[0] == '\0', size == der.size);
		crl_release(&crl);
	}
	gnutls_free(der.data);
}

static void
the_number_decides_between_lists_of_one_second(void **state)
{
	const struct crl none = {.this_update = 5};
	const struct crl nine = {.this_update = 5, .number = {9}, .number_size = 1};
	const struct crl many = {.this_update = 5, .number = {1, 0}, .number_size = 2};
	const struct crl later = {.this_update = 6};

	(void)state;
	assert_true(crl_is_newer(&nine, &none) && !crl_is_newer(&none, &nine));
	assert_true(crl_is_newer(&many, &nine) && !crl_is_newer(&nine, &many));
	assert_true(crl_is_newer(&later, &many) && !crl_is_newer(&many, &later));
	assert_false(crl_is_newer(&nine, &nine));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_knows_its_times_number_and_issuer),
		cmocka_unit_test(the_serials_on_a_list_are_found_and_no_others),
		cmocka_unit_test(a_certificate_without_a_serial_is_on_every_list),
		cmocka_unit_test(only_the_issuers_key_has_signed_it),
		cmocka_unit_test(a_changed_list_is_not_signed),
		cmocka_unit_test(what_does_not_say_everything_about_everybody_is_refused),
		cmocka_unit_test(what_is_not_critical_does_not_matter),
		cmocka_unit_test(a_list_that_is_cut_or_has_something_behind_it_is_malformed),
		cmocka_unit_test(the_number_decides_between_lists_of_one_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
