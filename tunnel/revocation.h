/* SPDX-License-Identifier: MIT */
/*
 * revocation.h - certificate revocation lists, failing closed (RFC 5280 section 6.3).
 *
 * GnuTLS accepts lists that have expired and issuers without any; here every issuer of a chain must
 * have a list that is fresh and signed by it, intermediates included.
 */
#ifndef TUNNEL_REVOCATION_H
#define TUNNEL_REVOCATION_H

#include <gnutls/x509.h>
#include <stddef.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/config.h"
#include "tunnel/verdict.h"

struct diag;
struct file;

/* The lists of one file. Immutable once made but for what it
 * remembers, counted and judged by from any thread, and shared by services. */
struct revocation;

/* Those that were made so far for one configuration. All zero is empty. */
struct revocations {
	struct revocation **entries;
	size_t count;
};

/*
 * The lists in @file: PEM, any number, or a single one as DER. Each must parse, and have an algorithm that
 * is not broken; of several lists of one issuer the newest counts. The dates are left to
 * revocation_judge(), or a file that was good once could not be loaded again. Counted: the
 * caller drops the result with revocation_unref(). Borrows @file as long as @revocations is used. NULL
 * with words.
 */
MUST_USE struct revocation *revocation_get(
	struct revocations *revocations, const struct file *file, struct diag *diag);

/* Counted, from any thread. revocation_unref(NULL) does nothing. */
void revocation_unref(struct revocation *revocation);

/* Drop what @revocations keeps. */
void revocations_release(struct revocations *revocations);

/*
 * Judge a @path of @count certificates that was verified, the peer's first and its anchor last, at @now.
 * Every certificate but the anchor must be on no list of its issuer, and with @missing CRL_MISSING_REFUSE
 * each issuer must have a list. A list that has expired, is dated in the future, or that its issuer did
 * not sign, refuses always.
 */
MUST_USE struct verdict revocation_judge(struct revocation *revocation,
	const gnutls_x509_crt_t *path, size_t count, enum crl_missing missing, time_t now);

#endif
