/* SPDX-License-Identifier: MIT */
/* What the table of options says, as mdoc source for sallyport.conf(5). */
#include "tunnel/config.h"

#include <string.h>

#include "common/text.h"
#include "tunnel/options.h"
#include "tunnel/wrap.h"

enum { FACTS_SIZE = 1024, DEFAULT_SHORT = 60 };

static void
describe_type(const struct option *option, struct text *text)
{
	if (option->schema.kind == SCHEMA_TEXT)
		return;
	text_add(text, "The value is ");
	schema_describe(&option->schema, text);
	text_add(text, ". ");
}

static void
describe_default(const struct option *option, struct text *text)
{
	if (option->traits & OPTION_REQUIRED) {
		text_add(text,
			option->level == OPTION_OF_SIDE ? "Else it is required. "
							: "It is required. ");
	} else if (!option->initial) {
		text_format(text, "Default: %s. ", option->otherwise);
	} else if (strlen(option->initial) <= DEFAULT_SHORT) {
		text_format(text, "Default: `%s`. ", option->initial);
	}
}

static void
describe_modes(const struct option *option, struct text *text)
{
	unsigned all = 1U << MODE_ENCRYPT | 1U << MODE_OFFLOAD | 1U << MODE_BRIDGE;
	unsigned left = option->modes;

	if (option->level == OPTION_OF_PROGRAM || option->modes == all)
		return;
	text_add(text, "Only for ");
	for (unsigned mode = 0; mode <= MODE_BRIDGE; mode++) {
		if (!(left & 1U << mode))
			continue;
		left &= ~(1U << mode);
		text_format(text, "`%s`%s", mode_name((enum mode)mode), left ? " and " : ". ");
	}
}

static void
describe_prefix(const struct option *option, struct text *text)
{
	unsigned both = 1U << SIDE_ACCEPT | 1U << SIDE_CONNECT;

	if (option->level != OPTION_OF_SIDE)
		return;
	if (option->traits & OPTION_PREFIXED) {
		text_format(text, "A bridge has `accept-%s` and `connect-%s` instead. ",
			option->name, option->name);
	} else if (option->sides == both) {
		text_format(text, "A bridge may have `accept-%s` and `connect-%s`. ", option->name,
			option->name);
	} else {
		text_format(text, "It may be written `%s%s`. ",
			option_prefix(
				option->sides & 1U << SIDE_ACCEPT ? SIDE_ACCEPT : SIDE_CONNECT),
			option->name);
	}
}

static void
describe_rest(const struct option *option, struct text *text)
{
	static const char *const reloads[] = {
		[RELOAD_NEW_TUNNELS] = "A reload changes it for new tunnels.",
		[RELOAD_AT_ONCE] = "A reload changes it at once.",
		[RELOAD_RESTART] = "It changes only by a restart.",
	};

	if (option->traits & OPTION_REPEATED)
		text_add(text, "It may be written several times. ");
	if (option->traits & OPTION_ADDED)
		text_add(text, "What is inherited counts too. ");
	if (option->traits & OPTION_OWN)
		text_add(text, "It is never inherited. ");
	text_add(text, reloads[option->reload]);
}

/* A default that is too long for a line; a colon is a good place to break it. */
static void
print_long_default(const char *value, FILE *out)
{
	(void)fputs(".Pp\nThe default, in one line:\n.Bd -literal -offset indent\n", out);
	while (*value) {
		size_t length = 0, next;

		do {
			next = length + strcspn(value + length, ":");
			next += value[next] == ':';
			if (length > 0 && next > DEFAULT_SHORT)
				break;
			length = next;
		} while (value[length]);
		(void)fprintf(out, "%.*s\n", (int)length, value);
		value += length;
	}
	(void)fputs(".Ed\n", out);
}

static void
print_row(const struct option *option, FILE *out)
{
	char array[FACTS_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	describe_type(option, &text);
	describe_default(option, &text);
	describe_modes(option, &text);
	describe_prefix(option, &text);
	describe_rest(option, &text);
	(void)fprintf(out, ".It Ic %s No = Ar %s\n", option->name, option->value);
	wrap_print_mdoc(option->text, out);
	(void)fputs(".Pp\n", out);
	wrap_print_mdoc(array, out);
	if (option->initial && strlen(option->initial) > DEFAULT_SHORT)
		print_long_default(option->initial, out);
}

void
config_print_manual(FILE *out)
{
	static const char *const titles[] = {
		[OPTION_OF_PROGRAM] = "Options of the program",
		[OPTION_OF_SERVICE] = "Options of a service",
		[OPTION_OF_SIDE] = "Options of TLS",
	};

	for (unsigned level = OPTION_OF_PROGRAM; level <= OPTION_OF_SIDE; level++) {
		(void)fprintf(out, ".Ss %s\n.Bl -tag -width Ds\n", titles[level]);
		for (size_t i = 0; i < options_count(); i++) {
			if (options_get(i)->level == level)
				print_row(options_get(i), out);
		}
		(void)fputs(".El\n", out);
	}
}
