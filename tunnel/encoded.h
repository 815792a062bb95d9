/* SPDX-License-Identifier: MIT */
/*
 * encoded.h - the objects of one kind in a file, each in PEM or in DER, none left out.
 *
 * GnuTLS skips what it does not understand around and between blocks of PEM. Where leaving one out would
 * let somebody pass, every byte of the file must belong to an object, or be a blank.
 */
#ifndef TUNNEL_ENCODED_H
#define TUNNEL_ENCODED_H

#include <gnutls/gnutls.h>

#include "common/defs.h"
#include "tunnel/der.h"

struct diag;

/*
 * Take the next object off @rest, whose label in PEM is @label ("X509 CRL"), as @der; the caller frees
 * its data with gnutls_free(). Returns 1, 0 if there are no more, or -1 with words.
 */
MUST_USE int encoded_take(
	struct der *rest, const char *label, gnutls_datum_t *der, struct diag *diag);

#endif
