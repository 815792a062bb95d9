/* SPDX-License-Identifier: MIT */
/*
 * chain.h - the certificates that a peer showed, and the path from its own to an anchor of ours.
 */
#ifndef TUNNEL_CHAIN_H
#define TUNNEL_CHAIN_H

#include <gnutls/x509.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/trust.h"

enum { CHAIN_MAX = 16 };

/* As the peer sent it, its own certificate first. All zero is empty. */
struct chain {
	gnutls_x509_crt_t crts[CHAIN_MAX];
	unsigned count;
};

/*
 * Parse the @count certificates in @certificates (DER) into @chain, which is empty. Returns 0, or -1 if
 * there are more than CHAIN_MAX or one is malformed; the caller releases @chain in either case.
 */
MUST_USE int chain_parse(struct chain *chain, const gnutls_datum_t *certificates, unsigned count);

void chain_release(struct chain *chain);

/* When the first certificate of @chain, which is not empty, expires. */
time_t chain_expiry(const struct chain *chain);

/* From the peer's certificate to an anchor; borrowed from the chain and the trust. */
struct path {
	gnutls_x509_crt_t crts[CHAIN_MAX + 1];
	unsigned count;
};

/*
 * Find the @path of @chain, which verified against @trust, to one of its anchors: each certificate was
 * signed by the next one. Returns 0, or -1 if there is none.
 */
MUST_USE int path_find(struct path *path, const struct chain *chain, const struct trust *trust);

/* When the first certificate of @path expires. */
time_t path_expiry(const struct path *path);

#endif
