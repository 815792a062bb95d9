/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/text.h"
#include "tunnel/loan.h"

enum { PATIENCE = 5000 /* milliseconds for its end */, STEP = 10 };

/* It hangs or is gone: its death is handled when it comes. */
static void
give_up(struct keeper *keeper, const struct diag *diag)
{
	log_write(LOG_LEVEL_ERROR, "the key process does not listen: %s", diag->text);
	child_kill(&keeper->child);
}

/* Only the answer to what was asked last will count. */
static void
ask(struct supervisor *supervisor, enum keeper_question question)
{
	struct keeper *keeper = &supervisor->keeper;
	struct message *message = &supervisor->message;
	bool is_next = question == KEEPER_NEXT;
	struct diag diag;

	keeper->asked = question;
	keeper->unanswered++;
	keeper->has_next = false;
	message->type = PROTOCOL_KEYRING;
	message->number = message->length = 0;
	message->fd_count = 1;
	message->fds[0] = plan_keyring(is_next ? &supervisor->next : &supervisor->plan);
	if (protocol_send(keeper->child.channel, message, &diag) < 0)
		give_up(keeper, &diag);
	message->fd_count = 0;
}

static void
say_commit(struct keeper *keeper)
{
	struct diag diag;

	if (protocol_say(keeper->child.channel, PROTOCOL_COMMIT, "", &diag) < 0)
		give_up(keeper, &diag);
}

/* What runs lends no key, so the process forgets those that it has and waits for others. */
static void
take_all_back(struct keeper *keeper)
{
	struct diag diag;

	keeper->ready = keeper->has_next = false;
	if (keeper->child.channel >= 0 &&
		protocol_say(keeper->child.channel, PROTOCOL_DRAIN, "", &diag) < 0)
		give_up(keeper, &diag);
}

static void
start_later(struct supervisor *supervisor, const char *words)
{
	struct keeper *keeper = &supervisor->keeper;
	double now = clock_seconds();
	double wait = backoff_next(&keeper->backoff, now - keeper->child.started);
	char line[DIAG_SIZE + 192];
	struct text text;

	text_init(&text, line, sizeof(line));
	text_add(&text, words);
	if (!supervisor->was_ready) {
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, line);
		supervisor_end(supervisor, false);
		return;
	}
	if (plan_keyring(&supervisor->plan) >= 0) {
		text_format(&text,
			"; it is started again in %.2f s, and handshakes that need its keys fail "
			"until then",
			wait);
		keeper->start_at = now + wait;
	}
	supervisor_tell(supervisor, LOG_LEVEL_ERROR, line);
}

void
supervisor_keys_launch(struct supervisor *supervisor)
{
	struct process_user *user = supervisor->changes_user ? &supervisor->user : NULL;
	struct keeper *keeper = &supervisor->keeper;
	struct diag diag;

	*keeper = (struct keeper){.backoff = keeper->backoff, .child = {.channel = -1}};
	if (child_start(&keeper->child, CHILD_KEYS, user, &diag) < 0) {
		(void)diag_prefix(&diag, "the key process cannot be started");
		start_later(supervisor, diag.text);
		return;
	}
	if (supervisor_send_log(supervisor, &keeper->child, &diag) < 0)
		give_up(keeper, &diag);
	if (plan_keyring(&supervisor->plan) >= 0)
		ask(supervisor, KEEPER_PRESENT);
	else if (supervisor->wait == WAIT_KEYS)
		ask(supervisor, KEEPER_NEXT);
}

void
supervisor_keys_offer(struct supervisor *supervisor)
{
	struct keeper *keeper = &supervisor->keeper;

	if (keeper->child.pid == 0 && keeper->start_at == 0)
		supervisor_keys_launch(supervisor);
	else if (keeper->child.pid > 0 && (keeper->ready || plan_keyring(&supervisor->plan) < 0))
		ask(supervisor, KEEPER_NEXT);
	/* else it is asked when it has the keyring that it lost */
}

static int
make_channels(struct message *serve, struct message *keys, unsigned count, struct diag *diag)
{
	serve->fd_count = keys->fd_count = 0;
	for (unsigned i = 0; i < count; i++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
			return diag_set(diag, "make a channel: %s", strerror(errno));
		serve->fds[serve->fd_count++] = pair[0];
		keys->fds[keys->fd_count++] = pair[1];
	}
	return 0;
}

static void
send_channels(struct supervisor *supervisor, struct message *serve, struct message *keys)
{
	struct diag diag;

	if (protocol_send(supervisor->keeper.child.channel, keys, &diag) < 0)
		give_up(&supervisor->keeper, &diag);
	else if (protocol_send(supervisor->child.channel, serve, &diag) < 0)
		supervisor_give_up_serve(supervisor, &diag);
}

