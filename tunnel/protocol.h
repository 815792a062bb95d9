/* SPDX-License-Identifier: MIT */
/*
 * protocol.h - what main and serve, and main and keys, say to each other.
 *
 *	main				serve
 *	LOG (sink)
 *	SOCKETS ... GENERATION (memfd)
 *					ACCEPTED, or REFUSED (words)
 *	LOG, COMMIT
 *					COMMITTED
 *	DRAIN				... ends, exit status 0 or 1
 *	ABORT				... ends, exit status 0 or 1
 *
 * The key process gets its keyring before serve gets the generation, and is told of the COMMIT before it:
 *
 *	main				keys
 *	LOG (sink)
 *	KEYRING (memfd)
 *					ACCEPTED, or REFUSED (words)
 *	LOG, COMMIT
 *	CHANNELS (to both, each has the other ends)
 *
 * Channels come anew whenever serve or keys was started anew, and a second after serve said LOST. Over them serve
 * asks for signatures (signing.h).
 *
 * A generation is accepted before it runs, so that main closes the sockets that it replaces before
 * serve accepts them empty: nothing arrives on them any more when serve closes the last descriptor.
 * COMMITTED says that it runs in every worker: whoever connects from then on finds nothing of the one before.
 * When either end of the channel is closed, the other side aborts.
 */
#ifndef TUNNEL_PROTOCOL_H
#define TUNNEL_PROTOCOL_H

#include <stdint.h>

#include "common/defs.h"
#include "common/log.h"

struct diag;
struct message;

enum protocol_kind {
	PROTOCOL_LOG = 1,    /* how, as a number, and the descriptor of the sink */
	PROTOCOL_SOCKETS,    /* some of the listening sockets of the generation that follows */
	PROTOCOL_GENERATION, /* the descriptor of a memfd with its bytes */
	PROTOCOL_COMMIT,     /* run what was accepted */
	PROTOCOL_DRAIN,	     /* accept no more, end with the last tunnel or at the drain timeout;
				to keys: none is lent any more, so forget them in time */
	PROTOCOL_ABORT,	     /* end now */
	PROTOCOL_ACCEPTED,
	PROTOCOL_REFUSED,   /* words, a line each */
	PROTOCOL_KEYRING,   /* the descriptor of a memfd with its bytes */
	PROTOCOL_CHANNELS,  /* between serve and keys, in place of those before */
	PROTOCOL_COMMITTED, /* all workers have taken what was committed */
	PROTOCOL_LOST,	    /* some of the CHANNELS did not fit: send others later */
};

/* What serve and keys log of a message whose descriptors were lost; who needs them finds them missing. */
extern const char protocol_lost[];

/*
 * Send @message, waiting for room for up to 10 seconds, which only an end that hangs lets pass. Returns
 * 0, or -1 with words.
 */
MUST_USE int protocol_send(int channel, const struct message *message, struct diag *diag);

/* A message of @kind without anything, or with the first bytes of @words. */
MUST_USE int protocol_say(
	int channel, enum protocol_kind kind, const char *words, struct diag *diag);

/* What PROTOCOL_LOG carries as a number: all of the settings but the descriptor. */
uint64_t protocol_log_number(const struct log_settings *settings);
struct log_settings protocol_log_settings(uint64_t number);

#endif
