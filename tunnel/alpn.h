/* SPDX-License-Identifier: MIT */
/*
 * alpn.h - which protocol is spoken inside TLS (RFC 7301): what is offered, and what must come of it.
 *
 * GnuTLS refuses who offers only other protocols, but lets pass who does not take part; here that is no
 * agreement either, whichever end we are.
 */
#ifndef TUNNEL_ALPN_H
#define TUNNEL_ALPN_H

#include <gnutls/gnutls.h>

#include "common/defs.h"
#include "tunnel/config.h"
#include "tunnel/verdict.h"

enum {
	ALPN_NAMES_MAX = 8,	   /* GnuTLS keeps no more ... */
	ALPN_NAME_LENGTH_MAX = 31, /* ... and no longer ones */
};

/* Let @session negotiate the protocols of @config, if there are any. 0, or GnuTLS's error. */
MUST_USE int alpn_set(gnutls_session_t session, const struct tls_config *config);

/* Is what @session, after its handshake, has selected one of @config's protocols, if it has any? */
MUST_USE struct verdict alpn_judge(gnutls_session_t session, const struct tls_config *config);

#endif
