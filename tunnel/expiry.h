/* SPDX-License-Identifier: MIT */
/*
 * expiry.h - warn of our certificates, our OCSP responses and revocation lists, before their time is over.
 *
 *	30 days, 7 days, 1 day, over: each is said once of each certificate, and of several that have come
 *	at once only the last. That its time is over, or has not begun, is said again with each new set.
 *
 * Revocation lists and OCSP responses often live for days only: of their time are said only those warnings
 * that come in the second half of their life. Nothing else judges those dates before a connection needs
 * them. Trust anchors are left out; what they vouch for has dates of its own.
 */
#ifndef TUNNEL_EXPIRY_H
#define TUNNEL_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/defs.h"

struct config;
struct diag;
struct files;

enum { EXPIRY_INTERVAL = 3600 }; /* seconds between two looks at the time that are often enough */

/* Something with a date. */
struct expiry_entry {
	uint8_t digest[32]; /* SHA-256 of its DER: what it is known by */
	char *words;	    /* service, option, file and whose it is */
	const char *after;  /* what will be when it is over */
	time_t since, until;
	int slack;	 /* seconds that it may be used before its time */
	double lifetime; /* seconds; 0: however long, each warning is said */
	unsigned told;	 /* how many warnings are behind it */
	bool told_early; /* that its time has not begun */
};

/* All zero is empty. */
struct expiry {
	struct expiry_entry *entries;
	size_t count;
};

void expiry_release(struct expiry *expiry);

/*
 * Put all certificates and lists that @config uses in the place of those before; @files has their contents. Of
 * those that stay it is remembered what was said. Returns 0, or -1 with words and @expiry as it was.
 */
MUST_USE int expiry_set(struct expiry *expiry, const struct config *config,
	const struct files *files, struct diag *diag);

/* Call @tell with @user and words for each warning that is due at @now. */
void expiry_tell(
	struct expiry *expiry, time_t now, void (*tell)(void *user, const char *words), void *user);

/* In how many seconds expiry_tell() is to be called again after @now, lest it is late; 0: never. */
int expiry_wait(const struct expiry *expiry, time_t now);

#endif
