/* SPDX-License-Identifier: MIT */
#include "tunnel/linger.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/socket.h"
#include "tunnel/loop.h"

enum { LINGER_BYTES = 64 << 10, LINGER_MAX = 1024 };

static const double linger_time = 2.0;

struct linger_end {
	struct list link; /* on the loop's list */
	struct loop *loop;
	int fd;
	struct ev_io io;
	struct ev_timer timer;
	size_t bytes; /* thrown away */
};

/* @heard: the peer has ended its way, so it got ours; else a RST tells it in any case. */
static void
end(struct linger_end *lingering, bool heard)
{
	struct loop *loop = lingering->loop;

	ev_io_stop(loop->ev, &lingering->io);
	ev_timer_stop(loop->ev, &lingering->timer);
	list_remove(&lingering->link);
	loop->lingering--;
	if (heard)
		socket_close(lingering->fd);
	else
		socket_reset(lingering->fd);
	free(lingering);
}

static void
on_timer(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)ev;
	(void)events;
	end(container_of(timer, struct linger_end, timer), false);
}

static void
on_ready(struct ev_loop *ev, struct ev_io *io, int events)
{
	struct linger_end *lingering = container_of(io, struct linger_end, io);
	ssize_t got = recv(lingering->fd, lingering->loop->ciphertext, LOOP_SCRATCH_CIPHER, 0);

	(void)ev;
	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		lingering->bytes += (size_t)got;
	if (got <= 0 || lingering->bytes > LINGER_BYTES)
		end(lingering, got == 0);
}

void
linger_start(struct loop *loop, int fd)
{
	struct linger_end *lingering = NULL;

	if (loop->lingering < LINGER_MAX && shutdown(fd, SHUT_WR) == 0)
		lingering = calloc(1, sizeof(*lingering));
	if (!lingering) {
		socket_reset(fd);
		return;
	}
	lingering->loop = loop;
	lingering->fd = fd;
	ev_io_init(&lingering->io, on_ready, fd, EV_READ);
	ev_io_start(loop->ev, &lingering->io);
	ev_timer_init(&lingering->timer, on_timer, linger_time, 0.);
	ev_timer_start(loop->ev, &lingering->timer);
	list_append(&loop->lingers, &lingering->link);
	loop->lingering++;
}

void
linger_end_all(struct loop *loop)
{
	struct list *link, *after;

	list_for_each_safe (link, after, &loop->lingers)
		end(container_of(link, struct linger_end, link), false);
}
