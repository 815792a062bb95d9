/* SPDX-License-Identifier: MIT */
#include "tunnel/place.h"

static const double many = 2.5;	   /* events at once: binds */
static const double few = 2;	   /* lets go */
static const double pause = 10e-3; /* without events: begins anew */

void
place_init(struct place *place, struct places *places)
{
	*place = (struct place){.places = places};
	if (sched_getaffinity(0, sizeof(place->before), &place->before) < 0)
		return;
	unsigned cores = (unsigned)CPU_COUNT(&place->before);
	place->may = cores > 1 && places->workers == cores;
}

static bool
take(struct place *place, unsigned core)
{
	place->core = core;
	return CPU_ISSET(core, &place->before) &&
		!atomic_exchange(&place->places->taken[core], true);
}

/* The core where the thread is, or one that no worker has. */
static bool
take_any(struct place *place)
{
	if (take(place, (unsigned)sched_getcpu()))
		return true;
	for (unsigned core = 0; core < CPU_SETSIZE; core++)
		if (take(place, core))
			return true;
	return false;
}

static void
let_go(struct place *place)
{
	(void)sched_setaffinity(0, sizeof(place->before), &place->before);
	atomic_store(&place->places->taken[place->core], false);
	place->bound = false;
}

/* A core can have been taken from the program since it began; then none is tried again. */
static void
bind_to_core(struct place *place)
{
	cpu_set_t core;

	if (!take_any(place))
		return;
	CPU_ZERO(&core);
	CPU_SET(place->core, &core);
	place->bound = true;
	place->may = sched_setaffinity(0, sizeof(core), &core) == 0;
	if (!place->may)
		let_go(place);
}

void
place_came(struct place *place, unsigned events, double now, bool allowed)
{
	if (events > 0) {
		if (now - place->latest > pause)
			place->crowd = 0;
		place->crowd += (events - place->crowd) / 64;
		place->latest = now;
	}
	bool binds = place->may && allowed && place->crowd > (place->bound ? few : many);
	if (binds && !place->bound)
		bind_to_core(place);
	else if (!binds && place->bound)
		let_go(place);
}
