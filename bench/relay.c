/* SPDX-License-Identifier: MIT */
#include "bench/relay.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/net.h"
#include "common/diag.h"
#include "common/list.h"

enum { EVENTS = 64, PIECE = 256 << 10 };

/* One end of a connection. */
struct end {
	struct end *other;
	int fd;
	uint32_t watched; /* the events that epoll was last told */
	bool ended;	  /* its FIN has come and was passed on */
	uint8_t *held;	  /* what it has not taken yet; NULL: nothing */
	size_t at, size;
};

struct pair {
	struct end ends[2];
	bool over;
	struct list link; /* when over, until the events that name it are through */
};

/* What one thread has. */
struct relay {
	int listener;
	struct endpoint target;
	int epoll;
	struct list over;
	uint8_t piece[PIECE];
};

static void
watch(const struct relay *relay, struct end *end)
{
	uint32_t events = (end->ended || end->other->held ? 0 : (uint32_t)EPOLLIN) |
		(end->held ? (uint32_t)EPOLLOUT : 0);
	struct epoll_event event = {.events = events, .data.ptr = end};

	if (events == end->watched)
		return;
	end->watched = events;
	(void)epoll_ctl(relay->epoll, EPOLL_CTL_MOD, end->fd, &event);
}

/* Give @end @size bytes. Returns how many it did not take, or -1 when it is broken. */
static ssize_t
give(const struct end *end, const uint8_t *bytes, size_t size)
{
	ssize_t sent = send(end->fd, bytes, size, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN)
		return -1;
	return (ssize_t)size - (sent > 0 ? sent : 0);
}

/* Give @end what it has not taken yet. Returns 0, or -1 when it is broken. */
static int
give_held(struct end *end)
{
	ssize_t left = give(end, end->held + end->at, end->size - end->at);

	if (left < 0)
		return -1;
	end->at = end->size - (size_t)left;
	if (left > 0)
		return 0;
	free(end->held);
	end->held = NULL;
	return 0;
}

/* Hold for @end what it did not take. Returns 0, or -1 without memory. */
static int
hold(struct end *end, const uint8_t *bytes, size_t size)
{
	end->held = malloc(size);
	if (!end->held)
		return -1;
	memcpy(end->held, bytes, size);
	end->at = 0;
	end->size = size;
	return 0;
}

/* Pass on what @end has sent. Returns 0, or -1 when one of both is broken. */
static int
pass_on(struct relay *relay, struct end *end)
{
	ssize_t got = recv(end->fd, relay->piece, PIECE, 0);

	if (got < 0)
		return errno == EAGAIN ? 0 : -1;
	end->ended = got == 0;
	if (end->ended)
		return shutdown(end->other->fd, SHUT_WR);
	ssize_t left = give(end->other, relay->piece, (size_t)got);
	if (left <= 0)
		return (int)left;
	return hold(end->other, relay->piece + (got - left), (size_t)left);
}

static void
finish(struct relay *relay, struct pair *pair)
{
	pair->over = true;
	for (int i = 0; i < 2; i++) {
		(void)close(pair->ends[i].fd);
		free(pair->ends[i].held);
	}
	list_append(&relay->over, &pair->link);
}

static void
on_event(struct relay *relay, struct end *end, uint32_t events)
{
	struct end *first = end < end->other ? end : end->other;
	struct pair *pair = container_of(first, struct pair, ends);
	int result = 0;

	if (pair->over)
		return;
	if (end->held && events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		result = give_held(end);
	if (result == 0 && !end->ended && !end->other->held)
		result = pass_on(relay, end);
	if (result < 0 || (end->ended && end->other->ended)) {
		finish(relay, pair);
		return;
	}
	watch(relay, end);
	watch(relay, end->other);
}

static void
add_end(const struct relay *relay, struct pair *pair, int index, int fd, uint32_t events)
{
	struct end *end = &pair->ends[index];
	struct epoll_event event = {.events = events, .data.ptr = end};

	*end = (struct end){.other = &pair->ends[1 - index], .fd = fd, .watched = events};
	net_no_delay(fd);
	(void)epoll_ctl(relay->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void
accept_one(const struct relay *relay)
{
	int client = accept4(relay->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int backend = client < 0 ? -1 : net_connect(&relay->target);
	struct pair *pair = backend < 0 ? NULL : calloc(1, sizeof(*pair));

	if (pair) {
		add_end(relay, pair, 0, client, EPOLLIN);
		add_end(relay, pair, 1, backend, EPOLLIN);
		return;
	}
	if (backend >= 0)
		(void)close(backend);
	if (client >= 0)
		(void)close(client);
}

static void
free_over(struct relay *relay)
{
	struct list *link, *after;

	list_for_each_safe (link, after, &relay->over) {
		list_remove(link);
		free(container_of(link, struct pair, link));
	}
}

static void *
loop(void *pointer)
{
	struct relay *relay = pointer;
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(relay->epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == relay)
				accept_one(relay);
			else
				on_event(relay, events[i].data.ptr, events[i].events);
		}
		free_over(relay);
	}
	return NULL;
}

/* Start a thread. Returns 0, or -1 with words. */
static int
start(int listener, const struct endpoint *target, struct diag *diag)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = relay};
	pthread_t thread;

	if (!relay)
		return diag_set(diag, "out of memory");
	relay->listener = listener;
	relay->target = *target;
	list_init(&relay->over);
	relay->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (relay->epoll < 0 || epoll_ctl(relay->epoll, EPOLL_CTL_ADD, listener, &event) < 0)
		return diag_set(diag, "epoll: %s", strerror(errno));
	int error = pthread_create(&thread, NULL, loop, relay);
	return error ? diag_set(diag, "thread: %s", strerror(error)) : 0;
}

int
relay_run(const char *address, const char *target, unsigned threads, struct diag *diag)
{
	struct endpoint here, there;
	int listener = net_listen(&here, address, diag);

	net_raise_limit();
	if (listener < 0 || net_resolve(&there, target, diag) < 0)
		return -1;
	for (unsigned i = 0; i < threads; i++)
		if (start(listener, &there, diag) < 0)
			return -1;
	net_tell(&here);
	for (;;)
		(void)pause();
}
