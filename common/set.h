/* SPDX-License-Identifier: MIT */
/*
 * set.h - byte strings that were met before.
 *
 *	struct set met = {0};
 *	if (!set_has(&met, name, length)) ...
 */
#ifndef COMMON_SET_H
#define COMMON_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

/* All zero is empty. */
struct set {
	void *root;
};

bool set_has(const struct set *set, const void *bytes, size_t size);

/* Add a copy of the @size bytes, unless @set has them. Returns 0, or -1 without memory. */
int set_add(struct set *set, const void *bytes, size_t size);

/* Forget all of them. */
void set_release(struct set *set);

#endif
