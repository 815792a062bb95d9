/* SPDX-License-Identifier: MIT */
#include "tunnel/listener.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/log.h"
#include "common/socket.h"
#include "common/text.h"
#include "tunnel/admission.h"
#include "tunnel/group.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"

enum {
	LISTENER_TURN = 32,   /* connections accepted before others have a turn */
	LISTENER_LAST = 4096, /* connections that a leaving listener accepts at most */
};

static const double moment = 0.2;

struct listener {
	struct list link;
	struct listener_door *door; /* NULL: not yet */
	struct group *group;
	struct listener_rule rule;
	char address[ADDRESS_TEXT_SIZE];
	int fd;
	struct ev_io io;
	bool leaving;
	struct turn turn; /* of a leaving one: an empty backlog makes no event */
	unsigned last;	  /* accepted since it leaves */
};

enum turn_end { TURN_OVER, TURN_EMPTY, TURN_SHUT };

static void
listener_free(struct listener *listener)
{
	list_remove(&listener->link);
	if (listener->door)
		ev_io_stop(listener->door->loop->ev, &listener->io);
	loop_cancel(&listener->turn);
	(void)close(listener->fd);
	group_unref(listener->group);
	free(listener);
}

static const char *
name_of(const struct listener *listener)
{
	return group_main(listener->group)->config->name;
}

static bool
is_allowed(const struct listener_rule *rule, uid_t user)
{
	for (unsigned i = 0; i < rule->user_count; i++)
		if (rule->users[i] == user)
			return true;
	return false;
}

/* Once a minute for all workers; a peer can cause this line, so the log must not grow by it. */
static void
complain(struct listener_door *door, const char *service, const char *words)
{
	const struct log_field fields[] = {
		{.key = "service", .text = service},
	};

	if (admission_may_complain(door->admission, clock_seconds()))
		log_fields(LOG_LEVEL_WARNING, words, fields, ARRAY_SIZE(fields));
}

static void
log_refusal(const struct listener *listener, const char *reason)
{
	const struct log_field fields[] = {
		{.key = "service", .text = name_of(listener)},
		{.key = "address", .text = listener->address},
		{.key = "reason", .text = reason},
	};

	log_fields(LOG_LEVEL_INFO, "client refused", fields, ARRAY_SIZE(fields));
}

static void
log_user(const struct listener *listener, uid_t user)
{
	char array[64];
	struct text text;

	text_init(&text, array, sizeof(array));
	text_format(&text, "user %u is not one of socket-users", (unsigned)user);
	log_refusal(listener, array);
}

/* Does the kernel say that the client is somebody who may connect? */
static bool
client_is_welcome(struct listener *listener, int fd)
{
	struct diag diag;
	uid_t user;

	if (!listener->rule.judged)
		return true;
	if (socket_peer_user(fd, &user, &diag) < 0)
		log_refusal(listener, diag.text);
	else if (is_allowed(&listener->rule, user))
		return true;
	else
		log_user(listener, user);
	atomic_fetch_add(&group_main(listener->group)->counters.refused, 1);
	return false;
}

static void
welcome(struct listener *listener, int fd, const struct endpoint *client)
{
	struct listener_door *door = listener->door;

	if (!client_is_welcome(listener, fd)) {
		(void)close(fd);
		return;
	}
	door->start(door->loop, listener->group, fd, client);
	admission_count(door->admission, &door->counted, door->loop->tunnel_count);
}

