/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/resolving.h"

#include <stdlib.h>
#include <string.h>

struct resolving resolving;

/* Read @text, and only count what is complained about. */
static void
read_text(const struct config_text *text)
{
	struct config_text entry = *text;
	const struct config_texts texts = {.entries = &entry, .count = 1};
	struct complaints unkept;
	FILE *nowhere = fopen("/dev/null", "w");

	assert_non_null(nowhere);
	complaints_init(&unkept, nowhere);
	statements_read(&resolving.resolved.statements, &texts, &resolving.resolved.arena, &unkept);
	resolving.mistakes = complaints_tell(&unkept);
	assert_int_equal(fclose(nowhere), 0);
}

static void
stop(void)
{
	if (resolving.out) {
		(void)resolving_tell();
		assert_int_equal(fclose(resolving.out), 0);
	}
	free(resolving.told);
	arena_release(&resolving.resolved.arena);
	memset(&resolving, 0, sizeof(resolving));
}

void
resolving_start(const char *name, const char *text)
{
	struct config_text entry = {
		.name = strdup(name ? name : "command/line"),
		.data = strdup(text),
		.size = strlen(text),
		.from_flags = !name,
	};

	stop();
	resolving.out = open_memstream(&resolving.told, &resolving.size);
	assert_non_null(resolving.out);
	complaints_init(&resolving.complaints, resolving.out);
	read_text(&entry);
	free(entry.name);
	free(entry.data);
	resolved_build(&resolving.resolved, &resolving.complaints);
}

const char *
resolving_tell(void)
{
	size_t count = complaints_tell(&resolving.complaints);

	assert_int_equal(fflush(resolving.out), 0);
	assert_true(count == 0 || resolving.size > 0);
	return resolving.told;
}

int
resolving_teardown(void **state)
{
	(void)state;
	stop();
	return 0;
}
