/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/diag.h"
#include "tunnel/config.h"
#include "tunnel/draft.h"

bool
supervisor_is_reloading(const struct supervisor *supervisor)
{
	return supervisor->wait == WAIT_KEYS || supervisor->wait == WAIT_RELOAD;
}

void
supervisor_keep(struct supervisor *supervisor)
{
	plan_cancel(&supervisor->next);
	logtarget_close(&supervisor->next_log);
	supervisor->wait = WAIT_NOTHING;
	supervisor_tell(supervisor, LOG_LEVEL_ERROR,
		supervisor->renewal.runs ? "the OCSP responses stay as they were"
					 : "reload failed: everything stays as it was");
	if (supervisor->reload_by_itself)
		supervisor->renewal.wanted = true; /* at least these, if they are good */
	supervisor->renewal.runs = supervisor->reload_by_itself = false;
}

/* What a reload cannot change, since serve has begun with it. */
static void
warn_of_constants(struct supervisor *supervisor, const struct draft *draft)
{
	const struct process_user *user = &supervisor->user;

	if (draft->config->workers != supervisor->plan.config->workers) {
		supervisor_tell(supervisor, LOG_LEVEL_WARNING,
			"workers: the new number counts from the next start of the program");
	}
	if (draft->user.uid != user->uid || draft->user.gid != user->gid) {
		supervisor_tell(supervisor, LOG_LEVEL_WARNING,
			"user, group: the new ones count from the next start of the program");
	}
}

/*
 * Read, judge and bind the next generation. 0, or 1 if nothing would change and nobody asked, or -1 with
 * all that was wrong in @errors.
 */
static int
prepare(struct supervisor *supervisor, struct draft *draft, FILE *errors)
{
	struct diag diag;

	if (supervisor_watch(supervisor, &diag) < 0)
		supervisor_tell_unwatched(supervisor, &diag);
	if (draft_read(draft, supervisor->origin, errors) < 0)
		return -1;
	if (plan_make(&supervisor->next, &supervisor->plan, draft, supervisor->workers, &diag) <
		0) {
		(void)fprintf(errors, "%s\n", diag.text);
		return -1;
	}
	if (supervisor->reload_by_itself && plan_is_same(&supervisor->next, &supervisor->plan)) {
		plan_cancel(&supervisor->next);
		return 1;
	}
	if (logtarget_open(&supervisor->next_log, draft->config, &diag) == 0)
		return 0;
	(void)fprintf(errors, "%s\n", diag.text);
	return -1;
}

void
supervisor_send_next(struct supervisor *supervisor)
{
	struct diag diag;

	supervisor->wait = WAIT_RELOAD;
	if (plan_send(&supervisor->next, supervisor->child.channel, &diag) < 0)
		supervisor_give_up_serve(supervisor, &diag);
}

/* Prepare, and say how that went. Returns as prepare(). */
static int
try(struct supervisor *supervisor)
{
	struct draft draft = {0};
	char *words = NULL;
	size_t length = 0;

	FILE *errors = open_memstream(&words, &length);
	int result = errors ? prepare(supervisor, &draft, errors) : -1;
	if (result > 0)
		log_write(LOG_LEVEL_DEBUG, "files were written, but nothing in them has changed");
	else if (supervisor->reload_by_itself)
		supervisor_tell(
			supervisor, LOG_LEVEL_NOTICE, "reloading, since files have changed");
	if (errors && fclose(errors) == 0)
		supervisor_tell_lines(supervisor, LOG_LEVEL_ERROR, words);
	if (result == 0)
		warn_of_constants(supervisor, &draft);
	free(words);
	draft_release(&draft);
	return result;
}

static void
reload(struct supervisor *supervisor, bool by_itself)
{
	supervisor->reload_wanted = supervisor->change_wanted = false;
	supervisor->reload_by_itself = by_itself;
	int result = try(supervisor);
	if (result < 0)
		supervisor_keep(supervisor);
	if (result != 0) {
		supervisor->reload_by_itself = false;
		return;
	}
	if (plan_keyring(&supervisor->next) < 0) {
		supervisor_send_next(supervisor);
		return;
	}
	supervisor->wait = WAIT_KEYS;
	supervisor_keys_offer(supervisor);
}

