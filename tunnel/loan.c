/* SPDX-License-Identifier: MIT */
#include "tunnel/loan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

struct loan_helpers {
	pthread_mutex_t lock; /* for all that follows */
	pthread_cond_t wakeup;
	struct list queue;
	unsigned queued, idle, started, count;
	bool ending;
	pthread_t threads[];
};

/* Wait for work. Returns NULL when it is time to end. The lock is held. */
static struct loan *
wait_for_work(struct loan_helpers *helpers)
{
	while (list_is_empty(&helpers->queue) && !helpers->ending) {
		helpers->idle++;
		(void)pthread_cond_wait(&helpers->wakeup, &helpers->lock);
		helpers->idle--;
	}
	if (list_is_empty(&helpers->queue))
		return NULL;

	struct loan *loan = container_of(helpers->queue.next, struct loan, link);
	list_remove(&loan->link);
	helpers->queued--;
	loan->taken = true;
	return loan;
}

/* Put @loan, whose work is done, on its desk. It may be gone when this returns. */
static void
give_back(struct loan *loan)
{
	struct loan_desk *desk = loan->desk;

	/* The desk may be gone, too, as soon as it is unlocked and the loan was seen on it. */
	(void)pthread_mutex_lock(&desk->lock);
	list_append(&desk->returned, &loan->link);
	ev_async_send(desk->ev, &desk->arrival);
	(void)pthread_mutex_unlock(&desk->lock);
}

static void *
helper_main(void *argument)
{
	struct loan_helpers *helpers = argument;
	struct loan *loan;

	(void)pthread_mutex_lock(&helpers->lock);
	while ((loan = wait_for_work(helpers))) {
		(void)pthread_mutex_unlock(&helpers->lock);
		loan->work(loan);
		give_back(loan);
		(void)pthread_mutex_lock(&helpers->lock);
	}
	(void)pthread_mutex_unlock(&helpers->lock);
	return NULL;
}

/* Start one more thread. Returns 0 or an errno. The lock is held. */
static int
start_helper(struct loan_helpers *helpers)
{
	pthread_t *thread = &helpers->threads[helpers->started];
	int error = pthread_create(thread, NULL, helper_main, helpers);

	if (error == 0)
		helpers->started++;
	return error;
}

static void
on_arrival(struct ev_loop *ev, struct ev_async *arrival, int events)
{
	struct loan_desk *desk = container_of(arrival, struct loan_desk, arrival);
	struct list now;

	(void)ev;
	(void)events;
	list_init(&now);
	(void)pthread_mutex_lock(&desk->lock);
	list_move(&now, &desk->returned);
	(void)pthread_mutex_unlock(&desk->lock);
	while (!list_is_empty(&now)) {
		struct loan *loan = container_of(now.next, struct loan, link);

		list_remove(&loan->link);
		desk->out--;
		loan->done(loan);
	}
}

struct loan_helpers *
loan_helpers_new(unsigned count)
{
	struct loan_helpers *helpers =
		calloc(1, sizeof(*helpers) + count * sizeof(helpers->threads[0]));

	if (!helpers)
		return NULL;
	(void)pthread_mutex_init(&helpers->lock, NULL);
	(void)pthread_cond_init(&helpers->wakeup, NULL);
	list_init(&helpers->queue);
	helpers->count = count;
	return helpers;
}

void
loan_helpers_free(struct loan_helpers *helpers)
{
	if (!helpers)
		return;
	(void)pthread_mutex_lock(&helpers->lock);
	assert(list_is_empty(&helpers->queue));
	helpers->ending = true;
	(void)pthread_cond_broadcast(&helpers->wakeup);
	(void)pthread_mutex_unlock(&helpers->lock);
	for (unsigned i = 0; i < helpers->started; i++)
		(void)pthread_join(helpers->threads[i], NULL);
	(void)pthread_cond_destroy(&helpers->wakeup);
	(void)pthread_mutex_destroy(&helpers->lock);
	free(helpers);
}

void
loan_desk_init(struct loan_desk *desk, struct ev_loop *ev, struct loan_helpers *helpers)
{
	*desk = (struct loan_desk){.helpers = helpers, .ev = ev};
	(void)pthread_mutex_init(&desk->lock, NULL);
	list_init(&desk->returned);
	ev_async_init(&desk->arrival, on_arrival);
	ev_async_start(ev, &desk->arrival);
}

void
loan_desk_release(struct loan_desk *desk)
{
	assert(desk->out == 0);
	ev_async_stop(desk->ev, &desk->arrival);
	/* Whoever brought the last loan may hold the lock still. */
	(void)pthread_mutex_lock(&desk->lock);
	(void)pthread_mutex_unlock(&desk->lock);
	(void)pthread_mutex_destroy(&desk->lock);
}

int
loan_lend(struct loan_desk *desk, struct loan *loan, struct diag *diag)
{
	struct loan_helpers *helpers = desk->helpers;
	int error = 0;

	(void)pthread_mutex_lock(&helpers->lock);
	if (helpers->queued >= helpers->idle && helpers->started < helpers->count)
		error = start_helper(helpers);
	if (helpers->started == 0) {
		(void)pthread_mutex_unlock(&helpers->lock);
		return diag_set(diag, "a helper thread cannot be started: %s", strerror(error));
	}
	loan->desk = desk;
	loan->taken = false;
	list_append(&helpers->queue, &loan->link);
	helpers->queued++;
	(void)pthread_cond_signal(&helpers->wakeup);
	(void)pthread_mutex_unlock(&helpers->lock);
	desk->out++;
	return 0;
}

bool
loan_recall(struct loan *loan)
{
	struct loan_helpers *helpers = loan->desk->helpers;

	(void)pthread_mutex_lock(&helpers->lock);
	bool in_time = !loan->taken;
	if (in_time) {
		list_remove(&loan->link);
		helpers->queued--;
		loan->desk->out--;
	}
	(void)pthread_mutex_unlock(&helpers->lock);
	return in_time;
}
