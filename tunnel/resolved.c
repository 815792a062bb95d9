/* SPDX-License-Identifier: MIT */
#include "tunnel/resolved.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "common/schema.h"
#include "tunnel/effect.h"

/* A service that is being built. */
struct building {
	struct resolved *resolved;
	struct service_config *service;
	struct picks *picks;
};

_Static_assert(sizeof(enum mode) == sizeof(unsigned), "FIELD_ENUM stores enums as unsigned");

struct assignment *
picks_get(const struct picks *picks, const char *name, enum side side)
{
	enum side none;
	const struct option *option = options_find(name, &none);

	assert(option);
	return picks->picked[options_index(option)]
			    [option->level == OPTION_OF_SIDE ? side : SIDE_ACCEPT];
}

bool
picks_are_spoilt(const struct picks *picks, const char *name, enum side side)
{
	const struct assignment *assignment = picks_get(picks, name, side);

	for (; assignment; assignment = assignment->again) {
		if (!assignment->is_valid)
			return true;
	}
	return false;
}

static void
store_number(const struct option *option, uint64_t number, void *field)
{
	switch (option->field) {
	case FIELD_BOOL:
		*(bool *)field = number != 0;
		break;
	case FIELD_ENUM:
		*(unsigned *)field = (unsigned)number;
		break;
	case FIELD_SECONDS:
		*(double *)field = (double)number / 1000;
		break;
	case FIELD_SIZE:
		*(uint64_t *)field = number;
		break;
	case FIELD_TEXT:
	case FIELD_TEXTS:
	case FIELD_LIST:
	case FIELD_NONE:
		break;
	}
}

/* Collect the values in @list, those that are valid. */
static struct texts
build_texts(struct arena *arena, const struct assignment *list)
{
	size_t room = 0, count = 0;

	for (const struct assignment *one = list; one; one = one->again)
		room++;

	const char **texts = arena_alloc(arena, room, sizeof(*texts));

	for (; texts && list; list = list->again) {
		if (list->is_valid)
			texts[count++] = list->text;
	}
	return (struct texts){texts, count};
}

/* Collect the elements of every list in @list. */
static struct texts
build_elements(struct arena *arena, const struct assignment *list)
{
	size_t room = 0, count = 0, length;

	for (const struct assignment *one = list; one; one = one->again)
		room += strlen(one->text);

	const char **texts = arena_alloc(arena, room, sizeof(*texts));

	for (; texts && list; list = list->again) {
		const char *cursor = list->is_valid ? list->text : NULL;

		for (const char *element; (element = schema_next(&cursor, &length));)
			texts[count++] = arena_format(arena, "%.*s", (int)length, element);
	}
	return (struct texts){texts, count};
}

/* Store the picked value, or the default, in the field of @option in the struct at @base. */
static void
store(struct arena *arena, const struct option *option, const struct assignment *picked, void *base)
{
	void *field = (char *)base + option->offset;
	const char *value = picked ? picked->text : option->initial;
	uint64_t number = 0;
	struct diag diag;

	if (option->field == FIELD_TEXTS) {
		*(struct texts *)field = build_texts(arena, picked);
	} else if (option->field == FIELD_LIST) {
		*(struct texts *)field = build_elements(arena, picked);
	}
	if (option->field == FIELD_NONE || !value || (picked && !picked->is_valid))
		return;
	if (option->field == FIELD_TEXT) {
		*(const char **)field = value;
	} else {
		int result = option_parse(
			option, picked ? picked->subject.value : value, &number, &diag);

		assert(result == 0);
		store_number(option, number, field);
	}
}

static void
mark_used(struct assignment *assignment)
{
	for (; assignment; assignment = assignment->again)
		assignment->is_used = true;
}

/*
 * Is @option written in @scope with the prefix of @slot? Options that are paired are as good as written
 * where either is: a key never comes from elsewhere than its certificate.
 */
static bool
is_written(const struct scope *scope, const struct option *option, enum side slot)
{
	static const char *const pair[] = {"cert", "key"};
	enum side none;

	if (!(option->traits & OPTION_PAIRED))
		return scope->written[options_index(option)][slot];
	for (size_t i = 0; i < ARRAY_SIZE(pair); i++) {
		if (scope->written[options_index(options_find(pair[i], &none))][slot])
			return true;
	}
	return false;
}

/* Where the values of an option come from: one place, or all where they add up. */
struct places {
	struct assignment *list[4];
	size_t count;
};

