/* SPDX-License-Identifier: MIT */
/*
 * pki_name.h - the names that a certificate is asked to carry, checked before anything is made.
 *
 * What is refused here would be refused or misread by some peer later, where it is harder to see why.
 */
#ifndef TUNNEL_PKI_NAME_H
#define TUNNEL_PKI_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

enum {
	PKI_NAME_LIMIT = 2048,	  /* bytes in one alternative name */
	PKI_NAME_STEM_LIMIT = 64, /* bytes in a common name (RFC 5280: ub-common-name) */
};

enum pki_name_kind { PKI_NAME_DNS, PKI_NAME_IP, PKI_NAME_URI };

/* One alternative name. Borrows its text. */
struct pki_name {
	enum pki_name_kind kind;
	const char *text;
	uint8_t ip[16];
	size_t ip_size; /* 4 or 16 for PKI_NAME_IP, else 0 */
};

/*
 * Is @text a host name: labels of letters, digits and inner hyphens, at most 63 bytes each and 253
 * in all, the last not a number (RFC 1123 section 2.1)?
 */
bool pki_name_is_host(const char *text);

/*
 * Parse @text as a name of @kind: a host name, which may begin with "*."; an IPv4 or IPv6 address; a
 * URI with its scheme. Borrows @text as long as @name is used. Returns 0, or -1 with words.
 */
MUST_USE int pki_name_parse(
	struct pki_name *name, enum pki_name_kind kind, const char *text, struct diag *diag);

/*
 * Check @text as the name of a certificate, which is its common name and the stem of its files: 1 to
 * PKI_NAME_STEM_LIMIT letters, digits, '.', '_', '-' and '@', the first a letter or digit, and not "ca".
 * Returns 0, or -1 with words.
 */
MUST_USE int pki_name_check_stem(const char *text, struct diag *diag);

/* Check @text as a common name: 1 to PKI_NAME_STEM_LIMIT printable ASCII characters. Returns 0, or -1 with words. */
MUST_USE int pki_name_check_common(const char *text, struct diag *diag);

#endif
