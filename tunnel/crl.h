/* SPDX-License-Identifier: MIT */
/*
 * crl.h - one certificate revocation list (RFC 5280 section 5), parsed so that a serial is found fast.
 *
 * What would make "not on the list" mean less than "not revoked" (a delta, a list for some certificates
 * only, a critical extension that is not known) is refused when the list is parsed. Its dates are not
 * judged then: what was good once can always be parsed again.
 */
#ifndef TUNNEL_CRL_H
#define TUNNEL_CRL_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/der.h"

struct diag;

enum {
	CRL_ISSUER_SIZE = 256, /* of the issuer's name in words */
	CRL_NUMBER_SIZE = 20,  /* as RFC 5280 section 5.2.3 bounds it */
};

/* Immutable once parsed. All zero is empty. */
struct crl {
	uint8_t *bytes;	   /* the list as DER, which the fields below point into */
	struct der issuer; /* distinguished name */
	struct der signed_part;
	uint8_t number[CRL_NUMBER_SIZE]; /* without leading zeros */
	size_t number_size;		 /* 0: none */
	struct der *serials;		 /* without leading zeros, sorted */
	size_t serial_count;
	time_t this_update, next_update;
	gnutls_sign_algorithm_t algorithm;
	gnutls_datum_t signature;
	char issuer_words[CRL_ISSUER_SIZE]; /* printable */
};

/*
 * Parse the list in @der, which is all of it, into @crl, which is empty. Returns 0, or -1 with words; the
 * caller releases @crl in either case.
 */
MUST_USE int crl_parse(struct crl *crl, const struct der *der, struct diag *diag);

void crl_release(struct crl *crl);

/* Is @crl in the name @dn (DER)? Whether rightly so only the signature says. */
MUST_USE bool crl_names(const struct crl *crl, const gnutls_datum_t *dn);

/* Did the key of @issuer sign @crl? */
MUST_USE bool crl_verify(const struct crl *crl, gnutls_x509_crt_t issuer);

/* Is @crt, whose issuer is that of @crl, on the list? A serial that cannot be read is. */
MUST_USE bool crl_has(const struct crl *crl, gnutls_x509_crt_t crt);

/* Was @crl made later than @other? */
MUST_USE bool crl_is_newer(const struct crl *crl, const struct crl *other);

#endif