/* Find them in the order of resolved.h. */
static struct places
find_places(const struct building *building, const struct option *option, enum side side)
{
	const struct scope *scopes[] = {
		building->picks->scope, &building->resolved->statements.program};
	const enum side slots[] = {option->level == OPTION_OF_SIDE ? side : SIDES, SIDES};
	bool of_side = option->level == OPTION_OF_SIDE;
	bool one_slot = !of_side ||
		(option->traits & OPTION_PREFIXED && building->service->mode == MODE_BRIDGE);
	struct places places = {.count = 0};

	for (size_t i = 0; i < ARRAY_SIZE(scopes) * ARRAY_SIZE(slots); i++) {
		const struct scope *scope = scopes[i / ARRAY_SIZE(slots)];
		enum side slot = slots[i % ARRAY_SIZE(slots)];

		if ((i >= ARRAY_SIZE(slots) && option->traits & OPTION_OWN) ||
			(i % ARRAY_SIZE(slots) > 0 && one_slot) || !is_written(scope, option, slot))
			continue;
		places.list[places.count++] = scope->written[options_index(option)][slot];
		if (!(option->traits & OPTION_ADDED))
			break;
	}
	return places;
}

/* Make one list of those in @places, in new assignments. */
static struct assignment *
add_up(struct arena *arena, const struct places *places)
{
	struct assignment *first = NULL, **last = &first;

	for (size_t i = 0; i < places->count; i++) {
		for (const struct assignment *one = places->list[i]; one; one = one->again) {
			*last = arena_alloc(arena, 1, sizeof(**last));
			if (!*last)
				return first;
			**last = *one;
			(*last)->again = NULL;
			last = &(*last)->again;
		}
	}
	return first;
}

/* Pick one option of a service, on one side, whether or not it will have an effect. */
static void
pick(const struct building *building, const struct option *option, enum side side)
{
	struct diag why;

	if (effect_check_place(building->service, option, side, &why) < 0)
		return;

	struct places places = find_places(building, option, side);

	building->picks->picked[options_index(option)][side] =
		places.count > 1 ? add_up(&building->resolved->arena, &places) : places.list[0];
}

/* Store what was picked, or put it back if it has no effect. */
static void
build_option(const struct building *building, const struct option *option, enum side side)
{
	struct service_config *service = building->service;
	struct assignment **picked = &building->picks->picked[options_index(option)][side];
	struct diag why;

	if (effect_check(service, building->picks, option, side, &why) < 0) {
		*picked = NULL;
		return;
	}

	struct places places = find_places(building, option, side);

	for (size_t i = 0; i < places.count; i++)
		mark_used(places.list[i]);
	store(&building->resolved->arena, option, *picked,
		option->level == OPTION_OF_SIDE ? (void *)&service->tls[side] : (void *)service);
}

/* Do @step with every option of the service, on each side that it can have. */
static void
for_options(const struct building *building,
	void (*step)(const struct building *, const struct option *, enum side))
{
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		if (option->level == OPTION_OF_PROGRAM)
			continue;
		step(building, option, SIDE_ACCEPT);
		if (option->level == OPTION_OF_SIDE)
			step(building, option, SIDE_CONNECT);
	}
}

/* Parse the addresses of @list, those that are valid. */
static const struct address *
build_addresses(
	struct arena *arena, const struct assignment *list, bool listening, size_t *address_count)
{
	size_t count = 0;
	struct diag diag;

	for (const struct assignment *one = list; one; one = one->again)
		count++;

	struct address *addresses = arena_alloc(arena, count, sizeof(*addresses));

	for (*address_count = 0; addresses && list; list = list->again) {
		if (address_parse(
			    &addresses[*address_count], list->subject.value, listening, &diag) == 0)
			++*address_count;
	}
	return addresses;
}

/* Pair every certificate with its key, the first with the first; without keys each has its own. */
static void
build_identities(const struct building *building, enum side side)
{
	const struct assignment *cert = picks_get(building->picks, "cert", side);
	const struct assignment *key = picks_get(building->picks, "key", side);
	struct tls_config *tls = &building->service->tls[side];
	size_t room = 0;

	for (const struct assignment *one = cert; one; one = one->again)
		room++;

	struct identity_config *identities =
		arena_alloc(&building->resolved->arena, room, sizeof(*identities));

	for (; identities && cert; cert = cert->again) {
		if (option_is_word(cert->option, cert->text))
			continue;
		identities[tls->identity_count++] =
			(struct identity_config){cert->text, key ? key->text : cert->text};
		key = key ? key->again : NULL;
	}
	tls->identities = identities;
}

