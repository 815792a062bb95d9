/* SPDX-License-Identifier: MIT */
#include "tunnel/admission.h"

enum {
	BASE = 20,	/* standard streams, log, channels, and what libraries open for a moment */
	PER_WORKER = 9, /* event loop, its wake-up, sockets of the resolver, channels to keys */
	QUARTERS = 9,	/* a tunnel needs two and a quarter: raced addresses, ends that linger */
	SETS = 2, /* of listening sockets and channels: in a reload new ones come beside the old */
};

static const double silence = 60;

size_t
admission_limit(size_t descriptors, size_t workers, size_t sockets)
{
	size_t reserve = BASE + PER_WORKER * workers + SETS * sockets;

	if (descriptors <= reserve)
		return 1;
	size_t limit = (descriptors - reserve) / QUARTERS * 4 +
		(descriptors - reserve) % QUARTERS * 4 / QUARTERS;
	return limit > 0 ? limit : 1;
}

bool
admission_is_open(const struct admission *admission)
{
	return atomic_load_explicit(&admission->tunnels, memory_order_relaxed) <
		atomic_load_explicit(&admission->limit, memory_order_relaxed);
}

void
admission_count(struct admission *admission, size_t *counted, size_t now)
{
	/* Unsigned arithmetic: adding a difference below zero takes away. */
	if (now != *counted)
		atomic_fetch_add_explicit(
			&admission->tunnels, now - *counted, memory_order_relaxed);
	*counted = now;
}

bool
admission_may_complain(struct admission *admission, double now)
{
	double until = atomic_load(&admission->silent_until);

	return now >= until &&
		atomic_compare_exchange_strong(&admission->silent_until, &until, now + silence);
}