void
supervisor_keys_connect(struct supervisor *supervisor)
{
	unsigned count = loan_threads(supervisor->workers);
	struct message serve, keys;
	struct diag diag;

	supervisor->keeper.connect_at = 0;
	if (!supervisor->keeper.ready || supervisor->child.channel < 0)
		return;
	serve.type = keys.type = PROTOCOL_CHANNELS;
	serve.number = keys.number = serve.length = keys.length = 0;
	if (count > MESSAGE_FDS_LIMIT)
		count = MESSAGE_FDS_LIMIT;
	if (make_channels(&serve, &keys, count, &diag) == 0)
		send_channels(supervisor, &serve, &keys);
	else
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, diag.text);
	message_release(&serve);
	message_release(&keys);
}

void
supervisor_keys_commit(struct supervisor *supervisor)
{
	struct keeper *keeper = &supervisor->keeper;

	if (plan_keyring(&supervisor->plan) < 0) {
		take_all_back(keeper);
		return;
	}
	if (keeper->has_next) {
		say_commit(keeper);
		keeper->has_next = false;
		bool was_ready = keeper->ready;
		keeper->ready = true;
		if (!was_ready)
			supervisor_keys_connect(supervisor);
	} else if (keeper->child.pid > 0) {
		ask(supervisor,
			KEEPER_PRESENT); /* it was started anew since, with what was before */
	}
}

static void
on_present(struct supervisor *supervisor)
{
	say_commit(&supervisor->keeper);
	supervisor->keeper.ready = true;
	if (supervisor->child.pid > 0)
		supervisor_keys_connect(supervisor);
	else if (!supervisor->was_ready)
		supervisor_launch(supervisor);
	if (supervisor->wait == WAIT_KEYS)
		ask(supervisor, KEEPER_NEXT);
}

static void
on_accepted(struct supervisor *supervisor)
{
	if (supervisor->keeper.asked == KEEPER_PRESENT) {
		on_present(supervisor);
	} else if (supervisor->wait == WAIT_KEYS) {
		supervisor->keeper.has_next = true;
		supervisor_send_next(supervisor);
	}
}

static void
on_refused(struct supervisor *supervisor, char *words)
{
	bool was_next = supervisor->keeper.asked == KEEPER_NEXT;

	if (was_next && supervisor->wait != WAIT_KEYS)
		return;
	supervisor_tell_lines(supervisor, LOG_LEVEL_ERROR, words);
	if (was_next)
		supervisor_keep(supervisor);
	else if (supervisor->was_ready)
		child_kill(&supervisor->keeper.child);
	else
		supervisor_end(supervisor, false);
	if (was_next)
		supervisor_reload_if_wanted(supervisor);
}

void
supervisor_keys_hear(struct supervisor *supervisor)
{
	struct keeper *keeper = &supervisor->keeper;
	struct message *message = &supervisor->message;
	struct diag diag;

	switch (message_receive(keeper->child.channel, message, &diag)) {
	case MESSAGE_DONE:
		message_release(message);
		if (keeper->unanswered == 0 || --keeper->unanswered > 0)
			return;
		if (message->type == PROTOCOL_ACCEPTED)
			on_accepted(supervisor);
		else if (message->type == PROTOCOL_REFUSED)
			on_refused(supervisor, message->text);
		return;
	case MESSAGE_AGAIN:
		return;
	case MESSAGE_ERROR:
		give_up(keeper, &diag);
		break;
	case MESSAGE_END:
		break; /* SIGCHLD comes, too */
	}
	child_hang_up(&keeper->child);
}

void
supervisor_keys_on_death(struct supervisor *supervisor, int status)
{
	struct keeper *keeper = &supervisor->keeper;
	bool was_asked = keeper->unanswered > 0 && keeper->asked == KEEPER_NEXT;
	char words[128];
	struct text text;

	keeper->ready = keeper->has_next = false;
	keeper->unanswered = 0;
	text_init(&text, words, sizeof(words));
	text_add(&text, "the key process ");
	process_describe(status, &text);
	start_later(supervisor, words);
	if (was_asked && supervisor->wait == WAIT_KEYS) {
		supervisor_keep(supervisor);
		supervisor_reload_if_wanted(supervisor);
	}
}

void
supervisor_keys_log(struct supervisor *supervisor)
{
	struct keeper *keeper = &supervisor->keeper;
	struct diag diag;

	if (keeper->child.channel >= 0 &&
		supervisor_send_log(supervisor, &keeper->child, &diag) < 0)
		give_up(keeper, &diag);
}

void
supervisor_keys_end(struct supervisor *supervisor)
{
	struct child *child = &supervisor->keeper.child;
	int status;

	child_hang_up(child);
	for (int waited = 0; child->pid > 0 && waited < PATIENCE; waited += STEP) {
		if (child_reap(child, &status))
			return;
		(void)poll(NULL, 0, STEP);
	}
	if (child->pid <= 0)
		return;
	child_kill(child);
	(void)waitpid(child->pid, &status, 0);
}
