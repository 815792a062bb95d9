/* SPDX-License-Identifier: MIT */
/*
 * pki_pair.h - a private key with its certificate, made as RFC 5280 wants it.
 *
 * It knows GnuTLS and no files, and takes the time from its caller. The two profiles:
 *
 *	authority: CA with path length 0 (it issues leaves only), keyCertSign and cRLSign
 *	leaf: no CA, digitalSignature, clientAuth and serverAuth, alternative names
 *
 * Both have a random serial number of 20 octets, a subject key identifier, and a leaf that of its issuer.
 */
#ifndef TUNNEL_PKI_PAIR_H
#define TUNNEL_PKI_PAIR_H

#include <gnutls/x509.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/pki_name.h"

struct diag;

enum pki_pair_type { PKI_PAIR_ECDSA_P256, PKI_PAIR_ED25519, PKI_PAIR_RSA_3072, PKI_PAIR_TYPES };

/* Both NULL, or both set. */
struct pki_pair {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

/* What a certificate is to say. Borrows everything. */
struct pki_pair_plan {
	const char *common_name; /* NULL, for an authority only: one that tells it from others */
	enum pki_pair_type type;
	time_t from, until;
	const struct pki_name *names;
	size_t name_count;
};

/* The name of @type as the command line has it: "ecdsa-p256". */
const char *pki_pair_type_name(enum pki_pair_type type);

/* Make a key and a certificate signed with itself. Returns 0, or -1 with words. */
MUST_USE int pki_pair_make_authority(
	struct pki_pair *pair, const struct pki_pair_plan *plan, struct diag *diag);

/* Make a key and a certificate signed by @authority. Returns 0, or -1 with words. */
MUST_USE int pki_pair_make_leaf(struct pki_pair *pair, const struct pki_pair_plan *plan,
	const struct pki_pair *authority, struct diag *diag);

/*
 * Make a key and a certificate of the profile of a leaf that is signed with itself, for whoever knows its
 * pin. Returns 0, or -1 with words.
 */
MUST_USE int pki_pair_make_self(
	struct pki_pair *pair, const struct pki_pair_plan *plan, struct diag *diag);

/*
 * Take an authority from the texts (PEM) of its certificate and key, which must belong together and
 * be allowed to issue. Returns 0, or -1 with words.
 */
MUST_USE int pki_pair_load_authority(struct pki_pair *pair, const gnutls_datum_t *crt,
	const gnutls_datum_t *key, struct diag *diag);

/*
 * Write key (PKCS #8) and certificate as PEM. The caller frees both with gnutls_free(), the key after
 * it was wiped. Returns 0, or -1 with words.
 */
MUST_USE int pki_pair_export(
	const struct pki_pair *pair, gnutls_datum_t *key, gnutls_datum_t *crt, struct diag *diag);

/* Release everything in @pair, which may be all zero, and make it empty. The key is wiped. */
void pki_pair_release(struct pki_pair *pair);

#endif
