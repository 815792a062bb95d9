/* SPDX-License-Identifier: MIT */
/*
 * keyfile.h - the certificates and the private key in a file, whatever its form.
 *
 * PEM, encrypted or not, with certificates and key in one file or two; or PKCS#12, which is always
 * encrypted, perhaps with the empty password. Contents only: who may read them was judged before.
 */
#ifndef TUNNEL_KEYFILE_H
#define TUNNEL_KEYFILE_H

#include <gnutls/x509.h>

#include "common/defs.h"

struct diag;
struct file;

/* All zero is empty. */
struct keyfile {
	gnutls_x509_crt_t *crts; /* as they stand in the file, PKCS#12: leaf first */
	unsigned count;
	gnutls_x509_privkey_t key; /* NULL: none */
};

/*
 * Take the certificates out of @file, into @keyfile, which is empty. @password is NULL where there is
 * none. Returns 0, or -1 with words, @keyfile then empty; there is at least one certificate.
 */
MUST_USE int keyfile_certificates(
	struct keyfile *keyfile, const struct file *file, const char *password, struct diag *diag);

/* The same for the private key. A PKCS#12 file gives both. */
MUST_USE int keyfile_key(
	struct keyfile *keyfile, const struct file *file, const char *password, struct diag *diag);

/* Free everything in @keyfile, and make it empty. */
void keyfile_release(struct keyfile *keyfile);

#endif
