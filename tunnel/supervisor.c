/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/log.h"
#include "common/message.h"
#include "common/process.h"
#include "common/signals.h"
#include "common/text.h"
#include "tunnel/backoff.h"
#include "tunnel/child.h"
#include "tunnel/command_version.h"
#include "tunnel/config.h"
#include "tunnel/draft.h"
#include "tunnel/logtarget.h"
#include "tunnel/origin.h"
#include "tunnel/plan.h"
#include "tunnel/protocol.h"

/* How long serve may take to end after it was told to abort. */
static const double abort_patience = 10;

enum wait { WAIT_NOTHING, WAIT_START, WAIT_RELOAD };

struct supervisor {
	const struct origin *origin;
	struct plan plan; /* what runs */
	struct plan next; /* what a reload has sent to serve */
	struct logtarget log, next_log;
	struct child child;
	struct backoff backoff;
	struct process_user user;
	bool changes_user;
	unsigned workers;
	enum wait wait; /* for serve's answer to a generation */
	bool was_ready, reload_wanted;
	unsigned stops;	 /* signals that told to end */
	double start_at; /* start serve anew; 0: never */
	double kill_at;	 /* 0: never */
	bool over, good;
	struct message message;
};

/* Before it was ready, the operator looks at the terminal, wherever the log goes. */
static void
tell(struct supervisor *supervisor, enum log_level level, const char *words)
{
	log_write(level, "%s", words);
	if (level == LOG_LEVEL_ERROR && !supervisor->was_ready && supervisor->log.elsewhere)
		(void)fprintf(stderr, "%s\n", words);
}

