/* SPDX-License-Identifier: MIT */
#include "bench/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "bench/net.h"
#include "bench/pattern.h"
#include "common/diag.h"
#include "common/signals.h"

enum { EVENTS = 256 };

#define SECOND UINT64_C(1000000000)

/* Far enough apart that a mix-up of two connections shows at once. */
static uint64_t
start_of(uint64_t number)
{
	return number * 8191 + 1;
}

static void
update_now(struct run *run)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	run->now = (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void
end_flow(struct run *run, struct flow *flow, bool good)
{
	run->open--;
	if (flow->connecting)
		run->opening--;
	struct flow **slot = &run->slots[flow->index % run->options->connections];
	if (*slot == flow)
		*slot = NULL;
	flow_free(flow);
	run->mode->ended(run, good);
}

static int
watch(struct run *run, struct flow *flow)
{
	struct epoll_event event = {.events = flow_events(flow), .data.ptr = flow};
	int operation = flow->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (event.events == flow->watched)
		return 0;
	flow->watched = event.events;
	return epoll_ctl(run->epoll, operation, flow->fd, &event);
}

static enum flow_state
receive(struct run *run, struct flow *flow)
{
	uint64_t before = flow->received;
	enum flow_state state = flow_receive(flow, run->buffer, run->result);

	if (state != FLOW_GOING || flow->received == before)
		return state;
	run->progress = run->now;
	update_now(run); /* what the mode measures is now */
	run->mode->received(run, flow);
	return flow_send(flow, run->result);
}

static enum flow_state
send_due(struct run *run, struct flow *flow)
{
	bool was_connecting = flow->connecting;
	uint64_t before = flow->sent;
	enum flow_state state = flow_send(flow, run->result);

	if (was_connecting && !flow->connecting)
		run->opening--;
	if (flow->sent != before || was_connecting)
		run->progress = run->now;
	return state;
}

static void
serve_flow(struct run *run, struct flow *flow, uint32_t events)
{
	enum flow_state state = send_due(run, flow);

	if (state == FLOW_GOING && (events & ~(uint32_t)EPOLLOUT))
		state = receive(run, flow);
	if (state != FLOW_GOING || watch(run, flow) < 0)
		end_flow(run, flow, state == FLOW_ENDED);
}

void
run_step(struct run *run, struct flow *flow)
{
	/* While it connects nothing can be done; the event will do it. */
	if (!flow->connecting)
		serve_flow(run, flow, 0);
}

struct flow *
run_open(struct run *run)
{
	const struct request request = {.start = start_of(run->opened)};
	struct flow *flow = flow_new(&run->target, &request);

	if (!flow) {
		result_fail(run->result, RESULT_CONNECT, "connection %" PRIu64 ": connect: %s",
			run->opened++, strerror(errno));
		run->mode->ended(run, false);
		return NULL;
	}
	flow->index = (size_t)run->opened++;
	flow->began = run->now;
	list_append(&run->flows, &flow->link);
	run->open++;
	run->opening++;
	run->slots[flow->index % run->options->connections] = flow;
	run->mode->opened(run, flow);
	if (watch(run, flow) == 0)
		return flow;
	result_fail(run->result, RESULT_CONNECT, "epoll: %s", strerror(errno));
	end_flow(run, flow, false);
	return NULL;
}

uint64_t
run_nanoseconds(double seconds)
{
	return (uint64_t)(seconds * (double)SECOND);
}

static void
open_wanted(struct run *run)
{
	while (run->wanted > 0 && run->opening < RUN_OPENING && !run->stopping) {
		run->wanted--;
		update_now(run);
		(void)run_open(run);
		if (result_errors(run->result) >= run->options->errors)
			run->wanted = 0;
	}
}

static void
stop(struct run *run)
{
	struct list *link, *after;

	run->stopping = true;
	run->tick = UINT64_MAX;
	run->wanted = 0;
	list_for_each_safe (link, after, &run->flows) {
		struct flow *flow = container_of(link, struct flow, link);
		run->mode->stop(run, flow);
		run_step(run, flow);
	}
}

/* Nothing moves any more, or too much went wrong: what is still open has failed. */
static void
give_up(struct run *run, enum result_error error, const char *words)
{
	struct list *link, *after;

	run->stopping = true;
	run->wanted = 0;
	run->tick = UINT64_MAX;
	list_for_each_safe (link, after, &run->flows) {
		struct flow *flow = container_of(link, struct flow, link);
		run->result->wrong_bytes += flow->wrong;
		result_fail(run->result, error,
			"connection %zu: %s (%" PRIu64 " bytes sent, %" PRIu64 " received)",
			flow->index, words, flow->sent, flow->received);
		end_flow(run, flow, false);
	}
}

static void
end_early(struct run *run)
{
	if (!run->stopping)
		run->deadline = run->now;
}

static void
wait_until(struct run *run, uint64_t when)
{
	struct itimerspec timer = {
		.it_value = {.tv_sec = (time_t)(when / SECOND), .tv_nsec = (long)(when % SECOND)}};
	struct epoll_event events[EVENTS];

	/* A timer that comes too early does no harm, and most turns need no other. */
	if (when < run->armed || run->armed <= run->now) {
		run->armed = when;
		(void)timerfd_settime(run->timer, TFD_TIMER_ABSTIME, &timer, NULL);
	}
	int count = epoll_wait(run->epoll, events, EVENTS, -1);
	update_now(run);
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == &run->signals) {
			end_early(run);
		} else if (events[i].data.ptr != run) {
			serve_flow(run, events[i].data.ptr, events[i].events);
		}
	}
}