/* A reload takes up everything, so what is wanted besides is wanted no more when it runs. */
static bool
run_what_is_wanted(struct supervisor *supervisor)
{
	if (supervisor->reload_wanted)
		reload(supervisor, false);
	else if (supervisor->change_wanted && supervisor->plan.config->reload_on_change)
		reload(supervisor, true);
	else if (supervisor->change_wanted || supervisor->renewal.wanted)
		supervisor_renew(supervisor);
	else
		return false;
	return true;
}

void
supervisor_reload_if_wanted(struct supervisor *supervisor)
{
	while (supervisor->stops == 0 && supervisor->wait == WAIT_NOTHING &&
		supervisor->child.pid > 0 && run_what_is_wanted(supervisor))
		;
}

/* Now, or as soon as serve has answered what it was asked before. */
void
supervisor_want_reload(struct supervisor *supervisor)
{
	if (supervisor->stops > 0)
		return;
	supervisor_tell(supervisor, LOG_LEVEL_NOTICE, "reloading");
	supervisor->reload_wanted = true;
	supervisor_reload_if_wanted(supervisor);
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
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, diag.text);
	if (supervisor_send_log(supervisor, &supervisor->child, &diag) < 0)
		supervisor_give_up_serve(supervisor, &diag);
	supervisor_keys_log(supervisor);
	supervisor_keys_commit(supervisor);
	supervisor_say(supervisor, PROTOCOL_COMMIT);
	supervisor->wait = WAIT_RELOADED;
	supervisor->reload_by_itself = false;
	supervisor_renewal_release(supervisor);
	supervisor_tell_warnings(supervisor, supervisor->plan.config);
	if (supervisor_watch(supervisor, &diag) < 0)
		supervisor_tell_unwatched(supervisor, &diag);
}

void
supervisor_on_accepted(struct supervisor *supervisor)
{
	enum wait wait = supervisor->wait;

	/* A serve that somebody has broken into may say what it likes. */
	if (wait != WAIT_START && wait != WAIT_RELOAD)
		return;
	supervisor->wait = WAIT_NOTHING;
	if (supervisor->stops > 0)
		return;
	if (wait == WAIT_RELOAD && supervisor->renewal.runs) {
		supervisor_commit_renewed(supervisor);
	} else if (wait == WAIT_RELOAD) {
		take_over(supervisor);
	} else {
		supervisor_say(supervisor, PROTOCOL_COMMIT);
		supervisor->wait = WAIT_READY;
		supervisor->was_ready = true;
	}
}

void
supervisor_on_committed(struct supervisor *supervisor)
{
	enum wait wait = supervisor->wait;

	if (supervisor->stops > 0 || wait < WAIT_READY)
		return; /* too late, or it was not told to */
	supervisor->wait = WAIT_NOTHING;
	if (wait == WAIT_RENEWED)
		supervisor_on_renewed(supervisor);
	else
		supervisor_tell(
			supervisor, LOG_LEVEL_NOTICE, wait == WAIT_READY ? "ready" : "reloaded");
	if (wait != WAIT_READY)
		supervisor_date(supervisor);
	supervisor_reload_if_wanted(supervisor);
}

void
supervisor_on_refused(struct supervisor *supervisor, char *words)
{
	if (supervisor->renewal.runs) {
		supervisor_on_not_renewed(supervisor, words);
		supervisor_reload_if_wanted(supervisor);
		return;
	}
	supervisor_tell_lines(supervisor, LOG_LEVEL_ERROR, words);
	if (supervisor->wait == WAIT_RELOAD) {
		supervisor_keep(supervisor);
		supervisor_reload_if_wanted(supervisor);
	} else if (supervisor->was_ready) {
		child_kill(&supervisor->child);
	} else {
		supervisor_end(supervisor, false);
	}
}