/* A line of the log for each line of @words, which is changed. */
static void
tell_lines(struct supervisor *supervisor, enum log_level level, char *words)
{
	char *rest = NULL;

	for (char *line = strtok_r(words, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		tell(supervisor, level, line);
}

static void
tell_warnings(struct supervisor *supervisor, const struct config *config)
{
	char *words = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&words, &length);

	if (!stream)
		return;
	config_print_warnings(config, stream);
	if (fclose(stream) == 0)
		tell_lines(supervisor, LOG_LEVEL_WARNING, words);
	free(words);
}

static void
end(struct supervisor *supervisor, bool good)
{
	supervisor->over = true;
	supervisor->good = good;
}

static int
send_log(struct supervisor *supervisor, struct diag *diag)
{
	struct message *message = &supervisor->message;

	message->type = PROTOCOL_LOG;
	message->number = protocol_log_number(&supervisor->log.settings);
	message->length = 0;
	message->fd_count = 1;
	message->fds[0] = supervisor->log.fd;
	return protocol_send(supervisor->child.channel, message, diag);
}

/* What cannot be said to serve because it hangs or is gone: it is killed, and its death is handled. */
static void
give_up_child(struct supervisor *supervisor, const struct diag *diag)
{
	char words[DIAG_SIZE + 64];

	(void)snprintf(words, sizeof(words), "the serving process does not listen: %s", diag->text);
	tell(supervisor, LOG_LEVEL_ERROR, words);
	child_kill(&supervisor->child);
}

static void
say(struct supervisor *supervisor, enum protocol_kind kind)
{
	struct diag diag;

	if (protocol_say(supervisor->child.channel, kind, "", &diag) < 0)
		give_up_child(supervisor, &diag);
}

/* It ended or could not be started: at once again, or later if that is not the first time in a row. */
static void
start_later(struct supervisor *supervisor, const char *words)
{
	double now = clock_seconds();
	double wait = backoff_next(&supervisor->backoff, now - supervisor->child.started);
	struct text text;
	char line[DIAG_SIZE + 128];

	text_init(&text, line, sizeof(line));
	text_add(&text, words);
	if (!supervisor->was_ready) {
		tell(supervisor, LOG_LEVEL_ERROR, line);
		end(supervisor, false);
		return;
	}
	text_format(&text, "; it is started again in %.2f s, and the listeners stay open", wait);
	tell(supervisor, LOG_LEVEL_ERROR, line);
	supervisor->start_at = now + wait;
}

static void
launch(struct supervisor *supervisor)
{
	struct process_user *user = supervisor->changes_user ? &supervisor->user : NULL;
	struct diag diag;

	supervisor->start_at = 0;
	if (child_start(&supervisor->child, user, &diag) < 0) {
		(void)diag_prefix(&diag, "the serving process cannot be started");
		start_later(supervisor, diag.text);
		return;
	}
	supervisor->wait = WAIT_START;
	if (send_log(supervisor, &diag) < 0 ||
		plan_send(&supervisor->plan, supervisor->child.channel, &diag) < 0)
		give_up_child(supervisor, &diag);
}

static void
keep_as_it_was(struct supervisor *supervisor)
{
	plan_cancel(&supervisor->next);
	logtarget_close(&supervisor->next_log);
	supervisor->wait = WAIT_NOTHING;
	tell(supervisor, LOG_LEVEL_ERROR, "reload failed: everything stays as it was");
}

/* What a reload cannot change, since serve has begun with it. */
static void
warn_of_constants(struct supervisor *supervisor, const struct draft *draft)
{
	const struct process_user *user = &supervisor->user;

	if (draft->config->workers != supervisor->plan.config->workers) {
		tell(supervisor, LOG_LEVEL_WARNING,
			"workers: the new number counts from the next start of the program");
	}
	if (draft->user.uid != user->uid || draft->user.gid != user->gid) {
		tell(supervisor, LOG_LEVEL_WARNING,
			"user, group: the new ones count from the next start of the program");
	}
}

/* Read, judge and bind the next generation. 0, or -1 with all that was wrong in the log. */
static int
prepare(struct supervisor *supervisor, struct draft *draft, FILE *errors)
{
	struct diag diag;

	if (draft_read(draft, supervisor->origin, errors) < 0)
		return -1;
	warn_of_constants(supervisor, draft);
	if (logtarget_open(&supervisor->next_log, draft->config, &diag) == 0 &&
		plan_make(&supervisor->next, &supervisor->plan, draft, supervisor->workers,
			&diag) == 0)
		return 0;
	(void)fprintf(errors, "%s\n", diag.text);
	return -1;
}

static void
reload(struct supervisor *supervisor)
{
	struct draft draft = {0};
	char *words = NULL;
	size_t length = 0;
	struct diag diag;

	supervisor->reload_wanted = false;
	FILE *errors = open_memstream(&words, &length);
	int result = errors ? prepare(supervisor, &draft, errors) : -1;
	if (errors && fclose(errors) == 0)
		tell_lines(supervisor, LOG_LEVEL_ERROR, words);
	free(words);
	draft_release(&draft);
	if (result < 0) {
		keep_as_it_was(supervisor);
		return;
	}
	supervisor->wait = WAIT_RELOAD;
	if (plan_send(&supervisor->next, supervisor->child.channel, &diag) < 0)
		give_up_child(supervisor, &diag);
}

/* Now, or as soon as serve has answered what it was asked before. */
static void
want_reload(struct supervisor *supervisor)
{
	if (supervisor->stops > 0)
		return;
	tell(supervisor, LOG_LEVEL_NOTICE, "reloading");
	if (supervisor->wait == WAIT_NOTHING && supervisor->child.pid > 0)
		reload(supervisor);
	else
		supervisor->reload_wanted = true;
}

static void
reopen_log(struct supervisor *supervisor)
{
	struct logtarget opened = {.fd = -1};
	struct diag diag;

	if (logtarget_open(&opened, supervisor->plan.config, &diag) < 0) {
		tell(supervisor, LOG_LEVEL_ERROR, diag.text);
		return;
	}
	logtarget_replace(&supervisor->log, &opened);
	if (supervisor->child.channel >= 0 && send_log(supervisor, &diag) < 0)
		give_up_child(supervisor, &diag);
}

/* First the sockets that are not wanted any more are closed here; then serve accepts them empty. */
static void
take_over(struct supervisor *supervisor)
{
	struct diag diag;

	plan_log_listeners(&supervisor->next);
	plan_replace(&supervisor->plan, &supervisor->next);
	logtarget_replace(&supervisor->log, &supervisor->next_log);
	if (bindings_adapt(&supervisor->plan.bindings, &diag) < 0)
		tell(supervisor, LOG_LEVEL_ERROR, diag.text);
	if (send_log(supervisor, &diag) < 0)
		give_up_child(supervisor, &diag);
	say(supervisor, PROTOCOL_COMMIT);
	tell_warnings(supervisor, supervisor->plan.config);
	tell(supervisor, LOG_LEVEL_NOTICE, "reloaded");
}

static void
on_accepted(struct supervisor *supervisor)
{
	enum wait wait = supervisor->wait;

	supervisor->wait = WAIT_NOTHING;
	if (supervisor->stops > 0)
		return;
	if (wait == WAIT_RELOAD) {
		take_over(supervisor);
	} else if (wait == WAIT_START) {
		say(supervisor, PROTOCOL_COMMIT);
		supervisor->was_ready = true;
		tell(supervisor, LOG_LEVEL_NOTICE, "ready");
	}
	if (supervisor->reload_wanted)
		reload(supervisor);
}

static void
on_refused(struct supervisor *supervisor, char *words)
{
	tell_lines(supervisor, LOG_LEVEL_ERROR, words);
	if (supervisor->wait == WAIT_RELOAD) {
		keep_as_it_was(supervisor);
		if (supervisor->reload_wanted)
			reload(supervisor);
	} else if (supervisor->was_ready) {
		child_kill(&supervisor->child);
	} else {
		end(supervisor, false);
	}
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
			on_accepted(supervisor);
		else if (message->type == PROTOCOL_REFUSED)
			on_refused(supervisor, message->text);
		return;
	case MESSAGE_AGAIN:
		return;
	case MESSAGE_ERROR:
		give_up_child(supervisor, &diag);
		break;
	case MESSAGE_END:
		break; /* SIGCHLD comes, too */
	}
	child_hang_up(&supervisor->child);
}

