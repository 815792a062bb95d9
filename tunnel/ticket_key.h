/* SPDX-License-Identifier: MIT */
/*
 * ticket_key.h - the key of the tickets of one section, out of a secret that many sections share.
 *
 * GnuTLS binds a ticket of TLS 1.3 to neither name nor policy: whoever has its key takes it. So each
 * content gives a key of its own (HKDF-SHA256, RFC 5869), and a ticket of one section, policy or set of
 * trust anchors is worthless at another. Only content counts, so that restarts and the machines of a
 * fleet come to the same key.
 */
#ifndef TUNNEL_TICKET_KEY_H
#define TUNNEL_TICKET_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/config.h"
#include "tunnel/fingerprint.h"

enum { TICKET_KEY_SIZE = 64 };

/* The entry of a generation's files with the secret of sections that have no `ticket-keys`. */
#define TICKET_MASTER_FILE "ticket master"

/* What tells one section from another. */
struct ticket_content {
	const char *service;
	enum mode mode;
	const struct tls_config *config; /* sni, verify, alpn, priority, versions, pins */
	const uint8_t *trust;		 /* fingerprint of the anchors; NULL: there are none */
	const uint8_t *psk;		 /* fingerprint of the pre-shared keys; NULL: none */
};

/*
 * Derive @key of @content from the secret @master of @size bytes. Returns 0, or -1 if GnuTLS cannot.
 * The caller wipes @key.
 */
MUST_USE int ticket_key_derive(const void *master, size_t size,
	const struct ticket_content *content, uint8_t key[TICKET_KEY_SIZE]);

#endif
