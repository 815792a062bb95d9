/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor_state.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/diag.h"
#include "tunnel/config.h"
#include "tunnel/generation.h"
#include "tunnel/paths.h"
#include "tunnel/staple.h"

static bool
is_same(const struct file *file, const struct file *other)
{
	return other && file->size == other->size &&
		memcmp(file->data, other->data, file->size) == 0;
}

static void
tell_kept(struct supervisor *supervisor, const char *why)
{
	char words[DIAG_SIZE + 64];

	(void)snprintf(words, sizeof(words), "ocsp-response: %s; the one before stays", why);
	supervisor_tell(supervisor, LOG_LEVEL_ERROR, words);
}

/* If it cannot be remembered, that it was refused is said again with the next change. */
static int
remember(struct renewal *renewal, const struct file *file)
{
	struct diag diag;

	return files_put(&renewal->refused, file->path, file->data, file->size, &diag);
}

/*
 * Is less of @file of this time than of what runs at its @path, or nothing? Serve would take it, since
 * time is no error there. What cannot be read is for serve to refuse.
 */
static bool
is_outdated(const struct file *file, const struct files *running, struct diag *why)
{
	const struct file *before = files_find(running, file->path);
	time_t now = time(NULL);
	enum ocsp_answer other, ignored;
	int count = staple_count_current(file, now, &other);

	if (other == OCSP_GOOD || count < 0 ||
		(count > 0 && (!before || count >= staple_count_current(before, now, &ignored))))
		return false;
	(void)diag_set(why, "\"%s\": %s", file->path, ocsp_words(other));
	return true;
}

/* Add @file, which was read, to what is offered, unless it runs already or is refused. */
static void
offer(struct supervisor *supervisor, const struct file *file, const struct files *running)
{
	struct renewal *renewal = &supervisor->renewal;
	struct diag diag;

	if (is_same(file, files_find(running, file->path)) ||
		is_same(file, files_find(&renewal->refused, file->path)))
		return;
	if (is_outdated(file, running, &diag)) {
		tell_kept(supervisor, diag.text);
		(void)remember(renewal, file);
	} else if (files_add(&renewal->offered, file->path, file->data, file->size, &diag) < 0) {
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, diag.text);
	}
}

static void
consider(struct supervisor *supervisor, const char *path, const struct files *running)
{
	struct files read = {0};
	struct diag diag;

	if (files_read(&read, path, &diag) < 0)
		tell_kept(supervisor, diag.text);
	else
		offer(supervisor, &read.entries[0], running);
	files_release(&read);
}

static void
collect(struct supervisor *supervisor, const struct files *running)
{
	struct renewal *renewal = &supervisor->renewal;
	struct paths paths = {0};

	paths_add_staples(&paths, supervisor->plan.config);
	for (size_t i = 0; i < paths.count; i++)
		if (renewal->offered.count == 0 || !renewal->singly)
			consider(supervisor, paths.list[i], running);
	paths_release(&paths);
}

void
supervisor_renew(struct supervisor *supervisor)
{
	struct renewal *renewal = &supervisor->renewal;
	struct generation generation = {0};
	struct diag diag;

	renewal->wanted = supervisor->change_wanted = false;
	files_release(&renewal->offered);
	int result = plan_open(&supervisor->plan, &generation, &diag);
	if (result == 0)
		collect(supervisor, &generation.files);
	generation_release(&generation);
	if (result == 0 && renewal->offered.count == 0) {
		renewal->singly = false;
		return;
	}
	if (result == 0)
		result = plan_make_with(
			&supervisor->next, &supervisor->plan, &renewal->offered, &diag);
	if (result < 0) {
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, diag.text);
		return;
	}
	renewal->runs = true;
	supervisor_send_next(supervisor);
}

void
supervisor_commit_renewed(struct supervisor *supervisor)
{
	struct renewal *renewal = &supervisor->renewal;

	renewal->runs = false;
	renewal->wanted = renewal->singly;
	plan_replace(&supervisor->plan, &supervisor->next);
	supervisor_say(supervisor, PROTOCOL_COMMIT);
	supervisor->wait = WAIT_RENEWED;
}

void
supervisor_on_renewed(struct supervisor *supervisor)
{
	struct renewal *renewal = &supervisor->renewal;
	char words[DIAG_SIZE];

	for (size_t i = 0; i < renewal->offered.count; i++) {
		(void)snprintf(words, sizeof(words), "ocsp-response: \"%s\": renewed",
			renewal->offered.entries[i].path);
		supervisor_tell(supervisor, LOG_LEVEL_NOTICE, words);
	}
	files_release(&renewal->offered);
}

/* The words are about one only, so of several each is tried alone. */
void
supervisor_on_not_renewed(struct supervisor *supervisor, char *words)
{
	struct renewal *renewal = &supervisor->renewal;
	const struct file *file = &renewal->offered.entries[0];

	if (renewal->offered.count > 1) {
		renewal->singly = renewal->wanted = true;
		renewal->runs = false;
		supervisor->wait = WAIT_NOTHING;
		plan_cancel(&supervisor->next);
	} else {
		supervisor_tell_lines(supervisor, LOG_LEVEL_ERROR, words);
		supervisor_keep(supervisor);
		renewal->wanted = remember(renewal, file) == 0 && renewal->singly;
	}
	files_release(&renewal->offered);
}

void
supervisor_renewal_release(struct supervisor *supervisor)
{
	files_release(&supervisor->renewal.offered);
	files_release(&supervisor->renewal.refused);
	supervisor->renewal = (struct renewal){0};
}