static bool
is_exhaustion(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* What socket_accept() failed with; anything but these is the failure of one connection, and skipped. */
static enum turn_end
judge_failure(struct listener *listener, int error)
{
	char words[160];
	struct text text;

	if (error == EAGAIN || error == EWOULDBLOCK)
		return TURN_EMPTY;
	if (!is_exhaustion(error))
		return TURN_OVER;
	text_init(&text, words, sizeof(words));
	text_format(&text, "accepting waits: %s (raise the limit of open files, LimitNOFILE=)",
		strerror(error));
	complain(listener->door, name_of(listener), words);
	return TURN_SHUT;
}

/* One connection. TURN_OVER: go on. */
static enum turn_end
accept_one(struct listener *listener)
{
	struct endpoint client;

	if (!admission_is_open(listener->door->admission)) {
		complain(listener->door, name_of(listener),
			"accepting waits: there are as many tunnels as the limit of open files "
			"allows (LimitNOFILE=)");
		return TURN_SHUT;
	}
	int fd = socket_accept(listener->fd, &client);
	if (fd < 0)
		return judge_failure(listener, errno);
	welcome(listener, fd, &client);
	return TURN_OVER;
}

static void
door_shut(struct listener_door *door)
{
	struct list *link;

	list_for_each (link, &door->listeners)
		ev_io_stop(door->loop->ev, &container_of(link, struct listener, link)->io);
	door->shut = true;
	ev_timer_again(door->loop->ev, &door->moment);
}

static void
door_open(struct listener_door *door)
{
	struct list *link;

	ev_timer_stop(door->loop->ev, &door->moment);
	door->shut = false;
	list_for_each (link, &door->listeners) {
		struct listener *listener = container_of(link, struct listener, link);
		ev_io_start(door->loop->ev, &listener->io);
		if (listener->leaving)
			loop_defer(door->loop, &listener->turn);
	}
}

/* Accept what may be accepted in one turn. Frees @listener if that was its last. */
static void
accept_turn(struct listener *listener)
{
	enum turn_end end = TURN_OVER;
	unsigned count = 0;

	while (end == TURN_OVER && count < LISTENER_TURN) {
		end = accept_one(listener);
		count++;
	}
	if (listener->leaving)
		listener->last += count;
	if (end == TURN_SHUT)
		door_shut(listener->door);
	else if (listener->leaving && (end == TURN_EMPTY || listener->last >= LISTENER_LAST))
		listener_free(listener);
	else if (listener->leaving)
		loop_defer(listener->door->loop, &listener->turn);
}

static void
on_turn(struct turn *turn)
{
	accept_turn(container_of(turn, struct listener, turn));
}

static void
on_connection(struct ev_loop *ev, struct ev_io *io, int events)
{
	(void)ev;
	(void)events;
	accept_turn(container_of(io, struct listener, io));
}

static void
on_moment(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)ev;
	(void)events;
	listener_door_wake(container_of(timer, struct listener_door, moment));
}

static struct listener *
find(struct list *list, const struct listener *like)
{
	struct list *link;

	list_for_each (link, list) {
		struct listener *listener = container_of(link, struct listener, link);
		if (!listener->leaving && strcmp(listener->address, like->address) == 0)
			return listener;
	}
	return NULL;
}

/* The socket of @old stays, with the group and rule of @new, which is freed. */
static void
take_group(struct listener *old, struct listener *new)
{
	struct group *group = old->group;

	old->group = new->group;
	old->rule = new->rule;
	new->group = group;
	listener_free(new);
}

static void
stand_at(struct listener_door *door, struct listener *listener)
{
	list_remove(&listener->link);
	list_append(&door->listeners, &listener->link);
	listener->door = door;
	if (!door->shut)
		ev_io_start(door->loop->ev, &listener->io);
}

void
listener_free_all(struct list *list)
{
	struct list *link, *after;

	list_for_each_safe (link, after, list)
		listener_free(container_of(link, struct listener, link));
}

void
listener_door_init(struct listener_door *door, struct loop *loop, struct admission *admission,
	listener_start *start)
{
	*door = (struct listener_door){.loop = loop, .admission = admission, .start = start};
	list_init(&door->listeners);
	ev_timer_init(&door->moment, on_moment, moment, moment);
}

void
listener_door_replace(struct listener_door *door, struct list *wanted)
{
	struct list old, *link, *after;

	list_init(&old);
	list_move(&old, &door->listeners);
	list_for_each_safe (link, after, wanted) {
		struct listener *new = container_of(link, struct listener, link);
		struct listener *known = find(&old, new);
		if (known)
			take_group(known, new);
		stand_at(door, known ? known : new);
	}
	list_for_each_safe (link, after, &old) {
		struct listener *listener = container_of(link, struct listener, link);
		listener->leaving = true;
		stand_at(door, listener);
		if (!door->shut)
			accept_turn(listener);
	}
}

void
listener_door_wake(struct listener_door *door)
{
	admission_count(door->admission, &door->counted, door->loop->tunnel_count);
	if (door->shut)
		door_open(door);
}

bool
listener_door_is_empty(const struct listener_door *door)
{
	return list_is_empty(&door->listeners);
}

void
listener_door_close(struct listener_door *door)
{
	ev_timer_stop(door->loop->ev, &door->moment);
	listener_free_all(&door->listeners);
}

int
listener_add(struct list *list, const char *address, int fd, struct group *group,
	const struct listener_rule *rule)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener) {
		(void)close(fd);
		return -1;
	}
	assert(strlen(address) < sizeof(listener->address));
	memcpy(listener->address, address, strlen(address) + 1);
	listener->group = group_ref(group);
	listener->rule = *rule;
	listener->fd = fd;
	ev_io_init(&listener->io, on_connection, fd, EV_READ);
	turn_init(&listener->turn, on_turn);
	list_init(&listener->link);
	list_append(list, &listener->link);
	return 0;
}

struct group *
listener_group(struct list *link)
{
	return container_of(link, struct listener, link)->group;
}
