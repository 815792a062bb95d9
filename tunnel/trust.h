/* SPDX-License-Identifier: MIT */
/*
 * trust.h - trust anchors, parsed once for all services of a configuration that name the same file.
 *
 * A system's store costs 10 ms and 4 MB each time it is parsed.
 */
#ifndef TUNNEL_TRUST_H
#define TUNNEL_TRUST_H

#include <gnutls/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/fingerprint.h"

struct diag;
struct file;

/* Immutable once made, and counted. */
struct trust {
	gnutls_x509_crt_t *anchors; /* in the order of the file */
	unsigned anchor_count;
	gnutls_x509_trust_list_t list;	       /* the same, borrowed */
	uint8_t fingerprint[FINGERPRINT_SIZE]; /* of the anchors, in whatever order they were */
	const unsigned char *bytes; /* of the file that it was made of, for struct trusts */
	_Atomic unsigned references;
};

/* Those that were made so far for one configuration. All zero is empty. */
struct trusts {
	struct trust **entries;
	size_t count;
};

/*
 * The trust anchors in @file (PEM). Counted: the caller drops them with trust_unref(). Borrows @file
 * as long as @trusts is used. NULL with words.
 */
MUST_USE struct trust *trust_get(struct trusts *trusts, const struct file *file, struct diag *diag);

/* Counted, from any thread. trust_unref(NULL) does nothing. */
void trust_unref(struct trust *trust);

/* Drop what @trusts keeps. */
void trusts_release(struct trusts *trusts);

#endif
