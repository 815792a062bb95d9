/* SPDX-License-Identifier: MIT */
/*
 * loopback.h - TCP sockets on free ports of 127.0.0.1, for tests.
 *
 * Whatever cannot be had fails the test. The caller closes each descriptor; all are close-on-exec, and
 * whoever reads or accepts waits for at most 10 seconds.
 */
#ifndef TESTS_UNIT_LOOPBACK_H
#define TESTS_UNIT_LOOPBACK_H

#include <netinet/in.h>

/* Bind a socket of @flags, 0 or SOCK_NONBLOCK, and store where in @address. It refuses who connects. */
int loopback_bind(int flags, struct sockaddr_in *address);

/* Listen on a socket of @flags, 0 or SOCK_NONBLOCK, and store where in @address. */
int loopback_listen(int flags, struct sockaddr_in *address);

/* Connect to @address, and wait for it. Returns a blocking socket, or -1 with errno. */
int loopback_connect(const struct sockaddr_in *address);

/* Store both ends of a connection in @fds, blocking: who connected, who accepted. */
void loopback_pair(int fds[2]);

/* A listener whose backlog is full, so that nobody who connects gets an answer. */
struct loopback_hole {
	int fd, fillers[2];
};

/* Make a @hole, and store where in @address. The caller ends it with loopback_hole_close(). */
void loopback_hole_open(struct loopback_hole *hole, struct sockaddr_in *address);

void loopback_hole_close(struct loopback_hole *hole);

#endif
