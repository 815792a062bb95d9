/* SPDX-License-Identifier: MIT */
/* From files to GnuTLS's credentials: what main reads, what the key process gets, what serve loads. */
#include "tests/unit/unit.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tunnel/config.h"
#include "tunnel/identity.h"
#include "tunnel/keyring.h"
#include "tunnel/lending.h"

enum { PATH_SIZE = 96, KINDS = 3 };

static const struct {
	const char *name;
	gnutls_pk_algorithm_t kind;
	unsigned bits;
} kinds[KINDS] = {
	{"rsa", GNUTLS_PK_RSA, 2048},
	{"ecdsa", GNUTLS_PK_ECDSA, 256},
	{"ed25519", GNUTLS_PK_EDDSA_ED25519, 256},
};

static char directory[] = "/tmp/test_identity.XXXXXX";
static struct files files;

static const char *
path(const char *name, const char *ending)
{
	static char paths[4][PATH_SIZE];
	static unsigned next;
	char *result = paths[next++ % ARRAY_SIZE(paths)];

	(void)snprintf(result, PATH_SIZE, "%s/%s%s", directory, name, ending);
	return result;
}

static void
write_file(const char *name, const void *data, size_t size)
{
	struct diag diag;

	(void)unlink(name);
	assert_int_equal(files_create(name, 0600, data, size, &diag), 0);
}

/* NAME.crt, NAME.key, and NAME.pem with both. */
static void
make_identity(size_t index)
{
	unsigned bits = kinds[index].kind == GNUTLS_PK_ECDSA
		? (unsigned)GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)
		: kinds[index].bits;
	gnutls_digest_algorithm_t digest = kinds[index].kind == GNUTLS_PK_EDDSA_ED25519
		? GNUTLS_DIG_SHA512
		: GNUTLS_DIG_SHA256;
	gnutls_datum_t crt_pem, key_pem;
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	char both[8192];

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(key, kinds[index].kind, bits, 0), 0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
	assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
	assert_int_equal(gnutls_x509_crt_set_serial(crt, "\1", 1), 0);
	assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600), 0);
	assert_int_equal(gnutls_x509_crt_set_activation_time(crt, time(NULL)), 0);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, digest, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem), 0);
	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(
				 key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key_pem),
		0);
	write_file(path(kinds[index].name, ".crt"), crt_pem.data, crt_pem.size);
	write_file(path(kinds[index].name, ".key"), key_pem.data, key_pem.size);
	(void)snprintf(both, sizeof(both), "%s%s", (char *)key_pem.data, (char *)crt_pem.data);
	write_file(path(kinds[index].name, ".pem"), both, strlen(both));
	gnutls_free(crt_pem.data);
	gnutls_free(key_pem.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static int
setup_group(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	for (size_t i = 0; i < KINDS; i++)
		make_identity(i);
	return 0;
}

static int
teardown_group(void **state)
{
	static const char *const endings[] = {".crt", ".key", ".pem"};

	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		for (size_t j = 0; j < ARRAY_SIZE(endings); j++)
			(void)unlink(path(kinds[i].name, endings[j]));
	return rmdir(directory);
}

static int
teardown(void **state)
{
	(void)state;
	files_release(&files);
	return 0;
}

/* A service that accepts with these lines. */
static struct config *
configure(const char *program, const char *lines)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"%s\n[s]\nmode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\nverify = "
		"no\n%s",
		program, lines);
	return identities_config(text);
}

static struct config *
configure_all(const char *program)
{
	char lines[1024] = "";

	for (size_t i = 0; i < KINDS; i++) {
		char line[3 * PATH_SIZE];
		(void)snprintf(line, sizeof(line), "cert = %s\nkey = %s\n",
			path(kinds[i].name, ".crt"), path(kinds[i].name, ".key"));
		(void)strncat(lines, line, sizeof(lines) - strlen(lines) - 1);
	}
	return configure(program, lines);
}

