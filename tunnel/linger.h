/* SPDX-License-Identifier: MIT */
/*
 * linger.h - the moment after an alert, in which a socket is read and what comes is thrown away.
 *
 * To close a socket with bytes that nobody has read sends a RST, which overtakes the alert.
 */
#ifndef TUNNEL_LINGER_H
#define TUNNEL_LINGER_H

struct loop;

/*
 * Send a FIN on @fd, which nobody watches any more, and wait for the peer's; after 64 KiB or 2 seconds
 * without it, and at once where too many wait or there is no memory, a RST. Takes over @fd.
 */
void linger_start(struct loop *loop, int fd);

/* Reset all that still wait on @loop, before it is released. */
void linger_end_all(struct loop *loop);

#endif
