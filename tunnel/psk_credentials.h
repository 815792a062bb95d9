/* SPDX-License-Identifier: MIT */
/*
 * psk_credentials.h - pre-shared keys, as the sessions of one side use them.
 */
#ifndef TUNNEL_PSK_CREDENTIALS_H
#define TUNNEL_PSK_CREDENTIALS_H

#include <gnutls/gnutls.h>

#include "common/defs.h"
#include "tunnel/config.h"

struct diag;
struct file;

/* Immutable once made. */
struct psk_credentials;

/*
 * Make those of @side with the keys in @file; a connecting end makes itself known as @identity. The caller
 * frees the result with psk_credentials_free(). On failure NULL, with words and the option to blame in
 * @blamed.
 */
MUST_USE struct psk_credentials *psk_credentials_new(enum side side, const struct file *file,
	const char *identity, const char **blamed, struct diag *diag);

/* Wipes the keys. */
void psk_credentials_free(struct psk_credentials *credentials);

/*
 * Have @session, whose pointer is or will be its judgement, use them. An identity that is not known gets a
 * random key, so that it fails as late as a wrong one. Returns an error of GnuTLS, or 0.
 */
MUST_USE int psk_credentials_set(
	const struct psk_credentials *credentials, gnutls_session_t session);

#endif
