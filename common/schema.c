/* SPDX-License-Identifier: MIT */
#include "common/schema.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"

enum { WORDS_SIZE = 256, PERMISSIONS = 0777 };

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{"ms", 1},
	{"s", 1000},
	{"m", 60000},
	{"h", 3600000},
	{"d", 86400000},
};

static const struct unit sizes[] = {
	{"B", 1},
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
};

static const struct unit plain[] = {
	{"", 1},
};

const char *const schema_boolean[] = {"no", "yes", NULL};

/* The units of a kind of number, smallest first. */
static const struct unit *
units(enum schema_kind kind, size_t *count)
{
	switch (kind) {
	case SCHEMA_DURATION:
		*count = ARRAY_SIZE(durations);
		return durations;
	case SCHEMA_SIZE:
		*count = ARRAY_SIZE(sizes);
		return sizes;
	default:
		*count = ARRAY_SIZE(plain);
		return plain;
	}
}

/* Read digits of @base, up to one that is none. -1 if there are none or too many. */
static int
read_digits(const char **cursor, unsigned base, uint64_t *number)
{
	const char *start = *cursor;

	for (*number = 0; **cursor >= '0' && **cursor < (char)('0' + (int)base); (*cursor)++) {
		unsigned digit = (unsigned)(**cursor - '0');

		if (*number > (UINT64_MAX - digit) / base)
			return -1;
		*number = *number * base + digit;
	}
	return *cursor == start ? -1 : 0;
}

/* Say what is wrong and what would be right. */
static int
refuse(const struct schema *schema, const char *wrong, struct diag *diag)
{
	char array[WORDS_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	schema_describe(schema, &text);
	return diag_set(diag, "%s; write %s", wrong, array);
}

static int
parse_word(const struct schema *schema, const char *value, uint64_t *number, struct diag *diag)
{
	for (size_t i = 0; schema->words[i]; i++) {
		if (strcmp(schema->words[i], value) == 0) {
			*number = i;
			return 0;
		}
	}
	return refuse(schema, "is not known here", diag);
}

static int
parse_mode(const struct schema *schema, const char *value, uint64_t *number, struct diag *diag)
{
	if (read_digits(&value, 8, number) < 0 || *value != '\0' || *number > PERMISSIONS)
		return refuse(schema, "is not a file mode", diag);
	return 0;
}

static int
parse_list(const struct schema *schema, const char *value, struct diag *diag)
{
	size_t length;

	while (schema_next(&value, &length)) {
		if (length == 0)
			return refuse(schema, "has an empty element", diag);
	}
	return 0;
}

/* Find the factor of the unit that @name is. 0 when there is no such unit. */
static uint64_t
unit_factor(enum schema_kind kind, const char *name)
{
	size_t count;
	const struct unit *unit = units(kind, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(unit[i].name, name) == 0)
			return unit[i].factor;
	}
	return 0;
}

static int
parse_number(const struct schema *schema, const char *value, uint64_t *number, struct diag *diag)
{
	const char *cursor = value;
	uint64_t count;

	if (schema->zero && strcmp(schema->zero, value) == 0) {
		*number = 0;
		return 0;
	}
	if (read_digits(&cursor, 10, &count) < 0)
		return refuse(schema, "is not a number that can be used", diag);

	uint64_t factor = unit_factor(schema->kind, cursor);

	if (factor == 0 && *cursor == '\0')
		return refuse(schema, "has no unit", diag);
	if (factor == 0)
		return refuse(schema, "does not end in a known unit", diag);
	if (count > UINT64_MAX / factor || count * factor < schema->minimum ||
		count * factor > schema->maximum)
		return refuse(schema, "is out of bounds", diag);
	*number = count * factor;
	return 0;
}

int
schema_parse(const struct schema *schema, const char *value, uint64_t *number, struct diag *diag)
{
	switch (schema->kind) {
	case SCHEMA_TEXT:
		return 0;
	case SCHEMA_LIST:
		return parse_list(schema, value, diag);
	case SCHEMA_WORD:
		return parse_word(schema, value, number, diag);
	case SCHEMA_MODE:
		return parse_mode(schema, value, number, diag);
	default:
		return parse_number(schema, value, number, diag);
	}
}

/* Write @number with the largest unit that divides it. */
static void
print_number(enum schema_kind kind, uint64_t number, struct text *text)
{
	size_t count;
	const struct unit *unit = units(kind, &count);

	while (count > 1 && (number == 0 || number % unit[count - 1].factor != 0))
		count--;
	text_format(text, "%" PRIu64 "%s", number / unit[count - 1].factor, unit[count - 1].name);
}

static void
describe_words(const char *const *words, struct text *text)
{
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			text_add(text, words[i + 1] ? ", " : " or ");
		text_add(text, words[i]);
	}
}

static void
describe_number(const struct schema *schema, struct text *text)
{
	static const char *const names[] = {
		[SCHEMA_NUMBER] = "a number",
		[SCHEMA_DURATION] = "a duration",
		[SCHEMA_SIZE] = "a size",
	};

	text_format(text, "%s from ", names[schema->kind]);
	print_number(schema->kind, schema->minimum, text);
	text_add(text, " to ");
	print_number(schema->kind, schema->maximum, text);
	if (schema->zero)
		text_format(text, ", or %s", schema->zero);
}

void
schema_describe(const struct schema *schema, struct text *text)
{
	switch (schema->kind) {
	case SCHEMA_TEXT:
		text_add(text, "a text");
		break;
	case SCHEMA_LIST:
		text_add(text, "one or more, separated by commas");
		break;
	case SCHEMA_WORD:
		describe_words(schema->words, text);
		break;
	case SCHEMA_MODE:
		text_add(text, "a file mode in octal, such as 0660");
		break;
	default:
		describe_number(schema, text);
	}
}

const char *
schema_next(const char **cursor, size_t *length)
{
	const char *start = *cursor;

	if (!start)
		return NULL;

	const char *end = start + strcspn(start, ",");

	*cursor = *end ? end + 1 : NULL;
	start += strspn(start, " \t");
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*length = end > start ? (size_t)(end - start) : 0;
	return start;
}
