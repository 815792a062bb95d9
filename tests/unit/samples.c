/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/samples.h"

#include <string.h>

#include "common/defs.h"
#include "tests/unit/samples_table.h"

gnutls_datum_t
samples_get(const char *name)
{
	gnutls_datum_t ret = {NULL, 0};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const char *digits = samples[i].digits;
		const gnutls_datum_t text = {
			(unsigned char *)(uintptr_t)digits, (unsigned)strlen(digits)};

		if (strcmp(samples[i].name, name) == 0)
			assert_int_equal(gnutls_hex_decode2(&text, &ret), 0);
	}
	assert_non_null(ret.data);
	return ret;
}

gnutls_x509_crt_t
samples_get_certificate(const char *name)
{
	gnutls_datum_t der = samples_get(name);
	gnutls_x509_crt_t crt;

	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
	return crt;
}
