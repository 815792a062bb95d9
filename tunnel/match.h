/* SPDX-License-Identifier: MIT */
/*
 * match.h - does a name that a peer proved fit a pattern that the operator wrote?
 *
 * A pattern is checked once, when it is read, so that one which nothing can fit is an error then. The
 * names are bytes as they stand in a certificate: never normalised, decoded, or ended by a NUL, and
 * one with a NUL in it fits nothing. A `*` in a name means nothing but itself.
 */
#ifndef TUNNEL_MATCH_H
#define TUNNEL_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;
struct endpoint;

/* An address and how many bits of it count; the others are 0. */
struct match_prefix {
	uint8_t bytes[16];
	unsigned size; /* 4 or 16 */
	unsigned bits;
};

/*
 * Check @pattern: a host name in ASCII (RFC 1123 section 2.1, and `_`) without a last dot, where any whole
 * label may be `*`. Returns 0, or -1 with words: what is wrong; the remedy. So do all that check.
 */
MUST_USE int match_check_dns(const char *pattern, struct diag *diag);

/*
 * Check @pattern: a URI in ASCII with its scheme, where any whole segment of the path may be `*`, and the
 * last one `**`.
 */
MUST_USE int match_check_uri(const char *pattern, struct diag *diag);

/* Check @pattern: a mailbox, LOCAL@HOST. */
MUST_USE int match_check_email(const char *pattern, struct diag *diag);

/* Check @pattern: a distinguished name as certificate_issuer() could write it. */
MUST_USE int match_check_issuer(const char *pattern, struct diag *diag);

/* Parse "192.0.2.1", "10.0.0.0/8", "2001:db8::/32". Bits behind the prefix are an error. */
MUST_USE int match_prefix_parse(struct match_prefix *prefix, const char *text, struct diag *diag);

/* Is @name of @size bytes exactly @pattern? */
bool match_text(const char *pattern, const uint8_t *name, size_t size);

/* Is @name @pattern, ASCII letters of either case alike, with a label of at least one byte for each `*`? */
bool match_dns(const char *pattern, const uint8_t *name, size_t size);

/*
 * Is @name exactly @pattern, with a segment of at least one byte for each `*`, and for `**` whatever is
 * left, which begins with such a segment?
 */
bool match_uri(const char *pattern, const uint8_t *name, size_t size);

/* Is @name @pattern, exactly up to the last `@`, and behind it in either case? */
bool match_email(const char *pattern, const uint8_t *name, size_t size);

/* Is the address of @size bytes in @prefix? One of IPv4 and one of IPv6 never are each other's. */
bool match_prefix_has(const struct match_prefix *prefix, const uint8_t *address, size_t size);

/* Is @endpoint an IP endpoint in @prefix? An IPv4-mapped address counts as the IPv4 address alone. */
bool match_prefix_has_endpoint(const struct match_prefix *prefix, const struct endpoint *endpoint);

/* Has @prefix nothing but IPv4-mapped addresses, so that no endpoint is in it? */
bool match_prefix_is_mapped(const struct match_prefix *prefix);

#endif
