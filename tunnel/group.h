/* SPDX-License-Identifier: MIT */
/*
 * group.h - the services that share a listening address, and the choice between them.
 *
 * A service that listens alone is a group of one. Immutable and counted: a reload makes new groups, and
 * a connection whose choice is still to come keeps the one that it was accepted with.
 */
#ifndef TUNNEL_GROUP_H
#define TUNNEL_GROUP_H

#include <stddef.h>

#include "common/defs.h"

struct service;
struct sni;

struct group {
	struct service **services; /* in the order of the configuration */
	size_t count;		   /* at least one */
	/* the rest is private to group.c */
	struct service
		*fallback; /* for names that no other has, and none; NULL: such are refused */
	struct sni *names;
	_Atomic unsigned references;
};

/*
 * Make a group of @count @services, which it keeps. A service without patterns, or the default, takes
 * whatever the others do not. The caller drops the result with group_unref(). NULL without memory.
 */
MUST_USE struct group *group_new(struct service *const *services, size_t count);

/* Counted, from any thread. group_unref(NULL) does nothing. */
struct group *group_ref(struct group *group);
void group_unref(struct group *group);

/* The service for @name, which a client sent; "" is none. Borrowed from @group. NULL: there is none. */
struct service *group_choose(const struct group *group, const char *name);

/* The service that answers for @group where none is chosen: the default, else the first. Borrowed. */
struct service *group_main(const struct group *group);

#endif
