/* SPDX-License-Identifier: MIT */
/*
 * socket.h - make sockets, TCP and UNIX, and ask them what the kernel knows.
 *
 * Every socket made here is nonblocking and close-on-exec. Nothing is resolved and nothing waits.
 */
#ifndef COMMON_SOCKET_H
#define COMMON_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/defs.h"

struct address;
struct diag;
struct endpoint;

/* How the socket of a TCP listener stands to others of the same address. */
enum socket_share {
	SOCKET_ALONE,	/* nobody else may have the address */
	SOCKET_FIRST,	/* nobody may have it yet; SOCKET_FURTHER ones may follow */
	SOCKET_FURTHER, /* SO_REUSEPORT beside a SOCKET_FIRST one of this process */
};

struct socket_options {
	enum socket_share share; /* TCP */
	unsigned keepalive;	 /* TCP: as for socket_prepare() */
	unsigned mode;		 /* of a UNIX socket's path, as 0600 */
	uid_t owner;		 /* of the same; (uid_t)-1: as created */
	gid_t group;		 /* of the same; (gid_t)-1: as created */
};

/*
 * Listen on @address, which is not a name. ADDRESS_ANY is one socket for IPv6 and IPv4, or for IPv4
 * where there is no IPv6. A second instance of a program that asks for SOCKET_FIRST is refused, even
 * at the same moment. A path is removed before only if it is a socket that refuses connections; the
 * new one never admits anybody whom @options do not admit. A TCP socket is prepared before anybody can
 * connect to it. Returns a descriptor that the caller owns, or -1 with words.
 */
MUST_USE int socket_listen(
	const struct address *address, const struct socket_options *options, struct diag *diag);

/*
 * Give the socket at @path to the owner and group of @options, with their mode; never anything else
 * that is there. Returns 0, or -1 with words.
 */
MUST_USE int socket_own(const char *path, const struct socket_options *options, struct diag *diag);

/*
 * Accept a connection from @listener and tell who it is in @peer. Returns a descriptor that the caller
 * owns, or -1 with errno.
 */
MUST_USE int socket_accept(int listener, struct endpoint *peer);

/*
 * Start to connect to @endpoint, if that is TCP with a prepared socket. Returns a descriptor that the
 * caller owns, or -1 with words. Unless @connected is set, the descriptor becomes writable when it is
 * known what came of it, and socket_error() tells.
 */
MUST_USE int socket_connect(
	const struct endpoint *endpoint, unsigned keepalive, bool *connected, struct diag *diag);

/*
 * What came of connecting @fd to @endpoint, as an errno; 0 is good. A connection that met itself
 * (dialling a free local port may do that) counts as refused.
 */
MUST_USE int socket_error(int fd, const struct endpoint *endpoint);

/*
 * Make the TCP socket @fd, and each that is accepted from it later, fit for carrying others' bytes: no
 * Nagle delay, keepalive after @keepalive idle seconds (0: none) with 6 probes of 10 seconds, and an end that is
 * a RST unless socket_close() makes it: so a process that dies does not end its connections cleanly. No
 * TCP_USER_TIMEOUT: it would end a connection whose peer is there and only reads nothing.
 */
void socket_prepare(int fd, unsigned keepalive);

/* Close @fd so that a TCP peer gets all that waits, and a FIN. */
void socket_close(int fd);

/* Close @fd so that a TCP peer gets a RST, and nothing that waits is sent. */
void socket_reset(int fd);

/* Does a TCP socket hold bytes that were not even sent, since its peer or the network takes no more? */
bool socket_holds_unsent(int fd);

/* The user at the other end of a UNIX socket, when it connected. Returns 0, or -1 with words. */
MUST_USE int socket_peer_user(int fd, uid_t *user, struct diag *diag);

#endif
