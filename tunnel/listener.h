/* SPDX-License-Identifier: MIT */
/*
 * listener.h - the listening sockets of one worker: what is accepted, from whom, and when not.
 *
 * All listeners of a worker stand at one door. The door is shut while the program has as many tunnels
 * as its descriptors allow, or when the system refuses to give more: connections then wait in the
 * backlog, nothing spins, and the door opens again when a tunnel ends or a moment has passed. A
 * listener that is no longer wanted is accepted empty before it is closed.
 */
#ifndef TUNNEL_LISTENER_H
#define TUNNEL_LISTENER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/defs.h"
#include "common/list.h"

struct admission;
struct group;
struct loop;

enum { LISTENER_USERS = 32 };

/* Whose connections are taken, judged by the kernel's word on the peer of a UNIX socket. */
struct listener_rule {
	bool judged; /* false: everybody's */
	unsigned user_count;
	uint32_t users[LISTENER_USERS];
};

struct listener;

/* What is done with an accepted socket: tunnel_start(), or a test's double. */
typedef void listener_start(
	struct loop *loop, struct group *group, int fd, const struct endpoint *client);

struct listener_door {
	struct loop *loop;
	struct admission *admission;
	listener_start *start;
	struct list listeners;
	size_t counted; /* tunnels of this worker that the admission knows of */
	bool shut;
	struct ev_timer moment;
};

/* Prepare @door, with no listener. Borrows everything until listener_door_close(). */
void listener_door_init(struct listener_door *door, struct loop *loop, struct admission *admission,
	listener_start *start);

/*
 * Make @wanted the listeners of @door; takes over all of them. One that listens on an address that the
 * door had already lends its group and rule to the socket that is there. Those not wanted any more
 * leave, accepted empty; with an empty list that is all of them.
 */
void listener_door_replace(struct listener_door *door, struct list *wanted);

/* A tunnel has ended: count, and open the door if it is shut. */
void listener_door_wake(struct listener_door *door);

/* Have all listeners left? */
bool listener_door_is_empty(const struct listener_door *door);

/* Close all listeners at once. */
void listener_door_close(struct listener_door *door);

/*
 * Make a listener for the listening socket @fd of @address, as address_print() writes it. Takes over
 * @fd in any case, keeps @group. Its link, for a list, is stored in @list's end. Returns 0, or -1
 * without memory.
 */
MUST_USE int listener_add(struct list *list, const char *address, int fd, struct group *group,
	const struct listener_rule *rule);

/* Free all listeners of @list, at a door or not, and close their sockets. */
void listener_free_all(struct list *list);

/* The services of the listener whose link on a list is @link; borrowed from the listener. */
struct group *listener_group(struct list *link);

#endif
