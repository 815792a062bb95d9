/* SPDX-License-Identifier: MIT */
/*
 * pki_live.h - one TLS connection to a server, made to look at its certificates.
 *
 * The server is heard out before it is judged: the handshake accepts any chain, and what the caller
 * does with the chain is the caller's. Only what cannot be read ends it, and a key that would keep us
 * busy (peer_key.h). Nothing but the handshake is ever sent. Everything together may take
 * PKI_LIVE_SECONDS (but for the system's resolver), however slowly the server answers.
 */
#ifndef TUNNEL_PKI_LIVE_H
#define TUNNEL_PKI_LIVE_H

#include <gnutls/x509.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/diag.h"

struct address;

enum { PKI_LIVE_SECONDS = 10 };

/* Whom to ask and what to show. Borrows everything until pki_live_open() returns. */
struct pki_live_request {
	const struct address *address;
	const char *server_name;    /* NULL: send no SNI */
	const gnutls_datum_t *cert; /* PEM, a chain; NULL: none */
	const gnutls_datum_t *key;  /* PEM; with @cert */
};

/* Release with pki_live_close() whatever pki_live_open() returned. */
struct pki_live {
	int fd;
	int64_t deadline; /* milliseconds of the monotonic clock */
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	gnutls_x509_crt_t *chain; /* what the server sent, also where it refused us later */
	unsigned chain_count;
	struct diag refusal; /* why we ended the handshake; no words: we did not */
};

/* Connect and shake hands. Returns 0, or -1 with words; the chain may be there even then. */
MUST_USE int pki_live_open(
	struct pki_live *live, const struct pki_live_request *request, struct diag *diag);

/*
 * Wait a moment for the server's answer to our certificate, or to the lack of one, which in TLS 1.3
 * comes after the handshake. Returns 0 if it did not object, or -1 with words.
 */
MUST_USE int pki_live_hear_refusal(struct pki_live *live, struct diag *diag);

/* End the connection and release everything. */
void pki_live_close(struct pki_live *live);

#endif
