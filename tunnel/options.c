/* SPDX-License-Identifier: MIT */
#include "tunnel/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/similar.h"
#include "tunnel/option_table.h"

size_t
options_count(void)
{
	return option_table_count;
}

const struct option *
options_get(size_t index)
{
	assert(index < option_table_count);
	return &option_table[index];
}

size_t
options_index(const struct option *option)
{
	return (size_t)(option - option_table);
}

static const struct option *
find_exactly(const char *name)
{
	for (size_t i = 0; i < option_table_count; i++) {
		if (strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	}
	return NULL;
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

	for (size_t i = 0; i < option_table_count; i++) {
		unsigned side = option_table[i].level == OPTION_OF_SIDE ? SIDE_ACCEPT : SIDES;

		for (; side <= SIDES; side++) {
			char candidate[SIMILAR_LIMIT];

			(void)snprintf(candidate, sizeof(candidate), "%s%s",
				option_prefix((enum side)side), option_table[i].name);

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
