/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/signals.h"
#include "common/text.h"
#include "tunnel/command_version.h"
#include "tunnel/config.h"
#include "tunnel/draft.h"
#include "tunnel/supervisor_state.h"

/* Seconds: for serve to end after it was told to abort, and to have room for what it lost. */
static const double abort_patience = 10, lost_patience = 1;

static void
reopen_log(struct supervisor *supervisor)
{
	struct logtarget opened = {.fd = -1};
	struct diag diag;

	if (logtarget_open(&opened, supervisor->plan.config, &diag) < 0) {
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, diag.text);
		return;
	}
	logtarget_replace(&supervisor->log, &opened);
	if (supervisor->child.channel >= 0 &&
		supervisor_send_log(supervisor, &supervisor->child, &diag) < 0)
		supervisor_give_up_serve(supervisor, &diag);
	supervisor_keys_log(supervisor);
}

static void
hear_child(struct supervisor *supervisor)
{
	struct message *message = &supervisor->message;
	struct diag diag;

	switch (message_receive(supervisor->child.channel, message, &diag)) {
	case MESSAGE_DONE:
		message_release(message);
		if (message->type == PROTOCOL_ACCEPTED)
			supervisor_on_accepted(supervisor);
		else if (message->type == PROTOCOL_REFUSED)
			supervisor_on_refused(supervisor, message->text);
		else if (message->type == PROTOCOL_COMMITTED)
			supervisor_on_committed(supervisor);
		else if (message->type == PROTOCOL_LOST)
			supervisor->keeper.connect_at = clock_seconds() + lost_patience;
		return;
	case MESSAGE_AGAIN:
		return;
	case MESSAGE_ERROR:
		supervisor_give_up_serve(supervisor, &diag);
		break;
	case MESSAGE_END:
		break; /* SIGCHLD comes, too */
	}
	child_hang_up(&supervisor->child);
}

static void
drain(struct supervisor *supervisor)
{
	supervisor_tell(
		supervisor, LOG_LEVEL_NOTICE, "ending: no more is accepted, tunnels are drained");
	if (supervisor_is_reloading(supervisor))
		supervisor_keep(supervisor);
	bindings_release(&supervisor->plan.bindings);
	watch_release(&supervisor->watch);
	supervisor->expiry_at = 0;
	if (supervisor->child.pid > 0)
		supervisor_say(supervisor, PROTOCOL_DRAIN);
	else
		supervisor_end(supervisor, true);
}

static void
stop(struct supervisor *supervisor)
{
	struct diag diag;

	supervisor->stops++;
	if (supervisor->stops == 1) {
		drain(supervisor);
	} else if (supervisor->stops == 2) {
		supervisor_tell(
			supervisor, LOG_LEVEL_NOTICE, "ending at once: tunnels are aborted");
		supervisor->kill_at = clock_seconds() + abort_patience;
		/* If it does not hear this, it is about to end, or hangs, as the patience will show. */
		if (protocol_say(supervisor->child.channel, PROTOCOL_ABORT, "", &diag) < 0)
			child_hang_up(&supervisor->child);
	} else {
		child_kill(&supervisor->child);
	}
}

static void
on_signal(struct supervisor *supervisor, int fd)
{
	switch (signals_next(fd)) {
	case SIGTERM:
	case SIGINT:
		stop(supervisor);
		break;
	case SIGHUP:
		supervisor_want_reload(supervisor);
		break;
	case SIGUSR1:
		reopen_log(supervisor);
		break;
	default:
		break; /* none, or SIGCHLD: the child is asked for in every turn */
	}
}

static void
watch_clock(struct supervisor *supervisor)
{
	double now = clock_seconds();

	if (supervisor->stops == 0)
		supervisor_watch_turn(supervisor);
	if (supervisor->start_at > 0 && now >= supervisor->start_at)
		supervisor_launch(supervisor);
	if (supervisor->keeper.start_at > 0 && now >= supervisor->keeper.start_at)
		supervisor_keys_launch(supervisor);
	if (supervisor->keeper.connect_at > 0 && now >= supervisor->keeper.connect_at)
		supervisor_keys_connect(supervisor);
	if (supervisor->kill_at > 0 && now >= supervisor->kill_at) {
		supervisor->kill_at = 0;
		child_kill(&supervisor->child);
	}
}

static int
milliseconds_left(const struct supervisor *supervisor)
{
	const double times[] = {supervisor->start_at, supervisor->keeper.start_at,
		supervisor->keeper.connect_at, supervisor->kill_at,
		watch_deadline(&supervisor->watch), supervisor->expiry_at};
	double until = 0;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (times[i] > 0 && (until <= 0 || times[i] < until))
			until = times[i];
	if (until <= 0)
		return -1;
	double left = until - clock_seconds();
	return left > 0 ? (int)(left * 1000) + 1 : 0;
}

