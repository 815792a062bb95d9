/* SPDX-License-Identifier: MIT */
/*
 * shield.h - a client's end that has a protection, and a server's that is GnuTLS alone.
 */
#ifndef TESTS_UNIT_SHIELD_H
#define TESTS_UNIT_SHIELD_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/unit/handshake.h"
#include "tunnel/protection.h"
#include "tunnel/stream.h"
#include "tunnel/window.h"

struct ciphers;

enum { SHIELD_DATA = 16 << 10, SHIELD_WIRE = 64 << 10, SHIELD_OVERHEAD = 1 + 16 };

#define SHIELD_TLS_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+"
#define SHIELD_TLS_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+"

struct shield {
	struct handshake pair;
	struct ciphers *ciphers;
	struct protection protection;
	struct window window;	   /* what has come to the client ... */
	uint8_t wire[SHIELD_WIRE]; /* ... and where it is */
	uint8_t data[SHIELD_DATA]; /* of which all send the beginning */
	uint8_t got[SHIELD_DATA + STREAM_SLACK];
};

/* The one there is. */
extern struct shield shield;

/* Of a group of tests, and of each test. */
int shield_make_credentials(void **state);
int shield_free_credentials(void **state);
int shield_setup(void **state);
int shield_teardown(void **state);

/* Shake hands as @priority says; from then on the client reads from its window. */
void shield_begin(const char *priority);

/* The session at either end. To ask for the client's gives GnuTLS the numbers back. */
gnutls_session_t shield_client(void);
gnutls_session_t shield_server(void);

/* Have what the server has sent in the window. */
void shield_fetch(void);

/* The server sends @size bytes of data, and they are fetched. */
void shield_server_sends(size_t size);

/* The server must receive @size bytes of data. */
void shield_server_receives(size_t size);

/* What is in the window must be @size bytes of data for the protection. */
void shield_opens(size_t size);

/* It must not be for the protection, and still there. GnuTLS must make @result of it. */
void shield_leaves(ssize_t result);

/* Have the protection send @size bytes of data. Returns whether it did. */
bool shield_seals(size_t size);

/* GnuTLS sends @size bytes for the client, so that as much can be sealed. */
void shield_gnutls_sends(size_t size);

#endif
