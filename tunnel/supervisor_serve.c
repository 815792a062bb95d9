/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor_state.h"

#include <stdio.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/text.h"

void
supervisor_end(struct supervisor *supervisor, bool good)
{
	supervisor->over = true;
	supervisor->good = good;
}

int
supervisor_send_log(struct supervisor *supervisor, const struct child *child, struct diag *diag)
{
	struct message *message = &supervisor->message;

	message->type = PROTOCOL_LOG;
	message->number = protocol_log_number(&supervisor->log.settings);
	message->length = 0;
	message->fd_count = 1;
	message->fds[0] = supervisor->log.fd;
	return protocol_send(child->channel, message, diag);
}

/* What cannot be said to serve because it hangs or is gone: it is killed, and its death is handled. */
void
supervisor_give_up_serve(struct supervisor *supervisor, const struct diag *diag)
{
	char words[DIAG_SIZE + 64];

	(void)snprintf(words, sizeof(words), "the serving process does not listen: %s", diag->text);
	supervisor_tell(supervisor, LOG_LEVEL_ERROR, words);
	child_kill(&supervisor->child);
}

void
supervisor_say(struct supervisor *supervisor, enum protocol_kind kind)
{
	struct diag diag;

	if (protocol_say(supervisor->child.channel, kind, "", &diag) < 0)
		supervisor_give_up_serve(supervisor, &diag);
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
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, line);
		supervisor_end(supervisor, false);
		return;
	}
	text_format(&text, "; it is started again in %.2f s, and the listeners stay open", wait);
	supervisor_tell(supervisor, LOG_LEVEL_ERROR, line);
	supervisor->start_at = now + wait;
}

void
supervisor_launch(struct supervisor *supervisor)
{
	struct process_user *user = supervisor->changes_user ? &supervisor->user : NULL;
	struct diag diag;

	supervisor->start_at = 0;
	if (child_start(&supervisor->child, CHILD_SERVE, user, &diag) < 0) {
		(void)diag_prefix(&diag, "the serving process cannot be started");
		start_later(supervisor, diag.text);
		return;
	}
	supervisor->wait = WAIT_START;
	if (supervisor_send_log(supervisor, &supervisor->child, &diag) < 0 ||
		plan_send(&supervisor->plan, supervisor->child.channel, &diag) < 0)
		supervisor_give_up_serve(supervisor, &diag);
	supervisor_keys_connect(supervisor);
}

void
supervisor_on_death(struct supervisor *supervisor, int status)
{
	char words[128];
	struct text text;

	if (supervisor->stops > 0) {
		supervisor_end(supervisor, WIFEXITED(status) && WEXITSTATUS(status) == 0);
		return;
	}
	text_init(&text, words, sizeof(words));
	text_add(&text, "the serving process ");
	process_describe(status, &text);
	if (supervisor_is_reloading(supervisor))
		supervisor_keep(supervisor);
	if (supervisor->wait > WAIT_READY)
		supervisor_date(supervisor); /* what was committed counts for the next serve */
	supervisor->wait = WAIT_NOTHING;
	start_later(supervisor, words);
}