static int
read_one(struct tls_config tls, const char *cert, const char *key, const char **blamed,
	struct diag *diag)
{
	const struct identity_config identity = {cert, key};

	tls.identities = &identity;
	tls.identity_count = 1;
	return identity_read(&files, &tls, 0, blamed, diag);
}

static void
read_all(const struct config *config)
{
	const struct tls_config *tls = &config->services[0].tls[SIDE_ACCEPT];
	const char *blamed;
	struct diag diag;

	for (size_t i = 0; i < tls->identity_count; i++)
		if (identity_read(&files, tls, i, &blamed, &diag) < 0)
			fail_msg("%s: %s", blamed, diag.text);
}

static bool
has(const char *name, const char *words)
{
	const struct file *file = files_find(&files, name);

	return file && strstr((const char *)file->data, words) != NULL;
}

static void
certificates_and_key_are_apart_whatever_they_were_in(void **state)
{
	const char *pem = path("ecdsa", ".pem"), *blamed;
	char key_name[PATH_SIZE + 8];
	struct diag diag;

	(void)state;
	assert_int_equal(
		read_one((struct tls_config){.key_permissions = true}, pem, pem, &blamed, &diag),
		0);
	assert_int_equal(files.count, 2);
	assert_true(has(pem, "BEGIN CERTIFICATE"));
	assert_false(has(pem, "PRIVATE KEY"));
	(void)snprintf(key_name, sizeof(key_name), "key:%s", pem);
	assert_true(has(key_name, "BEGIN PRIVATE KEY"));
	assert_false(has(key_name, "CERTIFICATE"));
}

static void
what_was_read_as_an_anchor_before_loses_its_key(void **state)
{
	const char *pem = path("ecdsa", ".pem"), *blamed;
	struct diag diag;

	(void)state;
	assert_int_equal(files_read(&files, pem, &diag), 0);
	assert_true(has(pem, "PRIVATE KEY"));
	assert_int_equal(read_one((struct tls_config){0}, pem, pem, &blamed, &diag), 0);
	assert_false(has(pem, "PRIVATE KEY"));
}

static void
refused(struct tls_config tls, const char *cert, const char *key, const char *option,
	const char *words)
{
	const char *blamed;
	struct diag diag;

	assert_int_equal(read_one(tls, cert, key, &blamed, &diag), -1);
	assert_string_equal(blamed, option);
	if (!strstr(diag.text, words))
		fail_msg("\"%s\" is not in: %s", words, diag.text);
	assert_int_equal(files.count, 0);
}

static void
what_is_wrong_is_blamed_on_its_option(void **state)
{
	const struct tls_config strict = {.key_permissions = true};
	const char *crt = path("ecdsa", ".crt"), *key = path("ecdsa", ".key");

	(void)state;
	refused(strict, "/nowhere", key, "cert", "No such file");
	refused(strict, crt, "/nowhere", "key", "No such file");
	refused(strict, key, key, "cert", "No certificate was found");
	refused(strict, crt, crt, "key", "there is no private key");
	refused(strict, crt, path("rsa", ".key"), "key", "not even of the same kind");
	refused((struct tls_config){.password_file = "/nowhere"}, crt, key, "password-file",
		"No such file");
	refused((struct tls_config){.pin_source = "/nowhere"}, crt, key, "pin-source",
		"No such file");
	refused(strict, crt, "pkcs11:object=a?pin-value=1", "key", "write the option pin-source");
	refused(strict, "pkcs11:object=a?pin-source=/b", key, "cert",
		"write the option pin-source");
}

static void
a_key_that_others_can_read_is_refused_unless_that_is_off(void **state)
{
	const char *crt = path("ecdsa", ".crt"), *key = path("ecdsa", ".key"), *blamed;
	struct diag diag;

	(void)state;
	assert_int_equal(chmod(key, 0644), 0);
	refused((struct tls_config){.key_permissions = true}, crt, key, "key",
		"others can read it");
	assert_int_equal(read_one((struct tls_config){0}, crt, key, &blamed, &diag), 0);
	assert_int_equal(chmod(key, 0600), 0);
}

