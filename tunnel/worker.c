/* SPDX-License-Identifier: MIT */
#include "tunnel/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/list.h"
#include "tunnel/dialer.h"
#include "tunnel/group.h"
#include "tunnel/linger.h"
#include "tunnel/listener.h"
#include "tunnel/loan.h"
#include "tunnel/loop.h"
#include "tunnel/stream.h"
#include "tunnel/transport.h"
#include "tunnel/tunnel.h"

/* While draining: how often is looked whether the last listener and the last linger are gone. */
static const double look_period = 0.05;

struct worker {
	struct worker_common common;
	pthread_t thread;
	struct loop loop;
	struct loan_desk desk;
	struct listener_door door;
	struct waker tunnel_end;
	struct ev_async mail;
	struct ev_timer look;
	bool draining;
	size_t aborted;
	atomic_bool ended;
	atomic_uint taken; /* the mailbox's listen, when that was taken */

	pthread_mutex_t lock; /* for what is below: the mailbox */
	struct list arriving; /* listeners */
	unsigned listen;      /* how often they have arrived */
	bool drain;
	const char *abort;
};

/* What was in the mailbox. */
struct orders {
	struct list listeners;
	unsigned listen;
	bool drain;
	const char *abort;
};

static void
take_mail(struct worker *worker, struct orders *orders)
{
	list_init(&orders->listeners);
	(void)pthread_mutex_lock(&worker->lock);
	list_move(&orders->listeners, &worker->arriving);
	orders->listen = worker->listen;
	orders->drain = worker->drain;
	orders->abort = worker->abort;
	worker->drain = false;
	worker->abort = NULL;
	(void)pthread_mutex_unlock(&worker->lock);
}

/* Ends of connections linger for two seconds at most, a signature is late sooner; both are waited for. */
static void
end_if_done(struct worker *worker)
{
	struct loop *loop = &worker->loop;

	if (worker->draining && loop->tunnel_count == 0 && loop->lingering == 0 &&
		worker->desk.out == 0 && listener_door_is_empty(&worker->door))
		ev_break(loop->ev, EVBREAK_ALL);
}

static void
start_draining(struct worker *worker)
{
	struct list none;

	if (worker->draining)
		return;
	worker->draining = true;
	list_init(&none);
	listener_door_replace(&worker->door, &none);
	ev_timer_again(worker->loop.ev, &worker->look);
}

static void
abort_all(struct worker *worker, const char *reason)
{
	struct list *link, *after;

	start_draining(worker);
	listener_door_close(&worker->door);
	list_for_each_safe (link, after, &worker->loop.tunnels) {
		worker->aborted++;
		tunnel_abort(link, reason);
	}
}

/* Have unknown names warned of; listeners of the same services stand beside each other. */
static void
check_names(struct worker *worker, struct list *listeners)
{
	const struct group *latest = NULL;
	struct list *link;

	list_for_each (link, listeners) {
		const struct group *group = listener_group(link);

		for (size_t i = 0; group != latest && i < group->count; i++)
			dialer_check_names(worker->loop.dialer, group->services[i]);
		latest = group;
	}
}

static void
tell_news(struct worker *worker)
{
	uint64_t one = 1;

	if (write(worker->common.news, &one, sizeof(one)) < 0)
		return; /* an eventfd that is read takes a one */
}

/* While it drains, they are dropped. */
static void
take_listeners(struct worker *worker, struct orders *orders)
{
	if (orders->listen == atomic_load(&worker->taken))
		return;
	if (worker->loop.index == 0 && !worker->draining)
		check_names(worker, &orders->listeners);
	if (!worker->draining)
		listener_door_replace(&worker->door, &orders->listeners);
	listener_free_all(&orders->listeners);
	atomic_store(&worker->taken, orders->listen);
	tell_news(worker);
}

static void
on_mail(struct ev_loop *ev, struct ev_async *mail, int events)
{
	struct worker *worker = container_of(mail, struct worker, mail);
	struct orders orders;

	(void)ev;
	(void)events;
	take_mail(worker, &orders);
	take_listeners(worker, &orders);
	if (orders.drain)
		start_draining(worker);
	if (orders.abort)
		abort_all(worker, orders.abort);
	end_if_done(worker);
}

