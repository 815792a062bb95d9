/* SPDX-License-Identifier: MIT */
/*
 * patience.h - whether a loop sleeps until something comes, or stays awake for it.
 *
 * To send a thread to sleep and to wake it costs more than to carry a small message. So where the latest waits
 * were short, the next begins awake: the loop looks for events, and gives way between two looks to whoever
 * else is ready to run. It sleeps after 100 us without any. When staying awake does not pay, since the waits are
 * longer than 30 us on average, it is tried again after 20 ms at the soonest.
 *
 * A loop that had several events gives way before it looks for more: it then finds more at once. Whoever gets the
 * processor back only after more than 2 ms has others beside it that compute: for 100 ms it neither gives way nor
 * stays awake, and each time that this is so again soon afterwards for twice as long, up to 6.4 s.
 *
 *	events --patience_came()--> the caller handles them --patience_next()--> give way, look or sleep --> events
 *
 * It knows neither the clock nor the loop: all times are what clock_seconds() says.
 */
#ifndef TUNNEL_PATIENCE_H
#define TUNNEL_PATIENCE_H

#include <stdbool.h>

#include "common/defs.h"

struct patience {
	double mean;	   /* seconds that the latest waits took */
	double since;	   /* the wait that goes on began */
	double awake_from; /* no wait is spent awake sooner */
	double gives_from; /* nor is way given sooner after several events */
	double rest; /* seconds that the latest rest took after the processor was slow to come back */
	unsigned came; /* events, the last time that there were any */
	bool waits, awake;
};

/* What to do before looking for events. */
struct patience_step {
	bool gives_way; /* first, let others run, and say how long with patience_gave_way() */
	bool sleeps;	/* until something comes; else look, and ask again */
};

/* Prepare @patience: the first waits are spent asleep. */
void patience_init(struct patience *patience);

/* @events have come at @now. */
void patience_came(struct patience *patience, unsigned events, double now);

/* What is next, at @now, when all that came has been handled? A wait begins or goes on. */
MUST_USE struct patience_step patience_next(struct patience *patience, double now);

/* Does it rest at @now, since the processor was slow to come back? */
bool patience_rests(const struct patience *patience, double now);

/* Others ran from @from until @until. */
void patience_gave_way(struct patience *patience, double from, double until);

#endif
