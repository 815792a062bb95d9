/* SPDX-License-Identifier: MIT */
/*
 * signature.h - sign what TLS signs, and nothing else.
 *
 * A table says which algorithm goes with which kind of key and how long its hash is; a request that
 * does not fit is refused, so that a serve that was taken over gets signatures of handshakes at most.
 */
#ifndef TUNNEL_SIGNATURE_H
#define TUNNEL_SIGNATURE_H

#include <gnutls/abstract.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

/* What is to be signed, and how. */
struct signature_wish {
	uint32_t algorithm;  /* a gnutls_sign_algorithm_t, unchecked */
	const uint8_t *data; /* the hash, or for EdDSA the data */
	size_t size;
};

/*
 * Sign with @key, of @kind, what @wish says, from any thread. The caller frees @signature->data with
 * gnutls_free(). Returns 0, or -1 with words; then @signature is empty.
 */
MUST_USE int signature_make(gnutls_privkey_t key, gnutls_pk_algorithm_t kind,
	const struct signature_wish *wish, gnutls_datum_t *signature, struct diag *diag);

#endif