static void
on_look(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	(void)ev;
	(void)events;
	end_if_done(container_of(timer, struct worker, look));
}

static void
on_tunnel_end(struct waker *waker)
{
	struct worker *worker = container_of(waker, struct worker, tunnel_end);

	listener_door_wake(&worker->door);
	end_if_done(worker);
}

static void *
worker_main(void *argument)
{
	struct worker *worker = argument;

	ev_run(worker->loop.ev, 0);
	atomic_store(&worker->ended, true);
	tell_news(worker);
	return NULL;
}

static void
release(struct worker *worker)
{
	struct loop *loop = &worker->loop;

	listener_free_all(&worker->arriving);
	listener_door_close(&worker->door);
	ev_async_stop(loop->ev, &worker->mail);
	ev_timer_stop(loop->ev, &worker->look);
	linger_end_all(loop);
	dialer_free(loop->dialer);
	if (loop->desk)
		loan_desk_release(loop->desk);
	loop_release(loop);
	(void)pthread_mutex_destroy(&worker->lock);
	free(worker);
}

static void
prepare(struct worker *worker)
{
	struct loop *loop = &worker->loop;

	(void)pthread_mutex_init(&worker->lock, NULL);
	list_init(&worker->arriving);
	if (worker->common.helpers) {
		loan_desk_init(&worker->desk, loop->ev, worker->common.helpers);
		loop->desk = &worker->desk;
	}
	worker->tunnel_end.wake = on_tunnel_end;
	loop->on_tunnel_end = &worker->tunnel_end;
	loop->busy_wait = worker->common.busy_wait;
	place_init(&loop->place, worker->common.places);
	listener_door_init(&worker->door, loop, worker->common.admission, tunnel_start);
	ev_async_init(&worker->mail, on_mail);
	ev_async_start(loop->ev, &worker->mail);
	ev_timer_init(&worker->look, on_look, look_period, look_period);
}

struct worker *
worker_new(const struct worker_common *common, unsigned index, struct diag *diag)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker) {
		(void)diag_set(diag, "out of memory");
		return NULL;
	}
	worker->common = *common;
	if (loop_init(&worker->loop, common->budget, diag) < 0) {
		free(worker);
		return NULL;
	}
	worker->loop.index = index;
	prepare(worker);
	worker->loop.dialer = dialer_new(&worker->loop, diag);
	if (!worker->loop.dialer) {
		release(worker);
		return NULL;
	}
	int error = pthread_create(&worker->thread, NULL, worker_main, worker);
	if (error != 0) {
		(void)diag_set(diag, "start a thread: %s", strerror(error));
		release(worker);
		return NULL;
	}
	return worker;
}

void
worker_listen(struct worker *worker, struct list *listeners)
{
	struct list replaced;

	list_init(&replaced);
	(void)pthread_mutex_lock(&worker->lock);
	list_move(&replaced, &worker->arriving);
	list_move(&worker->arriving, listeners);
	worker->listen++;
	(void)pthread_mutex_unlock(&worker->lock);
	listener_free_all(&replaced);
	ev_async_send(worker->loop.ev, &worker->mail);
}

bool
worker_is_current(const struct worker *worker)
{
	return atomic_load(&worker->taken) == worker->listen;
}

void
worker_drain(struct worker *worker)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->drain = true;
	(void)pthread_mutex_unlock(&worker->lock);
	ev_async_send(worker->loop.ev, &worker->mail);
}

void
worker_abort(struct worker *worker, const char *reason)
{
	(void)pthread_mutex_lock(&worker->lock);
	worker->abort = reason;
	(void)pthread_mutex_unlock(&worker->lock);
	ev_async_send(worker->loop.ev, &worker->mail);
}

bool
worker_has_ended(const struct worker *worker)
{
	return atomic_load(&worker->ended);
}

size_t
worker_aborted(const struct worker *worker)
{
	return worker->aborted;
}

void
worker_free(struct worker *worker)
{
	if (!worker)
		return;
	(void)pthread_join(worker->thread, NULL);
	release(worker);
}
