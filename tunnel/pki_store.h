/* SPDX-License-Identifier: MIT */
/*
 * pki_store.h - the directory of an authority: DIR/STEM.crt and DIR/STEM.key for each pair.
 *
 * The authority itself has the stem "ca", and its revocation list is DIR/ca.crl. Nothing but that list is
 * ever overwritten, and a pair is there with both files or with none.
 */
#ifndef TUNNEL_PKI_STORE_H
#define TUNNEL_PKI_STORE_H

#include <gnutls/x509.h>
#include <stdbool.h>

#include "common/defs.h"

struct diag;
struct pki_pair;

/*
 * Make @directory with mode 0700 unless it is there. @made says whether it was made by this call.
 * Returns 0, or -1 with words.
 */
MUST_USE int pki_store_make(const char *directory, bool *made, struct diag *diag);

/* Refuse, with words, a @stem of which @directory has a file already. Returns 0 or -1. */
MUST_USE int pki_store_check_free(const char *directory, const char *stem, struct diag *diag);

/*
 * Write the key (0600) and the certificate (0644) of @pair. Returns 0, or -1 with words and with
 * neither file left behind.
 */
MUST_USE int pki_store_save(
	const char *directory, const char *stem, const struct pki_pair *pair, struct diag *diag);

/* Read the authority of @directory into @authority. Returns 0, or -1 with words. */
MUST_USE int pki_store_load_authority(
	const char *directory, struct pki_pair *authority, struct diag *diag);

/* Read the certificate of @stem in @directory; the caller frees it. NULL with words. */
MUST_USE gnutls_x509_crt_t pki_store_load_certificate(
	const char *directory, const char *stem, struct diag *diag);

/*
 * Keep other runs of the program from changing the list of @directory. Returns a descriptor that the
 * caller closes to let them, or -1 with words.
 */
MUST_USE int pki_store_lock(const char *directory, struct diag *diag);

/*
 * Read the list of @directory into @pem, whose data the caller frees with gnutls_free(); it is NULL if there
 * is none. Returns 0, or -1 with words.
 */
MUST_USE int pki_store_load_list(const char *directory, gnutls_datum_t *pem, struct diag *diag);

/* Put @pem in the place of the list of @directory, whole or not at all. Returns 0, or -1 with words. */
MUST_USE int pki_store_save_list(
	const char *directory, const gnutls_datum_t *pem, struct diag *diag);

/*
 * Put a file of @mode with @data in the place of @path, if there is one, so that whoever opens it finds the
 * old or the new one whole. Returns 0, or -1 with words and @path as it was.
 */
MUST_USE int pki_store_replace(
	const char *path, unsigned mode, const gnutls_datum_t *data, struct diag *diag);

#endif
