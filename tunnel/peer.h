/* SPDX-License-Identifier: MIT */
/*
 * peer.h - what a peer has proved about itself, gathered for rules and pins to be compared with.
 *
 * The bytes are those of the certificate, a NUL included, with every occurrence of every name: nothing is
 * printed, normalised or left out. Only names in a wide encoding (BMPString, UniversalString) become
 * UTF-8, in which rules are written. Whoever proves more than there is room for, or what cannot be read,
 * is an error and never cut, since a rule to deny could be about what is missing.
 */
#ifndef TUNNEL_PEER_H
#define TUNNEL_PEER_H

#include <gnutls/x509.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/defs.h"
#include "tunnel/rule.h"

enum {
	PEER_FACTS_LIMIT = 1024,
	PEER_BYTES_LIMIT = 65536, /* of all facts together */
};

struct peer {
	struct facts facts; /* what has been gathered */
	struct fact *list;  /* the same as in facts, to be written */
	struct arena arena; /* owns list and bytes */
	size_t size;	    /* of the bytes */
	size_t room;	    /* for facts in the list, before it must grow */
};

/* Begin with nothing but the client's address, or NULL. Borrows @from until peer_release(). */
void peer_init(struct peer *peer, const struct endpoint *from);

/*
 * Add what @crt says: names of the subject, alternative names, serial number, issuer, and its key. Returns
 * 0, or -1 if something cannot be read, is beyond a limit, or memory ran out; refuse the peer then.
 */
MUST_USE int peer_add_certificate(struct peer *peer, gnutls_x509_crt_t crt);

/* Add the raw public key @info, the DER of a SubjectPublicKeyInfo (RFC 7250). Returns as above. */
MUST_USE int peer_add_key(struct peer *peer, const gnutls_datum_t *info);

/* Add the @identity of a pre-shared key. Returns as above. */
MUST_USE int peer_add_psk(struct peer *peer, const char *identity);

/* Release everything in @peer and make it empty. */
void peer_release(struct peer *peer);

#endif
