/* SPDX-License-Identifier: MIT */
/*
 * pki_crl.h - the revocation list of an authority, made anew out of the one before.
 *
 * It knows GnuTLS and no files, and takes the time from its caller. Each list has all entries of the one
 * before and a greater number (RFC 5280 section 5.2.3).
 */
#ifndef TUNNEL_PKI_CRL_H
#define TUNNEL_PKI_CRL_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/pki_pair.h"

struct diag;

/* What a list is to say. Borrows everything. */
struct pki_crl_plan {
	const struct pki_pair *authority;
	gnutls_x509_crt_t revoked; /* whom to add; NULL: nobody */
	time_t now, from, until;
};

/* What was made. */
struct pki_crl_made {
	gnutls_datum_t pem; /* the caller frees its data with gnutls_free() */
	unsigned count;	    /* of certificates that are on it */
	bool was_on_it;	    /* the one to add was on the list before */
};

/*
 * Make a list in place of @old (PEM or DER), which must be the authority's own, or the first where that is NULL.
 * Returns 0, or -1 with words.
 */
MUST_USE int pki_crl_make(struct pki_crl_made *made, const struct pki_crl_plan *plan,
	const gnutls_datum_t *old, struct diag *diag);

#endif
