/* SPDX-License-Identifier: MIT */
/*
 * samples.h - certificates, revocation lists and OCSP responses that GnuTLS cannot make.
 *
 * samples.py has made them and says what each is. Certificates are good until 2099, lists and responses
 * were made on 1 January 2026, and responses are good for 7 days.
 */
#ifndef TESTS_UNIT_SAMPLES_H
#define TESTS_UNIT_SAMPLES_H

#include <gnutls/x509.h>

enum { SAMPLES_DAY = 24 * 60 * 60, SAMPLES_TIME = 1767225600 /* 1 January 2026 */ };

/* The sample called @name, as DER. The caller frees its data with gnutls_free(). */
gnutls_datum_t samples_get(const char *name);

/* The certificate called @name. The caller frees it with gnutls_x509_crt_deinit(). */
gnutls_x509_crt_t samples_get_certificate(const char *name);

#endif