/* Take the word "default" out of @patterns. */
static void
take_default(struct arena *arena, struct texts *patterns, bool *is_default)
{
	const char **kept = arena_alloc(arena, patterns->count, sizeof(*kept));
	size_t count = 0;

	for (size_t i = 0; kept && i < patterns->count; i++) {
		if (patterns->list[i] && strcmp(patterns->list[i], "default") == 0) {
			*is_default = true;
		} else {
			kept[count++] = patterns->list[i];
		}
	}
	*patterns = (struct texts){kept, count};
}

/* Give the texts that have a meaning of their own their meaning. */
static void
finish_side(struct tls_config *tls, struct arena *arena)
{
	take_default(arena, &tls->sni, &tls->sni_is_default);
	tls->ca_is_system = tls->ca && strcmp(tls->ca, "system") == 0;
	if (tls->ca && (tls->ca_is_system || strcmp(tls->ca, "none") == 0))
		tls->ca = NULL;
	tls->peer_name_is_none = tls->peer_name && strcmp(tls->peer_name, "none") == 0;
	if (tls->peer_name_is_none)
		tls->peer_name = NULL;
	tls->server_name_is_none = tls->server_name && strcmp(tls->server_name, "none") == 0;
	if (tls->server_name_is_none)
		tls->server_name = NULL;
	if (tls->priority && !strcasestr(tls->priority, "%PROFILE_"))
		tls->priority = arena_format(arena, "%s:%%PROFILE_MEDIUM", tls->priority);
}

static void
build_service(const struct building *building)
{
	struct service_config *service = building->service;
	const struct picks *picks = building->picks;
	struct arena *arena = &building->resolved->arena;

	service->tls[SIDE_ACCEPT].used = service->mode != MODE_ENCRYPT;
	service->tls[SIDE_CONNECT].used = service->mode != MODE_OFFLOAD;
	for_options(building, pick);
	service->accept = build_addresses(
		arena, picks_get(picks, "accept", SIDE_ACCEPT), true, &service->accept_count);
	service->connect = build_addresses(
		arena, picks_get(picks, "connect", SIDE_ACCEPT), false, &service->connect_count);
	for_options(building, build_option);

	struct texts users = build_elements(arena, picks_get(picks, "socket-users", SIDE_ACCEPT));

	service->socket_users = users.list;
	service->socket_users_count = users.count;
	for (unsigned side = 0; side < SIDES; side++) {
		build_identities(building, (enum side)side);
		finish_side(&service->tls[side], arena);
	}
}

static void
build_program(struct resolved *resolved)
{
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		if (option->level != OPTION_OF_PROGRAM)
			continue;
		resolved->picked[i] = resolved->statements.program.written[i][SIDES];
		mark_used(resolved->picked[i]);
		store(&resolved->arena, option, resolved->picked[i], &resolved->config);
	}
}

/* Without a mode nothing else can be judged. */
static bool
has_mode(const struct scope *scope, struct complaints *complaints, enum mode *mode)
{
	enum side side;
	const struct option *option = options_find("mode", &side);
	const struct assignment *written = scope->written[options_index(option)][SIDES];

	if (!written) {
		struct subject subject = scope->subject;

		subject.option = option->name;
		complaints_add(complaints, &subject, "is missing; %s", option->missing);
		return false;
	}
	*mode = (enum mode)written->number;
	return written->is_valid;
}

void
resolved_build(struct resolved *resolved, struct complaints *complaints)
{
	size_t room = resolved->statements.service_count;
	struct building building = {.resolved = resolved};

	build_program(resolved);
	resolved->services = arena_alloc(&resolved->arena, room, sizeof(*resolved->services));
	resolved->picks = arena_alloc(&resolved->arena, room, sizeof(*resolved->picks));
	if (!resolved->services || !resolved->picks)
		return;
	resolved->config.services = resolved->services;
	for (const struct scope *scope = resolved->statements.services; scope;
		scope = scope->next) {
		size_t index = resolved->config.service_count;

		building.service = &resolved->services[index];
		building.picks = &resolved->picks[index];
		if (!has_mode(scope, complaints, &building.service->mode))
			continue;
		building.service->name = scope->subject.service;
		building.picks->scope = scope;
		build_service(&building);
		resolved->config.service_count++;
	}
}
