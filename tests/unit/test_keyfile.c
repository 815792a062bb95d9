/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/keyfile.h"
#include "tunnel/pki_pair.h"

static struct pki_pair pair;
static struct files files;
static char crt[4096], key[4096];

static const struct file *
add(const char *name, const void *data, size_t size)
{
	struct diag diag;

	assert_int_equal(files_put(&files, name, data, size, &diag), 0);
	return files_find(&files, name);
}

static const struct file *
add_text(const char *name, const char *text)
{
	return add(name, text, strlen(text));
}

static int
setup(void **state)
{
	const struct pki_pair_plan plan = {
		.common_name = "a", .from = time(NULL), .until = time(NULL) + 3600};
	gnutls_datum_t key_pem, crt_pem;
	struct diag diag;

	(void)state;
	assert_int_equal(pki_pair_make_authority(&pair, &plan, &diag), 0);
	assert_int_equal(pki_pair_export(&pair, &key_pem, &crt_pem, &diag), 0);
	(void)snprintf(key, sizeof(key), "%.*s", (int)key_pem.size, (char *)key_pem.data);
	(void)snprintf(crt, sizeof(crt), "%.*s", (int)crt_pem.size, (char *)crt_pem.data);
	gnutls_free(key_pem.data);
	gnutls_free(crt_pem.data);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pki_pair_release(&pair);
	files_release(&files);
	return 0;
}

static const struct file *
add_locked(const char *password)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(pair.key, GNUTLS_X509_FMT_PEM, password,
				 GNUTLS_PKCS_PBES2_AES_256, &pem),
		0);
	const struct file *file = add("locked", pem.data, pem.size);
	gnutls_free(pem.data);
	return file;
}

/* With the certificate, the key, or both. */
static const struct file *
add_pkcs12(const char *password, bool with_crt, bool with_key)
{
	unsigned flags = GNUTLS_PKCS_PBES2_AES_256;
	gnutls_pkcs12_bag_t bag;
	gnutls_pkcs12_t p12;
	gnutls_datum_t der;

	assert_int_equal(gnutls_pkcs12_init(&p12), 0);
	assert_int_equal(gnutls_pkcs12_bag_init(&bag), 0);
	if (with_crt)
		assert_true(gnutls_pkcs12_bag_set_crt(bag, pair.crt) >= 0);
	if (with_key) {
		gnutls_datum_t pkcs8;
		assert_int_equal(gnutls_x509_privkey_export2_pkcs8(
					 pair.key, GNUTLS_X509_FMT_DER, password, flags, &pkcs8),
			0);
		assert_true(gnutls_pkcs12_bag_set_data(
				    bag, GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, &pkcs8) >= 0);
		gnutls_free(pkcs8.data);
	}
	assert_int_equal(gnutls_pkcs12_set_bag(p12, bag), 0);
	assert_int_equal(gnutls_pkcs12_generate_mac2(p12, GNUTLS_MAC_SHA256, password), 0);
	assert_int_equal(gnutls_pkcs12_export2(p12, GNUTLS_X509_FMT_DER, &der), 0);
	const struct file *file = add("p12", der.data, der.size);
	gnutls_free(der.data);
	gnutls_pkcs12_bag_deinit(bag);
	gnutls_pkcs12_deinit(p12);
	return file;
}

static void
assert_key(const struct file *file, const char *password)
{
	unsigned char id[32], wanted[32];
	size_t size = sizeof(id), wanted_size = sizeof(wanted);
	struct keyfile keyfile = {0};
	struct diag diag;

	if (keyfile_key(&keyfile, file, password, &diag) < 0)
		fail_msg("%s", diag.text);
	assert_int_equal(
		gnutls_x509_privkey_get_key_id(keyfile.key, GNUTLS_KEYID_USE_SHA256, id, &size), 0);
	assert_int_equal(gnutls_x509_privkey_get_key_id(
				 pair.key, GNUTLS_KEYID_USE_SHA256, wanted, &wanted_size),
		0);
	assert_memory_equal(id, wanted, sizeof(id));
	keyfile_release(&keyfile);
	assert_null(keyfile.key);
}

static void
refused(const struct file *file, const char *password, const char *words)
{
	struct keyfile keyfile = {0};
	struct diag diag;

	assert_int_equal(keyfile_key(&keyfile, file, password, &diag), -1);
	assert_non_null(strstr(diag.text, words));
	assert_true(!keyfile.key && !keyfile.crts);
}

static void
a_pem_key_is_taken_wherever_it_stands(void **state)
{
	char both[8192];

	(void)state;
	assert_key(add_text("key", key), NULL);
	assert_key(add_text("key", key), "not needed");
	(void)snprintf(both, sizeof(both), "%s%s", crt, key);
	assert_key(add_text("both", both), NULL);
	(void)snprintf(both, sizeof(both), "%s%s", key, crt);
	assert_key(add_text("both", both), NULL);
}

static void
an_encrypted_key_needs_its_password(void **state)
{
	const struct file *file = add_locked("secret");

	(void)state;
	assert_key(file, "secret");
	refused(file, NULL, "the key is encrypted: write password-file");
	refused(file, "wrong", "the password does not fit the key");
	refused(file, "", "the password does not fit the key");
	assert_key(add_locked(""), "");
}

static void
pkcs12_has_both_and_a_password_or_the_empty_one(void **state)
{
	const struct file *file = add_pkcs12("secret", true, true);
	struct keyfile keyfile = {0};
	struct diag diag;

	(void)state;
	assert_key(file, "secret");
	refused(file, NULL, "has a password: write password-file");
	refused(file, "", "has not the empty password");
	refused(file, "wrong", "the password does not fit the PKCS#12 file");
	assert_int_equal(keyfile_certificates(&keyfile, file, "secret", &diag), 0);
	assert_int_equal(keyfile.count, 1);
	keyfile_release(&keyfile);
	file = add_pkcs12("", true, true);
	assert_key(file, NULL);
	assert_key(file, "");
	refused(file, "wrong", "does not fit");
}

static void
what_is_missing_is_said(void **state)
{
	struct keyfile keyfile = {0};
	struct diag diag;

	(void)state;
	refused(add_text("crt", crt), NULL, "there is no private key");
	refused(add_text("text", "hello\n"), NULL, "it is neither PEM");
	assert_int_equal(keyfile_certificates(&keyfile, add_text("key", key), NULL, &diag), -1);
	assert_non_null(strstr(diag.text, "No certificate was found; give"));
	assert_true(!keyfile.crts && keyfile.count == 0);
}

static void
every_certificate_of_a_file_is_kept_in_its_order(void **state)
{
	struct keyfile keyfile = {0};
	char three[4 * sizeof(crt)];
	struct diag diag;

	(void)state;
	(void)snprintf(three, sizeof(three), "%s%s%s%s", crt, key, crt, crt);
	assert_int_equal(keyfile_certificates(&keyfile, add_text("three", three), NULL, &diag), 0);
	assert_int_equal(keyfile.count, 3);
	keyfile_release(&keyfile);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pem_key_is_taken_wherever_it_stands),
		cmocka_unit_test(an_encrypted_key_needs_its_password),
		cmocka_unit_test(pkcs12_has_both_and_a_password_or_the_empty_one),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(every_certificate_of_a_file_is_kept_in_its_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
