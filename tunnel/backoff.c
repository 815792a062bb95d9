/* SPDX-License-Identifier: MIT */
#include "tunnel/backoff.h"

static const double healthy = 60, first = 0.25, longest = 30;

double
backoff_next(struct backoff *backoff, double lived)
{
	if (lived >= healthy)
		backoff->failures = 0;
	if (backoff->failures++ == 0)
		return 0;

	double wait = first;
	for (unsigned i = 2; i < backoff->failures && wait < longest; i++)
		wait *= 2;
	return wait < longest ? wait : longest;
}
