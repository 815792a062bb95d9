/* SPDX-License-Identifier: MIT */
/*
 * resumption.h - tickets of TLS sessions: offered, kept, given.
 *
 * A connecting end offers a ticket of its store once, and keeps those that the peer sends, which in TLS
 * 1.3 come at any time after the handshake. An accepting end gives one when its peer is authorised, and
 * not before: so nobody has a ticket who was not let in. In TLS 1.2 GnuTLS gives it within the handshake, and
 * asks authorise_hook() before. Whoever resumes is judged like anybody else (authorise.h).
 */
#ifndef TUNNEL_RESUMPTION_H
#define TUNNEL_RESUMPTION_H

#include "common/defs.h"
#include "tunnel/stream.h"

struct diag;
struct tls;

/* Connecting, before the handshake: offer what the store has for this peer. */
void resumption_offer(struct tls *tls);

/*
 * The peer is authorised: give it a ticket, or keep what it gave. Ends the opening, unless a ticket is to
 * come. IO_DONE, or IO_ERROR with words.
 */
MUST_USE enum io resumption_settle(struct tls *tls, struct diag *diag);

/* After the handshake, when a message was received: keep a ticket if it was one, and end the opening. */
void resumption_keep(struct tls *tls);

#endif