static void
turn(struct supervisor *supervisor, int signals)
{
	struct pollfd polled[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = supervisor->child.channel, .events = POLLIN}, /* -1 is passed over */
		{.fd = supervisor->keeper.child.channel, .events = POLLIN},
		{.fd = watch_fd(&supervisor->watch), .events = POLLIN},
	};
	int status;

	if (poll(polled, ARRAY_SIZE(polled), milliseconds_left(supervisor)) < 0)
		return;
	if (polled[1].revents)
		hear_child(supervisor);
	if (polled[2].revents && supervisor->keeper.child.channel == polled[2].fd)
		supervisor_keys_hear(supervisor);
	if (polled[0].revents)
		on_signal(supervisor, signals);
	if (child_reap(&supervisor->child, &status))
		supervisor_on_death(supervisor, status);
	if (child_reap(&supervisor->keeper.child, &status))
		supervisor_keys_on_death(supervisor, status);
	watch_clock(supervisor);
}

static unsigned
count_cores(void)
{
	cpu_set_t cores;

	if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
		return 1;
	return (unsigned)CPU_COUNT(&cores);
}

static void
tell_version(struct supervisor *supervisor)
{
	char array[256];
	struct text text;

	text_init(&text, array, sizeof(array));
	command_version_line(&text);
	text_format(
		&text, ", %u worker%s", supervisor->workers, supervisor->workers == 1 ? "" : "s");
	supervisor_tell(supervisor, LOG_LEVEL_NOTICE, array);
}

static int
open_log(struct supervisor *supervisor, const struct config *config, struct diag *diag)
{
	struct logtarget opened = {.fd = -1};

	if (logtarget_open(&opened, config, diag) < 0)
		return -1;
	logtarget_replace(&supervisor->log, &opened);
	return log_start(diag);
}

static int
take_user(struct supervisor *supervisor, const struct draft *draft, struct diag *diag)
{
	supervisor->user = draft->user;
	supervisor->changes_user = draft->changes_user;
	if (draft->changes_user && geteuid() != 0) {
		(void)diag_set(diag,
			"only a program started by root can become another user: start it so, "
			"or remove the option");
		config_blame_program(draft->config, draft->config->user ? "user" : "group", diag);
		return -1;
	}
	return 0;
}

/* Everything up to the first start of serve. 0, or -1 with words on standard error. */
static int
begin(struct supervisor *supervisor, struct draft *draft)
{
	struct diag diag, watching;
	int watched = supervisor_watch(supervisor, &watching);

	if (draft_read(draft, supervisor->origin, stderr) < 0)
		return -1;
	supervisor->workers = draft->config->workers ? draft->config->workers : count_cores();
	if (take_user(supervisor, draft, &diag) < 0 || process_raise_descriptors(&diag) < 0 ||
		open_log(supervisor, draft->config, &diag) < 0) {
		(void)fprintf(stderr, "%s\n", diag.text);
		return -1;
	}
	tell_version(supervisor);
	if (watched < 0)
		supervisor_tell_unwatched(supervisor, &watching);
	if (plan_make(&supervisor->next, &supervisor->plan, draft, supervisor->workers, &diag) <
		0) {
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, diag.text);
		return -1;
	}
	plan_log_listeners(&supervisor->next);
	plan_replace(&supervisor->plan, &supervisor->next);
	supervisor_tell_warnings(supervisor, supervisor->plan.config);
	supervisor_date(supervisor);
	return 0;
}

static void
finish(struct supervisor *supervisor)
{
	int status;

	if (supervisor->child.pid > 0) {
		child_kill(&supervisor->child);
		child_hang_up(&supervisor->child);
		(void)waitpid(supervisor->child.pid, &status, 0);
	}
	supervisor_keys_end(supervisor);
	plan_cancel(&supervisor->next);
	plan_release(&supervisor->plan);
	watch_release(&supervisor->watch);
	expiry_release(&supervisor->expiry);
	supervisor_renewal_release(supervisor);
	logtarget_close(&supervisor->next_log);
	log_stop();
	logtarget_end(&supervisor->log);
}

bool
supervisor_run(const struct origin *origin)
{
	struct supervisor supervisor = {
		.origin = origin,
		.child = {.channel = -1},
		.keeper = {.child = {.channel = -1}},
		.log = {.fd = -1},
		.next_log = {.fd = -1},
	};
	struct draft draft = {0};
	struct diag diag;
	int signals = signals_take(&diag);

	watch_init(&supervisor.watch);
	if (signals < 0) {
		(void)fprintf(stderr, "%s\n", diag.text);
		return false;
	}
	int begun = begin(&supervisor, &draft);
	draft_release(&draft);
	if (begun == 0 && plan_keyring(&supervisor.plan) >= 0)
		supervisor_keys_launch(&supervisor); /* serve is launched when that has its keys */
	else if (begun == 0)
		supervisor_launch(&supervisor);
	else
		supervisor_end(&supervisor, false);
	while (!supervisor.over)
		turn(&supervisor, signals);
	if (begun == 0)
		supervisor_tell(&supervisor, LOG_LEVEL_NOTICE,
			supervisor.good ? "ended" : "ended with a failure");
	finish(&supervisor);
	(void)close(signals);
	return supervisor.good;
}
