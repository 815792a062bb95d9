/* SPDX-License-Identifier: MIT */
#include "tunnel/candidates.h"

#include <assert.h>
#include <stdlib.h>

static int
other_family(int family)
{
	return family == AF_INET6 ? AF_INET : AF_INET6;
}

/* The next address of @target: of the family whose turn it is, else any. Returns its index or -1. */
static ssize_t
next_of(const struct candidates *candidates, size_t target, bool failing)
{
	ssize_t found = -1;

	for (size_t i = 0; i < candidates->count; i++) {
		const struct candidate *candidate = &candidates->list[i];

		if (candidate->target != target || candidate->taken ||
			candidate->failing != failing)
			continue;
		if (candidate->endpoint.any.sa_family == candidates->targets[target].preferred)
			return (ssize_t)i;
		if (found < 0)
			found = (ssize_t)i;
	}
	return found;
}

static struct candidates_step
take(struct candidates *candidates, size_t index)
{
	struct candidate *candidate = &candidates->list[index];
	int family = candidate->endpoint.any.sa_family;

	candidate->taken = true;
	candidates->targets[candidate->target].preferred = other_family(family);
	return (struct candidates_step){CANDIDATES_TRY, candidate->target, index};
}

/* Make room for one more. */
static int
grow(struct candidates *candidates)
{
	size_t room = candidates->room > 0 ? candidates->room * 2 : 4;

	if (candidates->count < candidates->room)
		return 0;
	struct candidate *list = realloc(candidates->list, room * sizeof(*list));
	if (!list)
		return -1;
	candidates->list = list;
	candidates->room = room;
	return 0;
}

static bool
has(const struct candidates *candidates, size_t target, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < candidates->count; i++) {
		if (candidates->list[i].target == target &&
			endpoint_is_equal(&candidates->list[i].endpoint, endpoint))
			return true;
	}
	return false;
}

int
candidates_init(struct candidates *candidates, size_t count)
{
	*candidates = (struct candidates){.target_count = count};
	candidates->targets = calloc(count, sizeof(*candidates->targets));
	return candidates->targets ? 0 : -1;
}

void
candidates_release(struct candidates *candidates)
{
	free(candidates->targets);
	free(candidates->list);
	*candidates = (struct candidates){0};
}

int
candidates_add(
	struct candidates *candidates, size_t target, const struct endpoint *endpoint, bool failing)
{
	struct candidates_target *owner = &candidates->targets[target];
	struct candidate candidate = {.endpoint = *endpoint, .target = target, .failing = failing};

	assert(target < candidates->target_count);
	if (owner->count == CANDIDATES_PER_TARGET || has(candidates, target, &candidate.endpoint))
		return 0;
	if (grow(candidates))
		return -1;
	if (owner->count++ == 0)
		owner->preferred = endpoint->any.sa_family;
	candidates->list[candidates->count++] = candidate;
	return 0;
}

void
candidates_settle(struct candidates *candidates, size_t target)
{
	candidates->targets[target].state = CANDIDATES_KNOWN;
}

struct candidates_step
candidates_next(struct candidates *candidates)
{
	bool asked = false;

	for (size_t i = 0; i < candidates->target_count; i++) {
		ssize_t found = next_of(candidates, i, false);

		if (found >= 0)
			return take(candidates, (size_t)found);
		if (candidates->targets[i].state == CANDIDATES_UNKNOWN) {
			candidates->targets[i].state = CANDIDATES_ASKED;
			return (struct candidates_step){CANDIDATES_RESOLVE, i, 0};
		}
		asked = asked || candidates->targets[i].state == CANDIDATES_ASKED;
	}
	for (size_t i = 0; i < candidates->target_count; i++) {
		ssize_t found = next_of(candidates, i, true);

		if (found >= 0)
			return take(candidates, (size_t)found);
	}
	return (struct candidates_step){.action = asked ? CANDIDATES_WAIT : CANDIDATES_OVER};
}

void
candidates_put_back(struct candidates *candidates, size_t candidate)
{
	assert(candidates->list[candidate].taken);
	candidates->list[candidate].taken = false;
}
