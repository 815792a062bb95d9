/* SPDX-License-Identifier: MIT */
/*
 * greeting.h - the first that a TLS client says, before there is a TLS session for it.
 *
 * What is received is kept until the ClientHello is whole, then it says which service of a group is
 * meant, and all of it goes into the session of that service. Who is refused here gets an alert in
 * plaintext, as every alert is that comes so early.
 */
#ifndef TUNNEL_GREETING_H
#define TUNNEL_GREETING_H

#include "common/buffer.h"
#include "common/defs.h"
#include "tunnel/hello.h"
#include "tunnel/stream.h"

struct diag;
struct group;
struct pool;
struct service;
struct transport;

struct greeting {
	struct hello hello;
	struct buffer received; /* all that came, in the pool of the transport's loop */
	enum hello_alert alert; /* for greeting_refuse(); internal_error until something is wrong */
};

/* The caller frees the result with greeting_free(). NULL without memory. */
MUST_USE struct greeting *greeting_new(void);

/* Give what was received back to @pool. greeting_free(NULL) does nothing. */
void greeting_free(struct greeting *greeting, struct pool *pool);

/*
 * Go on receiving from the plain @transport. IO_DONE: the ClientHello is whole. IO_WANT_READ. IO_END:
 * the peer left before it sent a byte (a port probe). IO_ERROR: with words and an alert.
 */
MUST_USE enum io greeting_read(
	struct greeting *greeting, struct transport *transport, struct diag *diag);

/*
 * The service of @group that the whole ClientHello asks for; borrowed from @group. NULL with words and an
 * alert: none has the name, or the one that has it speaks none of the protocols that are offered.
 */
MUST_USE struct service *greeting_choose(
	struct greeting *greeting, const struct group *group, struct diag *diag);

/* Send the alert, then end the conversation so that it arrives. Takes over the plain @transport. */
void greeting_refuse(const struct greeting *greeting, struct transport *transport);

#endif
