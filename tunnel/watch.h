/* SPDX-License-Identifier: MIT */
/*
 * watch.h - notice that something may have changed at one of a set of paths, once it has settled.
 *
 * The directories are watched, and not the files, since files are replaced by renaming and directories by
 * symbolic links, and since what is not there yet may come. Whether the contents are others is not
 * known here. A file that is being written counts when it is closed.
 *
 *	something happens ... and again ... WATCH_SETTLE s of silence: watch_take() says true
 *
 * What the kernel does not want to watch is looked at with stat() every WATCH_INTERVAL s.
 */
#ifndef TUNNEL_WATCH_H
#define TUNNEL_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "tunnel/paths.h"

struct diag;

/* Seconds. */
enum {
	WATCH_SETTLE = 1,    /* without an event, until writing counts as over */
	WATCH_PATIENCE = 10, /* at most, from the first event */
	WATCH_INTERVAL = 30, /* between looks at what cannot be watched */
	WATCH_REST = 1,	     /* after events that meant nothing to us */
};

/* What happens in the directory @descriptor to @name, or to any name, is of interest. */
struct watch_entry {
	int descriptor;
	char *name; /* NULL: any */
};

struct watch {
	int fd; /* of inotify; -1: none, or none yet */
	struct paths paths;
	struct watch_entry *entries; /* sorted */
	size_t count;
	uint64_t seen;	    /* a digest of what stat() said last */
	bool asks;	    /* by stat(), since the kernel does not tell of all */
	double ask_at;	    /* as long as it asks */
	double rest_at;	    /* no event is heard until then; 0: it does not rest */
	double first, last; /* events that have not been taken; 0: none */
};

/* Begin without a path. */
void watch_init(struct watch *watch);

void watch_release(struct watch *watch);

/*
 * Watch @paths instead of those before; @paths is empty afterwards. What happens from now on is noticed,
 * so whoever reads the files after this misses no change. Returns 0, or -1 with words if some are only
 * asked for from now on, which is said no second time.
 */
MUST_USE int watch_set(struct watch *watch, struct paths *paths, double now, struct diag *diag);

/* The descriptor to poll for input, or -1. */
int watch_fd(const struct watch *watch);

/* When to call watch_turn() even if there is no input, in the seconds of its @now; 0: never. */
double watch_deadline(const struct watch *watch);

/* Hear what has happened until @now. Returns as watch_set(). */
MUST_USE int watch_turn(struct watch *watch, double now, struct diag *diag);

/* Has something happened that is over now? Then it is forgotten. */
MUST_USE bool watch_take(struct watch *watch, double now);

#endif
