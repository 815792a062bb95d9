/* SPDX-License-Identifier: MIT */
/* With SoftHSM, where it is there: a token in a directory of the test's own. */
#include "tests/unit/unit.h"

#include <glob.h>
#include <gnutls/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tunnel/pairing.h"
#include "tunnel/spki.h"
#include "tunnel/token.h"

#define PIN	    "271828"
#define CERTIFICATE "pkcs11:token=test;object=a;type=cert"
#define KEY	    "pkcs11:token=test;object=a;type=private"

static char directory[] = "/tmp/test_token.XXXXXX";
static struct pki_pair pair;
static bool token_is_there;

/* Load SoftHSM's module. False if there is none. */
static bool
load_module(void)
{
	static const char *const patterns[] = {"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib/*/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"};
	bool loaded = false;

	for (size_t i = 0; i < ARRAY_SIZE(patterns) && !loaded; i++) {
		glob_t found;

		if (glob(patterns[i], 0, NULL, &found))
			continue;
		loaded = gnutls_pkcs11_add_provider(found.gl_pathv[0], NULL) == 0;
		globfree(&found);
	}
	return loaded;
}

static void
configure(void)
{
	char path[128];

	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/conf", directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	(void)fprintf(file, "directories.tokendir = %s\nlog.level = ERROR\n", directory);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
}

static int
on_pin(void *opaque, int attempt, const char *url, const char *label, unsigned flags, char *pin,
	size_t size)
{
	(void)opaque;
	(void)attempt;
	(void)url;
	(void)label;
	(void)flags;
	assert_true(size >= sizeof(PIN));
	memcpy(pin, PIN, sizeof(PIN));
	return 0;
}

static void
fill_token(void)
{
	static const char token[] = "pkcs11:token=test";
	const unsigned flags = GNUTLS_PKCS11_OBJ_FLAG_LOGIN;
	const gnutls_datum_t id = {.data = (unsigned char[]){1}, .size = 1};

	assert_int_equal(
		gnutls_pkcs11_token_init("pkcs11:manufacturer=SoftHSM%20project", PIN, "test"), 0);
	gnutls_pkcs11_set_pin_function(on_pin, NULL);
	assert_int_equal(gnutls_pkcs11_token_set_pin(token, NULL, PIN, GNUTLS_PIN_USER), 0);
	assert_int_equal(gnutls_pkcs11_copy_x509_privkey2(token, pair.key, "a", &id,
				 GNUTLS_KEY_DIGITAL_SIGNATURE,
				 flags | GNUTLS_PKCS11_OBJ_FLAG_MARK_SENSITIVE |
					 GNUTLS_PKCS11_OBJ_FLAG_MARK_PRIVATE),
		0);
	assert_int_equal(gnutls_pkcs11_copy_x509_crt2(token, pair.crt, "a", &id, flags), 0);
	gnutls_pkcs11_set_pin_function(NULL, NULL);
}

static int
setup(void **state)
{
	(void)state;
	configure();
	identities_make_authority(&pair, "a");
	if (gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_MANUAL, NULL))
		return -1;
	token_is_there = load_module();
	if (token_is_there)
		fill_token();
	else
		print_message("there is no SoftHSM, so nothing is asked of a token\n");
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	gnutls_pkcs11_deinit();
	pki_pair_release(&pair);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", directory);
	return system(command);
}

/* A test that asks a token something. */
static void
needs_token(void)
{
	if (!token_is_there)
		skip();
}

static void
a_pin_or_its_place_does_not_belong_into_a_url(void **state)
{
	static const struct {
		const char *url, *words; /* NULL: it is good */
	} rows[] = {
		{KEY, NULL},
		{"pkcs11:object=pin-value=1", NULL},
		{KEY "?pin-value=1", "pin-value does not belong into the URL"},
		{KEY "?module-name=x&pin-source=/a", "pin-source does not belong into the URL"},
		{KEY ";pinfile=/a", "pinfile does not belong into the URL"},
		{"pkcs11:pin-value=1", "pin-value does not belong into the URL"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag diag = {""};

		assert_int_equal(token_check_url(rows[i].url, &diag), rows[i].words ? -1 : 0);
		if (rows[i].words && !strstr(diag.text, rows[i].words))
			fail_msg("%s", diag.text);
	}
}

static void
a_key_signs_in_its_token(void **state)
{
	gnutls_privkey_t key;
	struct diag diag;

	(void)state;
	needs_token();
	if (token_key(KEY, PIN, &key, &diag) < 0)
		fail_msg("%s", diag.text);
	gnutls_pubkey_t public = spki_of_certificate(pair.crt, &diag);
	assert_non_null(public);
	assert_int_equal(gnutls_privkey_get_type(key), GNUTLS_PRIVKEY_PKCS11);
	assert_int_equal(pairing_check(key, public, &diag), 0);
	gnutls_pubkey_deinit(public);
	gnutls_privkey_deinit(key);
}

static void
a_certificate_comes_out_as_it_went_in(void **state)
{
	static const char *const pins[] = {PIN, NULL};

	(void)state;
	needs_token();
	for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
		gnutls_x509_crt_t *crts;
		unsigned count;
		struct diag diag;

		if (token_certificates(CERTIFICATE, pins[i], &crts, &count, &diag) < 0)
			fail_msg("%s", diag.text);
		assert_int_equal(count, 1);
		assert_true(gnutls_x509_crt_equals(crts[0], pair.crt));
		gnutls_x509_crt_deinit(crts[0]);
		gnutls_free(crts);
	}
}

static void
refused(const char *url, const char *pin, const char *words)
{
	gnutls_privkey_t key;
	struct diag diag = {""};

	assert_int_equal(token_key(url, pin, &key, &diag), -1);
	assert_null(key);
	if (!strstr(diag.text, words))
		fail_msg("%s", diag.text);
}

static void
what_is_not_there_is_told_with_a_remedy(void **state)
{
	gnutls_x509_crt_t *crts;
	unsigned count;
	struct diag diag = {""};

	(void)state;
	needs_token();
	refused("pkcs11:token=test;object=b;type=private", PIN,
		"no token has it: \"p11tool --login --list-all\" says what is there");
	refused(KEY, NULL, "write pin-source");
	assert_int_equal(token_certificates("pkcs11:token=test;object=b;type=cert", NULL, &crts,
				 &count, &diag),
		-1);
	assert_non_null(strstr(diag.text, "no token has it, or shows it only to who has its PIN"));
}

/* SoftHSM locks no token, so how often it was asked shows only in that there is an end. */
static void
a_pin_that_is_wrong_is_not_tried_again(void **state)
{
	char longest[1024];

	(void)state;
	needs_token();
	refused(KEY, "314159", "the token does not take the PIN");
	memset(longest, '1', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	refused(KEY, longest, "the token does not take the PIN");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pin_or_its_place_does_not_belong_into_a_url),
		cmocka_unit_test(a_key_signs_in_its_token),
		cmocka_unit_test(a_certificate_comes_out_as_it_went_in),
		cmocka_unit_test(what_is_not_there_is_told_with_a_remedy),
		cmocka_unit_test(a_pin_that_is_wrong_is_not_tried_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
