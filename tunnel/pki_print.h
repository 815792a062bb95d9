/* SPDX-License-Identifier: MIT */
/*
 * pki_print.h - a certificate described for people, one "field: value" a line.
 *
 * Values that come from the certificate are escaped, so that no line can be forged and no terminal driven.
 */
#ifndef TUNNEL_PKI_PRINT_H
#define TUNNEL_PKI_PRINT_H

#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

enum { PKI_PRINT_NAMES = 100 }; /* alternative names shown of one certificate */

/* Describe @crt to @out. @now is what the days left are counted from. */
void pki_print_certificate(gnutls_x509_crt_t crt, time_t now, FILE *out);

/* Write @time as "2026-11-21T12:00:00Z". */
void pki_print_time(time_t time, FILE *out);

#endif
