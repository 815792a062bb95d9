/* SPDX-License-Identifier: MIT */
/*
 * tls_server.h - a server of bare GnuTLS that takes one connection, in a thread, for tests of a client.
 *
 * It judges nothing: whether a certificate is asked for, and must come, is all it can be told.
 */
#ifndef TESTS_UNIT_TLS_SERVER_H
#define TESTS_UNIT_TLS_SERVER_H

#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>

struct pki_pair;

/* What the server is to do. Borrowed until tls_server_join(). */
struct tls_server_plan {
	const struct pki_pair *leaf, *issuer; /* @issuer: sent behind @leaf; NULL: it is not */
	gnutls_certificate_credentials_t credentials; /* instead of @leaf; NULL: there are none */
	const char *priority;			      /* NULL: GnuTLS's own */
	gnutls_certificate_request_t asks;	      /* for the client's certificate */
	const char *babble; /* say this, which is no TLS, and end; NULL: shake hands */
};

struct tls_server {
	struct tls_server_plan plan;
	struct sockaddr_in address;
	int listener;
	bool runs;
	pthread_t thread;

	/* What came of it, to be read after tls_server_join(). */
	int handshake;	     /* the result of gnutls_handshake() */
	char name[64];	     /* that the client asked for; "": none */
	unsigned chain_size; /* of the client */
	unsigned heard;	     /* bytes of application data */
	bool ended;	     /* the client has ended it with close_notify */
};

/* Listen on a free port of 127.0.0.1, and wait there for one client as @plan says. */
void tls_server_start(struct tls_server *server, const struct tls_server_plan *plan);

/* Wait until the connection has ended. Does nothing where none was started. */
void tls_server_join(struct tls_server *server);

#endif
