/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - what GnuTLS's verification status means, in words and as a TLS alert.
 *
 * A pure function of the bits (gnutls_certificate_status_t): it knows no certificate and no session.
 * One row of a table says for each bit its words and the alert of RFC 8446 section 6.2 that the peer
 * is to get; when several bits are set, the row that stands first decides.
 */
#ifndef TUNNEL_VERDICT_H
#define TUNNEL_VERDICT_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

struct text;

struct verdict {
	bool good;			  /* true only for status 0 */
	gnutls_alert_description_t alert; /* to send when not good */
	const char *words; /* never NULL, static: "the certificate has expired", "it verifies" */
};

/* The verdict of @status. Bits without a row are bad too: an unknown objection never passes. */
struct verdict verdict_of_status(unsigned status);

/* Append the words of every reason in @status, most important first, joined by "; ". */
void verdict_print(unsigned status, struct text *text);

#endif
