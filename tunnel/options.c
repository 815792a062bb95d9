/* SPDX-License-Identifier: MIT */
#include "tunnel/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/similar.h"
#include "tunnel/option_table.h"

static const struct option_table *const tables[] = {
	&option_table_program,
	&option_table_service,
	&option_table_identity,
	&option_table_peer,
	&option_table_session,
};

size_t
options_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		count += tables[i]->count;
	assert(count <= OPTIONS_LIMIT);
	return count;
}

const struct option *
options_get(size_t index)
{
	size_t table = 0;

	for (; index >= tables[table]->count; table++) {
		index -= tables[table]->count;
		assert(table + 1 < ARRAY_SIZE(tables));
	}
	return &tables[table]->rows[index];
}

static bool
has_row(const struct option_table *table, const struct option *option)
{
	return option >= table->rows && option < table->rows + table->count;
}

size_t
options_index(const struct option *option)
{
	size_t before = 0, table = 0;

	for (; !has_row(tables[table], option); table++) {
		before += tables[table]->count;
		assert(table + 1 < ARRAY_SIZE(tables));
	}
	return before + (size_t)(option - tables[table]->rows);
}

static const struct option *
find_in(const struct option_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *row = table->rows[i].name;

		/* A thousand services ask for a quarter of a million names. */
		if (row[0] == name[0] && strcmp(row, name) == 0)
			return &table->rows[i];
	}
	return NULL;
}

static const struct option *
find_exactly(const char *name)
{
	const struct option *option = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && !option; i++)
		option = find_in(tables[i], name);
	return option;
}

const char *
option_prefix(enum side side)
{
	static const char *const prefixes[] = {"accept-", "connect-", ""};

	return prefixes[side];
}

const struct option *
options_find(const char *name, enum side *side)
{
	const struct option *option = find_exactly(name);

	*side = SIDES;
	if (option)
		return option;
	for (unsigned i = 0; i < SIDES; i++) {
		size_t length = strlen(option_prefix((enum side)i));

		if (strncmp(name, option_prefix((enum side)i), length) != 0)
			continue;
		option = find_exactly(name + length);
		*side = (enum side)i;
		return option && option->level == OPTION_OF_SIDE ? option : NULL;
	}
	return NULL;
}

bool
options_suggest(const char *name, char *array, size_t size)
{
	size_t best = SIMILAR_LIMIT;

	for (size_t i = 0; i < options_count(); i++) {
		const struct option *option = options_get(i);
		unsigned side = option->level == OPTION_OF_SIDE ? SIDE_ACCEPT : SIDES;

		for (; side <= SIDES; side++) {
			char candidate[SIMILAR_LIMIT];

			(void)snprintf(candidate, sizeof(candidate), "%s%s",
				option_prefix((enum side)side), option->name);

			size_t distance = similar_distance(name, candidate);

			if (distance >= best)
				continue;
			best = distance;
			(void)snprintf(array, size, "%s", candidate);
		}
	}
	return similar_is_near(name, best);
}

bool
option_is_word(const struct option *option, const char *value)
{
	for (size_t i = 0; option->words && option->words[i]; i++) {
		if (strcmp(option->words[i], value) == 0)
			return true;
	}
	return false;
}

bool
option_is_path(const struct option *option, const char *value)
{
	if (option->traits & OPTION_TOKEN && option_is_token(value))
		return false;
	return option->traits & OPTION_PATH && !option_is_word(option, value);
}

bool
option_is_token(const char *value)
{
	return strncmp(value, "pkcs11:", 7) == 0;
}

int
option_parse(const struct option *option, const char *value, uint64_t *number, struct diag *diag)
{
	if (option_is_word(option, value))
		return 0;
	if (option->check && option->check(value, diag) < 0)
		return -1;
	return schema_parse(&option->schema, value, number, diag);
}

const char *
mode_name(enum mode mode)
{
	return option_modes[mode];
}
