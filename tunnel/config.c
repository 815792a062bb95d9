/* SPDX-License-Identifier: MIT */
#include "tunnel/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/complaint.h"
#include "tunnel/effect.h"
#include "tunnel/resolved.h"
#include "tunnel/validate.h"

static struct resolved *
owner_of(struct config *config)
{
	return container_of(config, struct resolved, config);
}

struct config *
config_new(const struct config_texts *texts, FILE *errors)
{
	struct resolved *resolved = calloc(1, sizeof(*resolved));
	struct complaints complaints;

	if (!resolved) {
		(void)fprintf(errors, "there is not enough memory for the configuration\n");
		return NULL;
	}
	atomic_init(&resolved->references, 1);
	complaints_init(&complaints, errors);
	statements_read(&resolved->statements, texts, &resolved->arena, &complaints);
	resolved_build(resolved, &complaints);
	effect_complain(resolved, &complaints);
	validate(resolved, &complaints);
	if (resolved->arena.failed) {
		complaints_add(&complaints, &(struct subject){.place.file = "configuration"},
			"there is not enough memory");
	}
	if (complaints_tell(&complaints) > 0) {
		config_unref(&resolved->config);
		return NULL;
	}
	return &resolved->config;
}

struct config *
config_ref(struct config *config)
{
	atomic_fetch_add_explicit(&owner_of(config)->references, 1, memory_order_relaxed);
	return config;
}

void
config_unref(struct config *config)
{
	struct resolved *owner;

	if (!config)
		return;
	owner = owner_of(config);
	if (atomic_fetch_sub_explicit(&owner->references, 1, memory_order_acq_rel) > 1)
		return;
	arena_release(&owner->arena);
	free(owner);
}

/* What to show as the value of an option that has its default. */
static const char *
default_shown(const struct service_config *service, const struct option *option, enum side side)
{
	if (option->field == FIELD_TEXT && option->level == OPTION_OF_SIDE)
		return *(const char *const *)((const char *)&service->tls[side] + option->offset);
	return option->initial;
}

/* Put where it was written in front of the words of @diag. */
static void
prefix_subject(const struct subject *subject, struct diag *diag)
{
	char array[DIAG_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	subject_print(subject, &text);
	while (text.length > 0 && (array[text.length - 1] == ' ' || array[text.length - 1] == ':'))
		array[--text.length] = '\0';
	(void)diag_prefix(diag, "%s", array);
}

void
config_blame_nth(const struct config *config, const struct service_config *service, enum side side,
	const char *option, size_t nth, struct diag *diag)
{
	const struct resolved *resolved = resolved_of(config);
	const struct picks *picks = &resolved->picks[service - resolved->services];
	const struct assignment *assignment = picks_get(picks, option, side);
	struct subject subject = picks->scope->subject;

	if (!assignment && strcmp(option, "key") == 0)
		assignment = picks_get(picks, "cert", side);
	for (; assignment && assignment->again && nth > 0; nth--)
		assignment = assignment->again;
	if (assignment) {
		subject = assignment->subject;
		subject.service = service->name;
	} else {
		enum side none;

		subject.option = option;
		subject.value = default_shown(service, options_find(option, &none), side);
	}
	prefix_subject(&subject, diag);
}

void
config_blame(const struct config *config, const struct service_config *service, enum side side,
	const char *option, struct diag *diag)
{
	config_blame_nth(config, service, side, option, 0, diag);
}

void
config_blame_program(const struct config *config, const char *option, struct diag *diag)
{
	const struct resolved *resolved = resolved_of(config);

	for (size_t i = 0; i < options_count(); i++) {
		const struct assignment *assignment = resolved->picked[i];

		if (assignment && strcmp(assignment->option->name, option) == 0)
			prefix_subject(&assignment->subject, diag);
	}
}
