/* SPDX-License-Identifier: MIT */
/*
 * spki.h - the public key of a certificate, by whose SHA-256 serve and the key process name a key.
 */
#ifndef TUNNEL_SPKI_H
#define TUNNEL_SPKI_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;
struct file;

enum { SPKI_ID_SIZE = 32 };

/* What is to be known of a public key without having it. */
struct spki {
	uint8_t id[SPKI_ID_SIZE]; /* SHA-256 of the DER of the SubjectPublicKeyInfo */
	gnutls_pk_algorithm_t kind;
	unsigned bits;
};

/* Describe @key. Returns 0, or -1 with words. */
MUST_USE int spki_describe(struct spki *spki, gnutls_pubkey_t key, struct diag *diag);

/* Describe the public half of the private @key, which is at hand. Returns 0, or -1 with words. */
MUST_USE int spki_of_key(struct spki *spki, gnutls_privkey_t key, struct diag *diag);

/* The public key of @crt; the caller frees it with gnutls_pubkey_deinit(). NULL with words. */
MUST_USE gnutls_pubkey_t spki_of_certificate(gnutls_x509_crt_t crt, struct diag *diag);

/* The same for the first certificate in @file, which is PEM. */
MUST_USE gnutls_pubkey_t spki_of_file(const struct file *file, struct diag *diag);

#endif
