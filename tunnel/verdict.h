/* SPDX-License-Identifier: MIT */
/*
 * verdict.h - a decision about a peer, in words and as a TLS alert.
 *
 * What GnuTLS's verification status means is a pure function of the bits (gnutls_certificate_status_t).
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

/* What is decided elsewhere than by GnuTLS. */
extern const struct verdict verdict_good;
struct verdict verdict_bad(gnutls_alert_description_t alert, const char *words);

/* The verdict of @status. Bits without a row are bad too: an unknown objection never passes. */
struct verdict verdict_of_status(unsigned status);

/* Append the words of every reason in @status, most important first, joined by "; ". */
void verdict_print(unsigned status, struct text *text);

#endif
