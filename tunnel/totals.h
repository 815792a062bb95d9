/* SPDX-License-Identifier: MIT */
/*
 * totals.h - what the services have counted since the start, over all reloads.
 *
 * A reload makes new services, which count from zero, while tunnels of the old ones still run. So the
 * services of every generation are kept until nobody else uses them; then what they counted is added
 * to the sum of their name, and they, with their keys, are let go.
 */
#ifndef TUNNEL_TOTALS_H
#define TUNNEL_TOTALS_H

#include <stddef.h>

#include "common/defs.h"

struct service;
struct total;

/* All zero is empty. For one thread. */
struct totals {
	struct service **kept;
	size_t kept_count;
	struct total *sums;
	size_t sum_count;
};

/* Count @service too; it is kept. Returns 0, or -1 without memory. */
MUST_USE int totals_add(struct totals *totals, struct service *service);

/* Let services go that nobody else uses. */
void totals_collect(struct totals *totals);

/* Log a line a service name, in the order in which the names came up, and let everything go. */
void totals_finish(struct totals *totals);

#endif