static uint64_t
earliest(const struct run *run)
{
	uint64_t when = run->progress + run_nanoseconds(run->options->timeout);

	if (run->tick < when)
		when = run->tick;
	return run->deadline < when ? run->deadline : when;
}

/* An idle run is stuck only when something is due: a held connection may be silent. */
static bool
is_stuck(const struct run *run)
{
	struct list *link;

	if (run->now < run->progress + run_nanoseconds(run->options->timeout))
		return false;
	list_for_each (link, &run->flows) {
		const struct flow *flow = container_of(link, struct flow, link);
		if (flow->request.kind != REQUEST_ECHO || flow->finish || flow->connecting ||
			flow->received < flow->send_limit)
			return true;
	}
	return false;
}

static void
turn(struct run *run)
{
	wait_until(run, earliest(run));
	update_now(run);
	if (run->tick <= run->now)
		run->mode->ticked(run);
	if (run->deadline <= run->now) {
		run->deadline = UINT64_MAX;
		stop(run);
	}
	if (is_stuck(run)) {
		give_up(run, RESULT_TIMEOUT, "nothing happened any more");
	} else if (run->now >= run->progress + run_nanoseconds(run->options->timeout)) {
		run->progress = run->now;
	}
	if (result_errors(run->result) >= run->options->errors)
		give_up(run, RESULT_BROKEN, "given up after too many errors");
}

static int
open_loop(struct run *run, struct diag *diag)
{
	struct epoll_event tick = {.events = EPOLLIN | EPOLLET, .data.ptr = run},
			   told = {.events = EPOLLIN | EPOLLET, .data.ptr = &run->signals};

	run->signals = signals_take(diag);
	if (run->signals < 0)
		return -1;
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	run->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (run->epoll < 0 || run->timer < 0 ||
		epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->timer, &tick) < 0 ||
		epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->signals, &told) < 0)
		return diag_set(diag, "epoll: %s", strerror(errno));
	return 0;
}

static int
prepare(struct run *run, struct diag *diag)
{
	run->slots = calloc(run->options->connections, sizeof(struct flow *));
	if (!run->slots) {
		return diag_set(
			diag, "no memory for %" PRIu64 " connections", run->options->connections);
	}
	if (net_resolve(&run->target, run->options->target, diag) < 0)
		return -1;
	return open_loop(run, diag);
}

int
run_load(const struct options *options, const struct mode *mode, struct result *result,
	struct diag *diag)
{
	static struct run run;

	run.options = options;
	run.mode = mode;
	run.result = result;
	run.tick = UINT64_MAX;
	net_raise_limit();
	pattern_init();
	list_init(&run.flows);
	if (prepare(&run, diag) < 0) {
		free(run.slots);
		return -1;
	}
	update_now(&run);
	run.began = run.progress = run.now;
	bool timed = options->bytes == 0 && options->count == 0;
	run.deadline = timed ? run.now + run_nanoseconds(options->seconds) : UINT64_MAX;
	mode->start(&run);
	open_wanted(&run);
	while (run.open > 0 || run.wanted > 0 || run.tick != UINT64_MAX) {
		turn(&run);
		open_wanted(&run);
	}
	result->nanoseconds = run.now > run.began ? run.now - run.began : 1;
	free(run.slots);
	(void)close(run.epoll);
	(void)close(run.timer);
	(void)close(run.signals);
	return 0;
}
