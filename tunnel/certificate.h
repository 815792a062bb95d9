/* SPDX-License-Identifier: MIT */
/*
 * certificate.h - who a certificate says it is, as texts that can be shown, logged and compared.
 *
 * A certificate is what its maker wanted it to be, so every text here is printable ASCII whatever was
 * in it. Nothing is judged: whether the certificate may be believed is decided elsewhere. A text that
 * is too small is cut and says so in its field `cut`: never compare a text that was cut.
 *
 * Distinguished names are the string of RFC 4514, most specific part first, where every byte that is
 * not printable ASCII is a backslash and two hexadecimal digits (section 2.4), for example
 * `CN=J\C3\B6rg,O=Example\, Inc.`. It is the same string for the same name, so rules can match it.
 */
#ifndef TUNNEL_CERTIFICATE_H
#define TUNNEL_CERTIFICATE_H

#include <gnutls/x509.h>

#include "common/defs.h"

struct text;

enum {
	CERTIFICATE_PIN_SIZE = 64,	 /* holds every pin and its NUL */
	CERTIFICATE_IDENTITY_SIZE = 256, /* a good size for certificate_identity() */
	CERTIFICATE_NAME_SIZE =
		4096, /* holds every distinguished or alternative name that is sane */
};

/* Append the subject of @crt; nothing for an empty one. Returns -1, with nothing appended, if it is malformed. */
MUST_USE int certificate_subject(gnutls_x509_crt_t crt, struct text *text);

/* The same for the issuer. */
MUST_USE int certificate_issuer(gnutls_x509_crt_t crt, struct text *text);

/*
 * Append the alternative name number @index, from 0: "dns:NAME", "ip:ADDRESS", "uri:URI",
 * "email:ADDRESS", "dn:RFC4514", or "other:" and something opaque. No name has a space in it (it
 * stands as \x20). Returns -1, with nothing appended, when there are no more or they are malformed.
 */
MUST_USE int certificate_name(gnutls_x509_crt_t crt, unsigned index, struct text *text);

/*
 * Append "sha256:" and the base64 of SHA-256 over the DER of the SubjectPublicKeyInfo (the pin of
 * RFC 7469 section 2.4). Returns -1, with nothing appended, if GnuTLS cannot make it.
 */
MUST_USE int certificate_pin(gnutls_x509_crt_t crt, struct text *text);

/*
 * Append one line for people: the first alternative name, if any, a space, and the subject:
 * "dns:db.example.net CN=db". Each is bounded so that both fit CERTIFICATE_IDENTITY_SIZE, and ends in
 * "..." where it was cut. "unnamed" for a certificate without either.
 */
void certificate_identity(gnutls_x509_crt_t crt, struct text *text);

#endif
