/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tunnel/config.h"
#include "tunnel/keyring.h"
#include "tunnel/lending.h"
#include "tunnel/spki.h"

#define SERVICE(name, port)                                                                       \
	"[" name "]\nmode = offload\naccept = 127.0.0.1:" port "\nconnect = 127.0.0.1:2\nverify " \
	"= no\n"
#define ALL                                                                     \
	"cert = ecdsa-p256.crt\nkey = ecdsa-p256.key\ncert = ed25519.crt\nkey " \
	"= ed25519.key\ncert = rsa-3072.crt\nkey = rsa-3072.key\n"
#define RSA   "cert = rsa-3072.crt\nkey = rsa-3072.key\n"
#define TOKEN "cert = ed25519.crt\nkey = pkcs11:token=t;object=a\n"

enum { KINDS = PKI_PAIR_TYPES, FILES = 2 * KINDS };

static struct pki_pair pairs[KINDS];
static struct files files;
static struct keyring keyring;

static int
setup_group(void **state)
{
	const struct pki_pair_plan model = {
		.common_name = "x", .from = time(NULL) - 60, .until = time(NULL) + 3600};
	struct diag diag;

	(void)state;
	for (enum pki_pair_type type = PKI_PAIR_ECDSA_P256; type < PKI_PAIR_TYPES; type++) {
		struct pki_pair_plan plan = model;

		plan.type = type;
		if (pki_pair_make_authority(&pairs[type], &plan, &diag) < 0)
			return -1;
	}
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		pki_pair_release(&pairs[i]);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	for (enum pki_pair_type type = PKI_PAIR_ECDSA_P256; type < PKI_PAIR_TYPES; type++)
		identities_add(&files, pki_pair_type_name(type), &pairs[type]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	keyring_release(&keyring);
	files_release(&files);
	return 0;
}

static int
collect(const char *text, struct diag *diag)
{
	struct config *config = identities_config(text);
	int result = lending_collect(&keyring, config, &files, diag);

	config_unref(config);
	return result;
}

/* Of the configuration @text, @lent keys are lent, and serve sees no more of them. */
static void
assert_lent(const char *text, size_t lent)
{
	struct diag diag;

	(void)setup(NULL);
	if (collect(text, &diag) < 0)
		fail_msg("%s", diag.text);
	assert_int_equal(keyring.count, lent);
	assert_int_equal(files.count, FILES - lent);
	for (size_t i = 0; i < lent; i++) {
		assert_false(keyring.keys[i].is_token);
		assert_int_equal(keyring.keys[i].pin.size, 0);
		assert_non_null(strstr((char *)keyring.keys[i].secret.bytes, "BEGIN PRIVATE KEY"));
	}
	(void)teardown(NULL);
}

static void
all_keys_or_none_or_the_slow_ones_are_lent(void **state)
{
	(void)state;
	assert_lent("key-process = no\n" SERVICE("s", "1") ALL, 0);
	assert_lent("key-process = yes\n" SERVICE("s", "1") ALL, KINDS);
	assert_lent("key-process = auto\n" SERVICE("s", "1") ALL, 1);
	assert_lent(SERVICE("s", "1") ALL, 1);
}

static void
a_key_of_two_services_is_lent_once_and_forgotten_for_both(void **state)
{
	(void)state;
	assert_lent(SERVICE("s", "1") RSA SERVICE("t", "3") RSA, 1);
}

/* The key is one, but it lies in two files, and serve must get neither. */
static void
a_key_in_two_files_is_lent_once_and_taken_out_twice(void **state)
{
	struct diag diag;

	(void)state;
	identities_add(&files, "copy", &pairs[PKI_PAIR_RSA_3072]);
	if (collect(SERVICE("s", "1") RSA SERVICE("t", "3") "cert = copy.crt\nkey = copy.key\n",
		    &diag) < 0)
		fail_msg("%s", diag.text);
	assert_int_equal(keyring.count, 1);
	assert_null(files_find(&files, "key:/test/rsa-3072.key"));
	assert_null(files_find(&files, "key:/test/copy.key"));
	assert_non_null(files_find(&files, "/test/copy.crt"));
	assert_int_equal(files.count, FILES + 2 - 2);
}

/* The same certificate may stand beside several files, and they in turn beside several certificates. */
static void
a_key_with_two_certificates_is_taken_out_with_the_first(void **state)
{
	const struct file *crt = files_find(&files, "/test/rsa-3072.crt");
	struct diag diag;

	(void)state;
	assert_int_equal(files_add(&files, "/test/renewed.crt", crt->data, crt->size, &diag), 0);
	if (collect(SERVICE("s", "1")
			    RSA SERVICE("t", "3") "cert = renewed.crt\nkey = rsa-3072.key\n",
		    &diag) < 0)
		fail_msg("%s", diag.text);
	assert_int_equal(keyring.count, 1);
	assert_null(files_find(&files, "key:/test/rsa-3072.key"));
}

static void
both_sides_of_a_bridge_lend(void **state)
{
	(void)state;
	assert_lent("[b]\nmode = bridge\naccept = 127.0.0.1:1\nconnect = h:2\nca = /ca\n"
		    "accept-cert = ecdsa-p256.crt\naccept-key = ecdsa-p256.key\n"
		    "connect-cert = rsa-3072.crt\nconnect-key = rsa-3072.key\n",
		1);
}

/* What the key process has to say of a key begins there. */
static void
each_key_is_blamed_on_its_own_line(void **state)
{
	static const char *const places[KINDS] = {
		"/test/sallyport.conf:8: service s: key: \"ecdsa-p256.key\": in the key process",
		"/test/sallyport.conf:10: service s: key: \"ed25519.key\": in the key process",
		"/test/sallyport.conf:12: service s: key: \"rsa-3072.key\": in the key process",
	};
	struct diag diag;

	(void)state;
	assert_int_equal(collect("key-process = yes\n" SERVICE("s", "1") ALL, &diag), 0);
	assert_int_equal(keyring.count, KINDS);
	for (size_t i = 0; i < KINDS; i++)
		assert_string_equal(keyring.keys[i].blame.bytes, places[i]);
}

static void
what_is_wanted_goes_by_the_kind_and_the_place(void **state)
{
	static const struct {
		enum key_process process;
		gnutls_pk_algorithm_t kind;
		const char *key;
		bool wanted;
	} rows[] = {
		{KEY_PROCESS_AUTO, GNUTLS_PK_RSA, "/k", true},
		{KEY_PROCESS_AUTO, GNUTLS_PK_RSA_PSS, "/k", true},
		{KEY_PROCESS_AUTO, GNUTLS_PK_ECDSA, "/k", false},
		{KEY_PROCESS_AUTO, GNUTLS_PK_ECDSA, "pkcs11:object=a", true},
		{KEY_PROCESS_YES, GNUTLS_PK_EDDSA_ED25519, "/k", true},
		{KEY_PROCESS_NO, GNUTLS_PK_RSA, "/k", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct config config = {.key_process = rows[i].process};
		const struct identity_config identity = {"/c", rows[i].key};
		const struct spki public = {.kind = rows[i].kind};

		assert_int_equal(lending_is_wanted(&config, &identity, &public), rows[i].wanted);
	}
}

static void
of_a_token_the_url_and_the_pin_are_lent(void **state)
{
	static const char name[] = "key:pkcs11:token=t;object=a";
	struct spki spki, expected;
	gnutls_pubkey_t public;
	struct diag diag;

	(void)state;
	assert_int_equal(files_add(&files, name, "1234", 4, &diag), 0);
	if (collect(SERVICE("s", "1") TOKEN, &diag) < 0)
		fail_msg("%s", diag.text);
	assert_int_equal(keyring.count, 1);
	const struct keyring_key *key = &keyring.keys[0];
	assert_true(key->is_token);
	assert_string_equal(key->secret.bytes, "pkcs11:token=t;object=a");
	assert_string_equal(key->pin.bytes, "1234");
	assert_string_equal(key->blame.bytes,
		"/test/sallyport.conf:7: service s: key: \"pkcs11:token=t;object=a\": in the key "
		"process");
	assert_null(files_find(&files, name));

	public = spki_of_file(files_find(&files, "/test/ed25519.crt"), &diag);
	assert_non_null(public);
	assert_int_equal(spki_describe(&expected, public, &diag), 0);
	gnutls_pubkey_deinit(public);
	const gnutls_datum_t der = {key->spki.bytes, (unsigned)key->spki.size};
	assert_int_equal(gnutls_pubkey_init(&public), 0);
	assert_int_equal(gnutls_pubkey_import(public, &der, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(spki_describe(&spki, public, &diag), 0);
	assert_memory_equal(spki.id, expected.id, SPKI_ID_SIZE);
	gnutls_pubkey_deinit(public);
}

/* An old key signs for as long as a handshake may take. */
static void
keys_linger_for_longer_than_the_longest_handshake(void **state)
{
	static const struct {
		const char *options;
		uint32_t least, most;
	} rows[] = {
		{SERVICE("s", "1") RSA "handshake-timeout = 7s\n" SERVICE("t", "3") RSA
			"handshake-timeout = 90s\n",
			91, 120},
		{SERVICE("s", "1") RSA "handshake-timeout = 90s\n" SERVICE("t", "3") RSA
			"handshake-timeout = 7s\n",
			91, 120},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag diag;

		(void)setup(NULL);
		if (collect(rows[i].options, &diag) < 0)
			fail_msg("%s", diag.text);
		assert_in_range(keyring.linger, rows[i].least, rows[i].most);
		(void)teardown(NULL);
	}
}

static void
what_was_not_read_is_told_and_nothing_is_lent(void **state)
{
	static const char text[] = "key-process = yes\n" SERVICE("s", "1") ALL;
	struct diag diag;

	(void)state;
	files_remove(&files, "key:/test/rsa-3072.key");
	assert_int_equal(collect(text, &diag), -1);
	assert_string_equal(diag.text,
		"/test/sallyport.conf:11: service s: cert: \"rsa-3072.crt\": the key was not read");
	assert_int_equal(keyring.count, 0);
	files_remove(&files, "/test/ecdsa-p256.crt");
	assert_int_equal(collect(text, &diag), -1);
	assert_non_null(strstr(diag.text, "the certificate was not read"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys_or_none_or_the_slow_ones_are_lent),
		cmocka_unit_test(a_key_of_two_services_is_lent_once_and_forgotten_for_both),
		cmocka_unit_test(both_sides_of_a_bridge_lend),
		cmocka_unit_test_setup_teardown(
			a_key_in_two_files_is_lent_once_and_taken_out_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_with_two_certificates_is_taken_out_with_the_first, setup, teardown),
		cmocka_unit_test_setup_teardown(
			each_key_is_blamed_on_its_own_line, setup, teardown),
		cmocka_unit_test(what_is_wanted_goes_by_the_kind_and_the_place),
		cmocka_unit_test_setup_teardown(
			of_a_token_the_url_and_the_pin_are_lent, setup, teardown),
		cmocka_unit_test(keys_linger_for_longer_than_the_longest_handshake),
		cmocka_unit_test_setup_teardown(
			what_was_not_read_is_told_and_nothing_is_lent, setup, teardown),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