static void
on_death(struct supervisor *supervisor, int status)
{
	char words[128];
	struct text text;

	if (supervisor->stops > 0) {
		end(supervisor, WIFEXITED(status) && WEXITSTATUS(status) == 0);
		return;
	}
	text_init(&text, words, sizeof(words));
	text_add(&text, "the serving process ");
	process_describe(status, &text);
	if (supervisor->wait == WAIT_RELOAD)
		keep_as_it_was(supervisor);
	supervisor->wait = WAIT_NOTHING;
	start_later(supervisor, words);
}

static void
drain(struct supervisor *supervisor)
{
	tell(supervisor, LOG_LEVEL_NOTICE, "ending: no more is accepted, tunnels are drained");
	if (supervisor->wait == WAIT_RELOAD)
		keep_as_it_was(supervisor);
	bindings_release(&supervisor->plan.bindings);
	if (supervisor->child.pid > 0)
		say(supervisor, PROTOCOL_DRAIN);
	else
		end(supervisor, true);
}

static void
stop(struct supervisor *supervisor)
{
	supervisor->stops++;
	if (supervisor->stops == 1) {
		drain(supervisor);
	} else if (supervisor->stops == 2) {
		tell(supervisor, LOG_LEVEL_NOTICE, "ending at once: tunnels are aborted");
		supervisor->kill_at = clock_seconds() + abort_patience;
		say(supervisor, PROTOCOL_ABORT);
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
		want_reload(supervisor);
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

	if (supervisor->start_at > 0 && now >= supervisor->start_at)
		launch(supervisor);
	if (supervisor->kill_at > 0 && now >= supervisor->kill_at) {
		supervisor->kill_at = 0;
		child_kill(&supervisor->child);
	}
}

static int
milliseconds_left(const struct supervisor *supervisor)
{
	double until = supervisor->start_at > 0 ? supervisor->start_at : supervisor->kill_at;

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
	};
	int status;

	if (poll(polled, ARRAY_SIZE(polled), milliseconds_left(supervisor)) < 0)
		return;
	if (polled[1].revents)
		hear_child(supervisor);
	if (polled[0].revents)
		on_signal(supervisor, signals);
	if (child_reap(&supervisor->child, &status))
		on_death(supervisor, status);
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
	tell(supervisor, LOG_LEVEL_NOTICE, array);
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
	struct diag diag;

	if (draft_read(draft, supervisor->origin, stderr) < 0)
		return -1;
	supervisor->workers = draft->config->workers ? draft->config->workers : count_cores();
	if (take_user(supervisor, draft, &diag) < 0 || process_raise_descriptors(&diag) < 0 ||
		open_log(supervisor, draft->config, &diag) < 0) {
		(void)fprintf(stderr, "%s\n", diag.text);
		return -1;
	}
	tell_version(supervisor);
	if (plan_make(&supervisor->next, &supervisor->plan, draft, supervisor->workers, &diag) <
		0) {
		tell(supervisor, LOG_LEVEL_ERROR, diag.text);
		return -1;
	}
	plan_log_listeners(&supervisor->next);
	plan_replace(&supervisor->plan, &supervisor->next);
	tell_warnings(supervisor, supervisor->plan.config);
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
	plan_cancel(&supervisor->next);
	plan_release(&supervisor->plan);
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
		.log = {.fd = -1},
		.next_log = {.fd = -1},
	};
	struct draft draft = {0};
	struct diag diag;
	int signals = signals_take(&diag);

	if (signals < 0) {
		(void)fprintf(stderr, "%s\n", diag.text);
		return false;
	}
	int begun = begin(&supervisor, &draft);
	draft_release(&draft);
	if (begun == 0)
		launch(&supervisor);
	else
		end(&supervisor, false);
	while (!supervisor.over)
		turn(&supervisor, signals);
	if (begun == 0)
		tell(&supervisor, LOG_LEVEL_NOTICE,
			supervisor.good ? "ended" : "ended with a failure");
	finish(&supervisor);
	(void)close(signals);
	return supervisor.good;
}
