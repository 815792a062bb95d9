/* SPDX-License-Identifier: MIT */
#include "tunnel/resolved.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/diag.h"
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

/* Relative paths start at the directory of the file, on the command line at the working directory. */
static const char *
complete_path(struct arena *arena, const struct assignment *assignment)
{
	const char *path = assignment->subject.value;
	const char *file = assignment->subject.place.file;
	const char *slash = strrchr(file, '/');

	if (assignment->subject.place.is_flags || path[0] == '/' || !slash)
		return path;
	return arena_format(arena, "%.*s%s", (int)(slash + 1 - file), file, path);
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
	case FIELD_NONE:
		break;
	}
}

/* Store the picked value, or the default, in the field of @option in the struct at @base. */
static void
store(struct arena *arena, const struct option *option, const struct assignment *picked, void *base)
{
	void *field = (char *)base + option->offset;
	const char *value = picked ? picked->subject.value : option->initial;
	uint64_t number = 0;
	struct diag diag;

	if (option->field == FIELD_NONE || !value || (picked && !picked->is_valid))
		return;
	if (option->field != FIELD_TEXT) {
		int result = option_parse(option, value, &number, &diag);

		assert(result == 0);
		store_number(option, number, field);
		return;
	}
	if (picked && option->traits & OPTION_PATH && !option_is_word(option, value))
		value = complete_path(arena, picked);
	*(const char **)field = value;
}

static void
mark_used(struct assignment *assignment)
{
	for (; assignment; assignment = assignment->again)
		assignment->is_used = true;
}

/*
 * Pick in the order of resolved.h. Options that are paired are taken from the first level that has
 * either: a key never comes from elsewhere than its certificate.
 */
static struct assignment *
pick(const struct building *building, const struct option *option, enum side side)
{
	const struct scope *scopes[] = {
		building->picks->scope, &building->resolved->statements.program};
	bool own_only = option->traits & OPTION_OWN;
	bool prefix_only =
		option->traits & OPTION_PREFIXED && building->service->mode == MODE_BRIDGE;

	for (size_t i = 0; i < ARRAY_SIZE(scopes) && !(own_only && i > 0); i++) {
		for (unsigned level = 0; level < 2; level++) {
			enum side slot = level == 0 ? side : SIDES;
			size_t row = options_index(option);

			if (level == 1 && prefix_only)
				continue;
			if (scopes[i]->written[row][slot])
				return scopes[i]->written[row][slot];
		}
	}
	return NULL;
}

/* The same for a paired option; @partner is the other of the pair. */
static struct assignment *
pick_paired(const struct building *building, const struct option *option,
	const struct option *partner, enum side side)
{
	const struct scope *scopes[] = {
		building->picks->scope, &building->resolved->statements.program};
	size_t row = options_index(option), other = options_index(partner);

	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		for (unsigned level = 0; level < 2; level++) {
			enum side slot = level == 0 ? side : SIDES;

			if (scopes[i]->written[row][slot] || scopes[i]->written[other][slot])
				return scopes[i]->written[row][slot];
		}
	}
	return NULL;
}

static const struct option *
partner_of(const struct option *option)
{
	enum side side;

	return options_find(strcmp(option->name, "cert") == 0 ? "key" : "cert", &side);
}

/* Pick and store one option of a service, on one side. */
static void
build_option(const struct building *building, const struct option *option, enum side side)
{
	struct service_config *service = building->service;
	bool of_side = option->level == OPTION_OF_SIDE;
	struct assignment *picked;
	struct diag why;

	if (effect_check(service, building->picks, option, side, &why) < 0)
		return;
	if (option->traits & OPTION_PAIRED) {
		picked = pick_paired(building, option, partner_of(option), side);
	} else {
		picked = pick(building, option, of_side ? side : SIDES);
	}
	mark_used(picked);
	building->picks->picked[options_index(option)][side] = picked;
	store(&building->resolved->arena, option, picked,
		of_side ? (void *)&service->tls[side] : (void *)service);
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

/* Collect the elements of every list in @list. */
static void
build_users(struct arena *arena, const struct assignment *list, struct service_config *service)
{
	size_t room = 0, length;

	for (const struct assignment *one = list; one; one = one->again)
		room += strlen(one->subject.value);

	const char **users = arena_alloc(arena, room, sizeof(*users));

	for (; users && list; list = list->again) {
		const char *cursor = list->subject.value;

		for (const char *user; (user = schema_next(&cursor, &length));) {
			users[service->socket_users_count++] =
				arena_format(arena, "%.*s", (int)length, user);
		}
	}
	service->socket_users = users;
}

/* Give the texts that have a meaning of their own their meaning. */
static void
finish_side(struct tls_config *tls, struct arena *arena)
{
	if (tls->cert && !tls->key)
		tls->key = tls->cert;
	if (tls->cert && strcmp(tls->cert, "none") == 0)
		tls->cert = tls->key = NULL;
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
	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);

		if (option->level == OPTION_OF_PROGRAM)
			continue;
		build_option(building, option, SIDE_ACCEPT);
		if (option->level == OPTION_OF_SIDE)
			build_option(building, option, SIDE_CONNECT);
		if (strcmp(option->name, "accept") == 0) {
			service->accept =
				build_addresses(arena, picks_get(picks, "accept", SIDE_ACCEPT),
					true, &service->accept_count);
		}
	}
	service->connect = build_addresses(
		arena, picks_get(picks, "connect", SIDE_ACCEPT), false, &service->connect_count);
	build_users(arena, picks_get(picks, "socket-users", SIDE_ACCEPT), service);
	finish_side(&service->tls[SIDE_ACCEPT], arena);
	finish_side(&service->tls[SIDE_CONNECT], arena);
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
