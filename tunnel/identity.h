/* SPDX-License-Identifier: MIT */
/*
 * identity.h - our certificates and keys: as main reads them, and as serve loads them.
 *
 * Main brings every form into one: the entry CERTPATH of the files is PEM certificates only, leaf first,
 * and the entry "key:KEYPATH" the unencrypted PKCS#8 key as PEM or, where KEYPATH is the URL of a token,
 * its PIN. What of the latter goes to the key process is taken out again (lending.h); serve sees the
 * rest.
 */
#ifndef TUNNEL_IDENTITY_H
#define TUNNEL_IDENTITY_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

struct choice;
struct config;
struct diag;
struct file;
struct files;
struct identity_config;
struct signer;
struct tls_config;

/*
 * Read the identity number @index of @tls into @files, with what it needs: password, PIN, token. Key,
 * password and PIN files are judged by who may read them, unless @tls says not to; certificate and key
 * must match. Returns 0, or -1 with words and, in @blamed, the name of the option that is wrong.
 */
MUST_USE int identity_read(struct files *files, const struct tls_config *tls, size_t index,
	const char **blamed, struct diag *diag);

/* The name under which @files has the key of @identity. NULL without memory; the caller frees it. */
MUST_USE char *identity_key_name(const struct identity_config *identity);

/* Where identity_load() takes from what it loads. */
struct identity_source {
	const struct config *config;
	const struct files *files;
	struct choice *choice; /* connecting: is told of each; NULL: nobody is */
	struct signer *signer; /* NULL: there is no key process, and what it should sign fails */
};

/*
 * Load all identities of @tls into @certificate, the best first: Ed25519, ECDSA, RSA; where raw keys are
 * wanted, as such too. @slow tells whether a signature may take long, so that a loop must not wait for
 * it. Keeps the signer of @source. Returns 0, or -1 with words and the option that is wrong in @blamed.
 */
MUST_USE int identity_load(gnutls_certificate_credentials_t certificate,
	const struct identity_source *source, const struct tls_config *tls, bool *slow,
	const char **blamed, struct diag *diag);

#endif
