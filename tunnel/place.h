/* SPDX-License-Identifier: MIT */
/*
 * place.h - the core that a thread with much to do stays on.
 *
 * The kernel moves threads that wake each other to and fro, and often has two workers share a core while another
 * idles. Where there is a worker for every core, each that has many events at once binds itself to the core where it
 * is, or to another if a worker has that one, until they are few again. One with a single tunnel, which brings two
 * events at most, goes where it likes: whoever it talks to may be on the same core.
 */
#ifndef TUNNEL_PLACE_H
#define TUNNEL_PLACE_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

/* The cores that the workers of a program are bound to. */
struct places {
	unsigned workers; /* how many share them; none is bound unless there are as many cores */
	atomic_bool taken[CPU_SETSIZE];
};

struct place {
	struct places *places;
	cpu_set_t before; /* the cores that the thread may have when it is not bound */
	unsigned core;	  /* while it is bound */
	double crowd;	  /* how many events come at once, on average */
	double latest;	  /* when there were any */
	bool may, bound;
};

/*
 * Prepare @place for one of the workers that share @places, which is borrowed for good. For the thread that will
 * call place_came(), or the one that starts it. With one core or more than 1,024 it is never bound.
 */
void place_init(struct place *place, struct places *places);

/*
 * @events have come at once, at @now in seconds: bind the calling thread, or let it go. It is let go if it is not
 * @allowed to be bound, and by the first that come after 10 ms without any.
 */
void place_came(struct place *place, unsigned events, double now, bool allowed);

#endif
