/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/diag.h"
#include "tunnel/config.h"
#include "tunnel/generation.h"
#include "tunnel/origin.h"
#include "tunnel/paths.h"

/* The configuration of @texts if there were no errors, else NULL; the reload that fails tells them. */
static struct config *
guess(const struct origin *origin, struct config_texts *texts)
{
	struct config *config = NULL;
	char *words = NULL;
	size_t length = 0;
	FILE *errors = open_memstream(&words, &length);

	if (!errors)
		return NULL;
	if (origin_gather(origin, texts, errors) == 0)
		config = config_new(texts, errors);
	(void)fclose(errors);
	free(words);
	return config;
}

static void
add_config(struct paths *paths, const struct config *config, bool whole)
{
	if (config && whole)
		paths_add_config(paths, config);
	else if (config)
		paths_add_staples(paths, config);
}

int
supervisor_watch(struct supervisor *supervisor, struct diag *diag)
{
	const struct config *present = supervisor->plan.config;
	struct config_texts texts = {0};
	struct paths paths = {0};
	struct config *next = guess(supervisor->origin, &texts);
	bool whole = (present && present->reload_on_change) || (next && next->reload_on_change);

	if (whole)
		paths_add_texts(&paths, &texts);
	add_config(&paths, present, whole);
	add_config(&paths, next, whole);
	config_texts_release(&texts);
	config_unref(next);
	return watch_set(&supervisor->watch, &paths, clock_seconds(), diag);
}

void
supervisor_tell_unwatched(struct supervisor *supervisor, struct diag *diag)
{
	char words[DIAG_SIZE + 128];

	(void)snprintf(words, sizeof(words),
		"files cannot be watched: %s; changes are looked for every %d s instead",
		diag->text, WATCH_INTERVAL);
	supervisor_tell(supervisor, LOG_LEVEL_WARNING, words);
}

static void
tell_date(void *user, const char *words)
{
	supervisor_tell(user, LOG_LEVEL_WARNING, words);
}

static void
look_at_dates(struct supervisor *supervisor)
{
	time_t now = time(NULL);
	int wait = expiry_wait(&supervisor->expiry, now);

	expiry_tell(&supervisor->expiry, now, tell_date, supervisor);
	supervisor->expiry_at = wait > 0 ? clock_seconds() + wait : 0;
}

void
supervisor_date(struct supervisor *supervisor)
{
	struct generation generation = {0};
	struct diag diag;

	int result = plan_open(&supervisor->plan, &generation, &diag);
	if (result == 0)
		result = expiry_set(
			&supervisor->expiry, supervisor->plan.config, &generation.files, &diag);
	generation_release(&generation);
	if (result < 0)
		supervisor_tell(supervisor, LOG_LEVEL_ERROR, diag.text);
	look_at_dates(supervisor);
}

void
supervisor_watch_turn(struct supervisor *supervisor)
{
	double now = clock_seconds();
	struct diag diag;

	if (watch_turn(&supervisor->watch, now, &diag) < 0)
		supervisor_tell_unwatched(supervisor, &diag);
	if (watch_take(&supervisor->watch, now)) {
		supervisor->change_wanted = true;
		supervisor_reload_if_wanted(supervisor);
	}
	if (supervisor->expiry_at > 0 && now >= supervisor->expiry_at)
		look_at_dates(supervisor);
}
