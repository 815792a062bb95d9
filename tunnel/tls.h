/* SPDX-License-Identifier: MIT */
/*
 * tls.h - TLS on a transport: the handshake and the stream of records.
 *
 * The only files that interpret GnuTLS's "again" are tls*.c. GnuTLS never touches the socket: it pulls whole
 * records from what was received into one large buffer and pushes records into another, so that a
 * batch costs one system call, and it is never told of a FIN, after which it could send no more.
 */
#ifndef TUNNEL_TLS_H
#define TUNNEL_TLS_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/stream.h"

struct buffer;
struct credentials;
struct diag;
struct endpoint;
struct text;
struct transport;

/* What is known of the other end when TLS begins. All zero: nothing. */
struct tls_beginning {
	const char *name; /* connecting: who is expected, a host name or an IP; NULL: not checked */
	const char *target;	     /* connecting: the address dialled, which tickets belong to */
	const struct endpoint *from; /* accepting: the client's address */
	struct buffer
		*received;  /* accepting: what came already, of the loop's pool; NULL: nothing */
	const char *sni;    /* accepting: the name in it, "" for none; NULL: it was not looked at */
	bool small_records; /* accepting: it takes records of limited size only */
};

/*
 * Make the plain @transport one end of TLS with @credentials, which say whether it is the accepting
 * or the connecting end; they are counted and kept. Copies what is in @beginning, but takes over what
 * was received, in any case. Returns 0, or -1 with words.
 */
MUST_USE int tls_start(struct transport *transport, struct credentials *credentials,
	const struct tls_beginning *beginning, struct diag *diag);

/*
 * Go on with the handshake, and judge the peer. IO_DONE: the peer is authorised. IO_WANT_READ,
 * IO_WANT_WRITE: watch for that. IO_WAIT: a helper thread is at it; watch for nothing, the waker is called
 * when it is done, and the stream may be closed or aborted meanwhile. IO_END: the peer left before it sent
 * a byte (a port probe). IO_ERROR: failed, with words; the right alert is sent by stream_abort().
 */
MUST_USE enum io tls_handshake(struct transport *transport, struct diag *diag);

/* Write who the authorised peer is, escaped, or "-" if it showed no certificate. */
void tls_print_identity(const struct transport *transport, struct text *text);

/* What was negotiated, as names; "-" before the handshake is done. */
struct tls_facts {
	const char *version, *cipher, *group;
	bool resumed;
};
struct tls_facts tls_facts(const struct transport *transport);

#endif