/* Load as serve does. The kinds of the keys in their order are stored in @loaded. */
static void
load(const struct config *config, gnutls_pk_algorithm_t *loaded, bool *slow)
{
	const struct identity_source source = {.config = config, .files = &files};
	gnutls_certificate_credentials_t credentials;
	const char *blamed;
	struct diag diag;

	assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
	if (identity_load(credentials, &source, &config->services[0].tls[SIDE_ACCEPT], slow,
		    &blamed, &diag) < 0)
		fail_msg("%s: %s", blamed, diag.text);
	for (unsigned i = 0; i < KINDS; i++) {
		gnutls_x509_crt_t *crts;
		unsigned count;
		assert_int_equal(gnutls_certificate_get_x509_crt(credentials, i, &crts, &count), 0);
		assert_int_equal(count, 1);
		loaded[i] = (gnutls_pk_algorithm_t)gnutls_x509_crt_get_pk_algorithm(crts[0], NULL);
		gnutls_x509_crt_deinit(crts[0]);
		gnutls_free(crts);
	}
	gnutls_certificate_free_credentials(credentials);
}

static void
the_best_is_loaded_first_whether_the_keys_are_there_or_not(void **state)
{
	static const char *const programs[] = {"key-process = no", "key-process = yes"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct config *config = configure_all(programs[i]);
		struct keyring keyring = {0};
		gnutls_pk_algorithm_t loaded[KINDS];
		struct diag diag;
		bool slow = false;

		read_all(config);
		assert_int_equal(lending_collect(&keyring, config, &files, &diag), 0);
		load(config, loaded, &slow);
		assert_int_equal(loaded[0], GNUTLS_PK_EDDSA_ED25519);
		assert_int_equal(loaded[1], GNUTLS_PK_ECDSA);
		assert_int_equal(loaded[2], GNUTLS_PK_RSA);
		assert_true(slow);
		keyring_release(&keyring);
		files_release(&files);
		config_unref(config);
	}
}

static int
load_one(const char *program, bool *slow)
{
	char lines[3 * PATH_SIZE];
	gnutls_certificate_credentials_t credentials;
	struct keyring keyring = {0};
	const char *blamed;
	struct diag diag;

	(void)snprintf(lines, sizeof(lines), "cert = %s\n", path("ecdsa", ".pem"));
	struct config *config = configure(program, lines);
	const struct identity_source source = {.config = config, .files = &files};
	read_all(config);
	assert_int_equal(lending_collect(&keyring, config, &files, &diag), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&credentials), 0);
	int result = identity_load(
		credentials, &source, &config->services[0].tls[SIDE_ACCEPT], slow, &blamed, &diag);
	gnutls_certificate_free_credentials(credentials);
	keyring_release(&keyring);
	files_release(&files);
	config_unref(config);
	return result;
}

static void
only_rsa_and_what_is_remote_is_slow(void **state)
{
	bool slow = true;

	(void)state;
	assert_int_equal(load_one("key-process = no", &slow), 0);
	assert_false(slow);
	assert_int_equal(load_one("key-process = yes", &slow), 0);
	assert_true(slow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			certificates_and_key_are_apart_whatever_they_were_in, teardown),
		cmocka_unit_test_teardown(
			what_was_read_as_an_anchor_before_loses_its_key, teardown),
		cmocka_unit_test_teardown(what_is_wrong_is_blamed_on_its_option, teardown),
		cmocka_unit_test_teardown(
			a_key_that_others_can_read_is_refused_unless_that_is_off, teardown),
		cmocka_unit_test_teardown(
			the_best_is_loaded_first_whether_the_keys_are_there_or_not, teardown),
		cmocka_unit_test_teardown(only_rsa_and_what_is_remote_is_slow, teardown),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
