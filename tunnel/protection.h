/* SPDX-License-Identifier: MIT */
/*
 * protection.h - data in the records of TLS 1.3, from one buffer right into another (RFC 8446 section 5.2).
 *
 * GnuTLS does this too, but copies each record, allocates for it and locks for its number. What is done here takes
 * the keys of its session, and keeps the numbers of the records while nothing else is done with the session: a
 * number that both used would give the key away. So whoever wants the session asks protection_session(), which
 * gives it the numbers back. It is for data that is in order; GnuTLS is left everything else as it is:
 *
 *  - a record that is not data, is empty, too long or wrong: GnuTLS judges it, and says what is wrong;
 *  - what comes after one that was not data, until GnuTLS says that it is data again, so that messages
 *    which do not belong between others are seen;
 *  - what is sent next then, since a key update may have to be answered first;
 *  - a piece of data that is longer than any that GnuTLS has sent since, as it knows what the peer takes;
 *  - what is sent close to the number of records after which GnuTLS changes the key (RFC 8446 section 5.5).
 */
#ifndef TUNNEL_PROTECTION_H
#define TUNNEL_PROTECTION_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct cipher;
struct ciphers;
struct window;

/* What goes one way. */
struct protected_way {
	struct cipher *cipher;	 /* NULL: to be had from the session's key */
	uint64_t number : 63;	 /* of the next record */
	uint64_t has_number : 1; /* if it is known here, and not to the session */
};

/* All zero: nothing is done here, and there is no session. */
struct protection {
	gnutls_session_t guarded_session; /* by protection_session() */
	struct ciphers *ciphers;	  /* NULL: all is GnuTLS's */
	struct protected_way received, sent;
	uint16_t open_max; /* bytes of data in a record that may come */
	uint16_t seal_max; /* the most that GnuTLS has sent in one; 0: nothing is sealed here */
	gnutls_cipher_algorithm_t algorithm : 16;
	bool opens; /* what GnuTLS received last was data, and it holds none of it back */
};

/* Have @protection know @session, which it borrows until protection_end(). */
void protection_init(struct protection *protection, gnutls_session_t session);

/*
 * The session with nothing kept from it, for whatever it is wanted until the next call of protection_open() or
 * protection_seal(). NULL: there is none.
 */
gnutls_session_t protection_session(struct protection *protection);

/*
 * The handshake of the session is over. Borrows @ciphers until protection_end(). Does nothing where
 * TLS is older, or its cipher another than AES-GCM and ChaCha20-Poly1305.
 */
void protection_begin(struct protection *protection, struct ciphers *ciphers);

/* Wipe the keys that are held, and forget the session, which is only to be freed now. All zero is allowed. */
void protection_end(struct protection *protection);

/*
 * Take the next record out of @window and decrypt it into @bytes, which has room for the longest and
 * STREAM_SLACK bytes more. Returns how long its data is, or 0: it is GnuTLS's.
 */
MUST_USE size_t protection_open(
	struct protection *protection, struct window *window, uint8_t *bytes);

/* GnuTLS has received something, which was @data or not. */
void protection_received(struct protection *protection, bool data);

/*
 * Make a record of all @size bytes at @record, where there are @room bytes. Returns how long it is, or 0: it is
 * GnuTLS's.
 */
MUST_USE size_t protection_seal(struct protection *protection, const void *bytes, size_t size,
	uint8_t *record, size_t room);

/* GnuTLS has sent @size bytes of data in one record. */
void protection_sent(struct protection *protection, size_t size);

#endif
