/* SPDX-License-Identifier: MIT */
#include "tunnel/patience.h"

static const double longest = 100e-6; /* that a wait is spent awake */
static const double worth = 30e-6;    /* to stay awake for, on average */
static const double counted = 800e-6; /* of a wait, at most: one alone does not decide for long */
static const double rest = 20e-3;     /* after waits that were not worth it */

static const double slow = 2e-3;	/* to get the processor back */
static const double first_rest = 0.1;	/* after it was */
static const double longest_rest = 6.4; /* when it is again and again */

void
patience_init(struct patience *patience)
{
	*patience = (struct patience){.mean = counted};
}

void
patience_came(struct patience *patience, unsigned events, double now)
{
	double wait = now - patience->since;

	if (events == 0)
		return;
	patience->came = events;
	if (!patience->waits)
		return;
	patience->waits = false;
	patience->mean += ((wait < counted ? wait : counted) - patience->mean) / 8;
	if (patience->awake && patience->mean > worth) {
		patience->awake = false;
		patience->awake_from = now + rest;
	} else if (!patience->awake && patience->mean < longest && now >= patience->awake_from) {
		patience->awake = true;
		patience->mean = worth / 2;
	}
}

bool
patience_rests(const struct patience *patience, double now)
{
	return now < patience->gives_from;
}

struct patience_step
patience_next(struct patience *patience, double now)
{
	if (patience->waits) {
		bool looks = patience->awake && now - patience->since <= longest;
		return (struct patience_step){.gives_way = looks, .sleeps = !looks};
	}
	patience->waits = true;
	patience->since = now;
	return (struct patience_step){
		.gives_way = patience->came > 1 && !patience_rests(patience, now),
		.sleeps = !patience->awake,
	};
}

void
patience_gave_way(struct patience *patience, double from, double until)
{
	if (until - from <= slow)
		return;
	bool again = from < patience->gives_from + patience->rest;
	double doubled = 2 * patience->rest < longest_rest ? 2 * patience->rest : longest_rest;
	patience->rest = again ? doubled : first_rest;
	patience->gives_from = until + patience->rest;
	patience->awake_from = patience->gives_from;
	patience->awake = false;
}
