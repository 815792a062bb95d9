/* SPDX-License-Identifier: MIT */
#include "bench/serve.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/net.h"
#include "bench/pattern.h"
#include "bench/peer.h"
#include "common/diag.h"
#include "common/signals.h"

enum { EVENTS = 256, ACCEPTS = 64 };

/* A listener is a peer too where epoll is concerned: its data points here instead. */
struct listener {
	int fd;
	struct endpoint endpoint;
};

struct serve {
	int epoll, signals;
	bool full; /* out of descriptors: nothing is accepted until a connection ends */
	struct list peers;
	size_t count;
	struct listener listeners[SERVE_ADDRESSES];
	uint8_t buffer[PEER_BUFFER_SIZE];
};

static int
watch(int epoll, int operation, int fd, uint32_t events, void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = data};

	return epoll_ctl(epoll, operation, fd, &event);
}

static void
watch_listeners(struct serve *serve, bool on)
{
	for (size_t i = 0; i < serve->count; i++) {
		(void)watch(serve->epoll, EPOLL_CTL_MOD, serve->listeners[i].fd, on ? EPOLLIN : 0,
			&serve->listeners[i]);
	}
	serve->full = !on;
}

static void
end_peer(struct serve *serve, struct peer *peer)
{
	peer_free(peer);
	if (serve->full)
		watch_listeners(serve, true);
}

static void
step_peer(struct serve *serve, struct peer *peer)
{
	if (!peer_step(peer, serve->buffer)) {
		end_peer(serve, peer);
		return;
	}
	uint32_t events = peer_events(peer);
	if (events == peer->watched)
		return;
	int operation = peer->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	peer->watched = events;
	if (watch(serve->epoll, operation, peer->fd, events, peer) < 0)
		end_peer(serve, peer);
}

static void
accept_some(struct serve *serve, const struct listener *listener)
{
	for (int i = 0; i < ACCEPTS; i++) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			watch_listeners(serve, false);
		if (fd < 0)
			return;
		net_no_delay(fd);
		struct peer *peer = peer_new(fd);
		if (!peer)
			continue;
		list_append(&serve->peers, &peer->link);
		step_peer(serve, peer);
	}
}

static bool
is_listener(const struct serve *serve, const void *data)
{
	for (size_t i = 0; i < serve->count; i++) {
		if (data == &serve->listeners[i])
			return true;
	}
	return false;
}

static void
serve_event(struct serve *serve, void *data)
{
	if (is_listener(serve, data)) {
		accept_some(serve, data);
	} else {
		step_peer(serve, data);
	}
}

static void
loop(struct serve *serve)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(serve->epoll, events, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == serve)
				return;
			serve_event(serve, events[i].data.ptr);
		}
	}
}

static int
open_loop(struct serve *serve, struct diag *diag)
{
	serve->signals = signals_take(diag);
	if (serve->signals < 0)
		return -1;
	serve->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (serve->epoll < 0 ||
		watch(serve->epoll, EPOLL_CTL_ADD, serve->signals, EPOLLIN, serve) < 0)
		return diag_set(diag, "epoll: %s", strerror(errno));
	return 0;
}

static int
open_listener(struct serve *serve, const char *address, struct diag *diag)
{
	struct listener *listener = &serve->listeners[serve->count];

	listener->fd = net_listen(&listener->endpoint, address, diag);
	if (listener->fd < 0)
		return -1;
	serve->count++;
	if (watch(serve->epoll, EPOLL_CTL_ADD, listener->fd, EPOLLIN, listener) < 0)
		return diag_set(diag, "epoll: %s", strerror(errno));
	net_tell(&listener->endpoint);
	return 0;
}

static void
release(struct serve *serve)
{
	struct list *link, *after;

	list_for_each_safe (link, after, &serve->peers)
		peer_free(container_of(link, struct peer, link));
	for (size_t i = 0; i < serve->count; i++) {
		const struct endpoint *endpoint = &serve->listeners[i].endpoint;
		if (endpoint->any.sa_family == AF_UNIX && endpoint->local.sun_path[0])
			(void)unlink(endpoint->local.sun_path);
		(void)close(serve->listeners[i].fd);
	}
}

int
serve_run(const char *const *addresses, size_t count, struct diag *diag)
{
	static struct serve serve;

	list_init(&serve.peers);
	net_raise_limit();
	pattern_init();
	if (open_loop(&serve, diag) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (open_listener(&serve, addresses[i], diag) < 0) {
			release(&serve);
			return -1;
		}
	}
	loop(&serve);
	release(&serve);
	return 0;
}
