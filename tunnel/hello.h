/* SPDX-License-Identifier: MIT */
/*
 * hello.h - what a ClientHello says, read from TLS records before there is a session.
 *
 * Bytes only: the records may come one byte at a time, and the message in them may be cut into as many
 * records as its sender likes. What is looked at is what has to be known before a certificate can be
 * chosen; every other field is only walked over, and left to GnuTLS.
 */
#ifndef TUNNEL_HELLO_H
#define TUNNEL_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;
struct text;
struct texts;

enum {
	HELLO_LIMIT = 64 << 10, /* bytes of records that a ClientHello may take */
	HELLO_NAME_SIZE = 256,
	HELLO_ALPN_SIZE = 256,
};

/* Descriptions of alerts (RFC 8446 section 6, RFC 6066 section 3, RFC 7301 section 3.2). */
enum hello_alert {
	HELLO_UNEXPECTED_MESSAGE = 10,
	HELLO_RECORD_OVERFLOW = 22,
	HELLO_ILLEGAL_PARAMETER = 47,
	HELLO_DECODE_ERROR = 50,
	HELLO_PROTOCOL_VERSION = 70,
	HELLO_INTERNAL_ERROR = 80,
	HELLO_UNRECOGNIZED_NAME = 112,
	HELLO_NO_APPLICATION_PROTOCOL = 120,
};

enum hello_answer {
	HELLO_MORE,  /* what is there is the beginning of one */
	HELLO_WHOLE, /* the last record with a piece of it is whole */
	HELLO_BAD,   /* with words and an alert */
};

/* All zero before the first byte. */
struct hello {
	char name[HELLO_NAME_SIZE];    /* the host name (SNI) in lower case; "" for none */
	uint8_t alpn[HELLO_ALPN_SIZE]; /* offered protocols, each behind a byte with its length */
	size_t alpn_length;
	bool alpn_cut;		/* there are more, which did not fit */
	bool small_records;	/* it takes no records of 16 KiB (RFC 6066, RFC 8449) */
	enum hello_alert alert; /* once bad */
	/* the rest is private to hello.c */
	size_t at;	 /* what is before this was looked at */
	size_t left;	 /* bytes of the present record that are still to come */
	size_t have;	 /* bytes of the message so far */
	uint8_t head[4]; /* the first of them */
};

/*
 * Go on reading @hello from @bytes, which are all @length bytes since the connection began, those of
 * earlier calls among them. HELLO_BAD comes as early as it is certain, and is final, as is HELLO_WHOLE.
 */
MUST_USE enum hello_answer hello_read(
	struct hello *hello, const uint8_t *bytes, size_t length, struct diag *diag);

/* Does the whole @hello offer one of the protocols @names, or may it, since there were too many to keep? */
bool hello_offers(const struct hello *hello, const struct texts *names);

/* Append the offered protocols, escaped: `"h2", "http/1.1"`. */
void hello_print_alpn(const struct hello *hello, struct text *text);

#endif
