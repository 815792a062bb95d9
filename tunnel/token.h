/* SPDX-License-Identifier: MIT */
/*
 * token.h - keys and certificates in a PKCS#11 token, by their URL (RFC 7512).
 */
#ifndef TUNNEL_TOKEN_H
#define TUNNEL_TOKEN_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "common/defs.h"

struct diag;

/*
 * Refuse what @url must not say: a PIN or where one is, which is the business of an option of its own,
 * whose file is judged. Returns 0, or -1 with words.
 */
MUST_USE int token_check_url(const char *url, struct diag *diag);

/*
 * The certificate of @url and those that the token has of its issuers, leaf first. @pin is NULL where
 * there is none. The caller frees every one of the @count of @crts with gnutls_x509_crt_deinit(), and the
 * array with gnutls_free(). Returns 0, or -1 with words.
 */
MUST_USE int token_certificates(const char *url, const char *pin, gnutls_x509_crt_t **crts,
	unsigned *count, struct diag *diag);

/*
 * The private key of @url, which stays in the token. Borrows @pin, NULL where there is none, as long as
 * the key lives. The caller frees @key with gnutls_privkey_deinit(). Returns 0, or -1 with words, @key
 * being NULL then.
 */
MUST_USE int token_key(const char *url, const char *pin, gnutls_privkey_t *key, struct diag *diag);

#endif
