/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <gnutls/x509.h>
#include <string.h>

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tunnel/config.h"
#include "tunnel/rawkey.h"
#include "tunnel/spki.h"

static void
they_are_for_who_pins_keys_and_believes_nobody(void **state)
{
	static const char *const pins[] = {"sha256:x"};
	const struct texts pinned = {pins, 1};
	const struct {
		struct tls_config config;
		bool wanted;
	} rows[] = {
		{{.verify = VERIFY_YES, .pins = pinned}, true},
		{{.verify = VERIFY_OPTIONAL, .pins = pinned}, true},
		{{.verify = VERIFY_NO, .pins = pinned}, false},
		{{.verify = VERIFY_YES}, false},
		{{.verify = VERIFY_YES, .pins = pinned, .ca = "ca.crt"}, false},
		{{.verify = VERIFY_YES, .pins = pinned, .ca_is_system = true}, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(rawkey_is_wanted(&rows[i].config), rows[i].wanted);
}

static void
a_raw_key_is_that_of_the_certificate(void **state)
{
	struct pki_pair pair;
	gnutls_pcert_st certificate, raw;
	struct spki spki;
	gnutls_datum_t der;
	struct diag diag;

	(void)state;
	identities_make_authority(&pair, "pair");
	assert_int_equal(gnutls_pcert_import_x509(&certificate, pair.crt, 0), 0);
	assert_int_equal(rawkey_make(&raw, &certificate), 0);
	assert_int_equal(raw.type, GNUTLS_CRT_RAWPK);
	assert_int_equal(spki_describe(&spki, certificate.pubkey, &diag), 0);
	struct spki found;
	assert_int_equal(spki_describe(&found, raw.pubkey, &diag), 0);
	assert_memory_equal(&found, &spki, sizeof(spki));
	assert_int_equal(gnutls_pubkey_export2(certificate.pubkey, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(raw.cert.size, der.size);
	assert_memory_equal(raw.cert.data, der.data, der.size);
	gnutls_free(der.data);
	gnutls_pcert_deinit(&raw);
	gnutls_pcert_deinit(&certificate);
	pki_pair_release(&pair);
}

static void
without_a_key_there_is_an_error(void **state)
{
	gnutls_pcert_st certificate = {.type = GNUTLS_CRT_X509}, raw;

	(void)state;
	assert_int_equal(gnutls_pubkey_init(&certificate.pubkey), 0);
	assert_true(rawkey_make(&raw, &certificate) < 0);
	gnutls_pubkey_deinit(certificate.pubkey);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_for_who_pins_keys_and_believes_nobody),
		cmocka_unit_test(a_raw_key_is_that_of_the_certificate),
		cmocka_unit_test(without_a_key_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
