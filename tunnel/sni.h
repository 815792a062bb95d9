/* SPDX-License-Identifier: MIT */
/*
 * sni.h - which of several patterns the name in a ClientHello (SNI) belongs to.
 *
 * A pattern is a host name, or `*.` and a host name: the star is one label, whichever. The host name
 * itself beats the star. Looking up is a search in a sorted table, however many patterns there are.
 */
#ifndef TUNNEL_SNI_H
#define TUNNEL_SNI_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;
struct sni;

enum { SNI_PATTERN_MAX = 255 }; /* bytes */

#define SNI_NONE SIZE_MAX

/* A pattern, in letters of either case, and what sni_find() answers for it. */
struct sni_pattern {
	const char *text;
	size_t index;
};

/* Can @pattern match a name at all? Returns 0, or -1 with words that go behind the pattern. */
MUST_USE int sni_check(const char *pattern, struct diag *diag);

/*
 * Make a table of @count patterns, which sni_check() has passed and of which no two are equal; they are
 * copied. The caller frees the result with sni_free(). NULL without memory.
 */
MUST_USE struct sni *sni_new(const struct sni_pattern *patterns, size_t count);

/* sni_free(NULL) does nothing. */
void sni_free(struct sni *sni);

/* The index of the pattern that @name, in lower case, belongs to, or SNI_NONE. */
MUST_USE size_t sni_find(const struct sni *sni, const char *name);

#endif
