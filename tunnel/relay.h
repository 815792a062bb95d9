/* SPDX-License-Identifier: MIT */
/*
 * relay.h - carry bytes one way, from one stream to another.
 *
 * It knows neither sockets nor TLS nor the event loop, and owns no memory: it reads into a scratch
 * buffer that it is lent, writes that to the sink, and reads no further while the sink holds any of
 * it. So at most one batch a direction waits, in the sink. The batch grows while the source has more
 * and the sink takes everything, and shrinks when it blocks.
 *
 *	OPEN --source ends--> FINISHING --sink has sent its end--> OVER
 */
#ifndef TUNNEL_RELAY_H
#define TUNNEL_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/stream.h"

enum {
	RELAY_BATCH_MIN = 16 << 10,
	RELAY_BATCH_BLOCKED = 64 << 10, /* the largest batch for a sink that has just blocked */
	RELAY_BATCH_MAX = 256 << 10,
};

enum relay_state { RELAY_OPEN, RELAY_FINISHING, RELAY_OVER };

struct relay {
	uint64_t bytes; /* taken by the sink */
	uint32_t batch; /* how much to read at once */
	bool blocked;	/* the sink holds bytes */
	enum relay_state state : 8;
};

/* What a relay is lent for one turn. */
struct relay_turn {
	struct stream *source, *sink; /* the same in each */
	void *scratch;		      /* RELAY_BATCH_MAX + STREAM_SLACK bytes */
	size_t room; /* bytes that the sink may have to hold; under RELAY_BATCH_MIN nothing is read */
	size_t budget;	     /* bytes that may be asked of the source; counted down */
	bool broken_by_sink; /* set with IO_ERROR: which of the two failed */
};

/* Prepare @relay to be run. */
void relay_init(struct relay *relay);

/*
 * Carry what can be carried now. IO_WANT_READ: the source has nothing. IO_WANT_WRITE: the sink holds
 * bytes. IO_DONE: budget or room is used up, run it again. IO_END: over. IO_ERROR: broken, with words,
 * and by whom in @turn.
 */
MUST_USE enum io relay_run(struct relay *relay, struct relay_turn *turn, struct diag *diag);

/* Does the relay wait for its source to be readable? */
bool relay_wants_source(const struct relay *relay);

/* Does the relay wait for its sink to take what it holds? */
bool relay_wants_sink(const struct relay *relay);

#endif
