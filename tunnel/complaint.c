/* SPDX-License-Identifier: MIT */
#include "tunnel/complaint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

enum { LINE_SIZE = 4096, WORDS_SIZE = 1200, VALUE_SHOWN = 1024, FIRST_ROOM = 16 };

/* So many are enough for anybody to begin with. */
enum { COMPLAINTS_LIMIT = 1000 };

struct complaint {
	size_t text;
	unsigned line;
	size_t order; /* keeps those of one line in the order of their coming */
	char *words;
};

static void
print_place(const struct subject *subject, struct text *text)
{
	const struct place *place = &subject->place;

	if (place->is_flags) {
		text_add(text, subject->option ? "--" : "command line: ");
		return;
	}
	text_add(text, place->file);
	if (place->line > 0)
		text_format(text, ":%u", place->line);
	text_add(text, ": ");
	if (subject->service)
		text_format(text, "service %s: ", subject->service);
}

void
subject_print(const struct subject *subject, struct text *text)
{
	print_place(subject, text);
	if (subject->option)
		text_format(text, "%s: ", subject->option);
	if (!subject->value)
		return;

	size_t length = strlen(subject->value);

	text_add_char(text, '"');
	text_escape(text, subject->value, length < VALUE_SHOWN ? length : VALUE_SHOWN);
	text_add(text, length < VALUE_SHOWN ? "\" " : "...\" ");
}

void
complaints_init(struct complaints *complaints, FILE *out)
{
	*complaints = (struct complaints){.out = out};
}

static bool
was_said(const struct complaints *complaints, const char *words)
{
	for (size_t i = 0; i < complaints->count; i++) {
		if (strcmp(complaints->entries[i].words, words) == 0)
			return true;
	}
	return false;
}

/* Make room for one more. */
static bool
make_room(struct complaints *complaints)
{
	size_t room = complaints->room > 0 ? complaints->room * 2 : FIRST_ROOM;

	if (complaints->count >= COMPLAINTS_LIMIT)
		return false;
	if (complaints->count < complaints->room)
		return true;

	struct complaint *entries = realloc(complaints->entries, room * sizeof(*entries));

	if (!entries)
		return false;
	complaints->entries = entries;
	complaints->room = room;
	return true;
}

void
complaints_add(
	struct complaints *complaints, const struct subject *subject, const char *format, ...)
{
	char line[LINE_SIZE], words[WORDS_SIZE];
	struct text text;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	text_init(&text, line, sizeof(line));
	subject_print(subject, &text);
	text_add(&text, words);
	if (was_said(complaints, line))
		return;

	char *copy = make_room(complaints) ? strdup(line) : NULL;

	if (!copy) {
		complaints->dropped++;
		return;
	}
	complaints->entries[complaints->count] = (struct complaint){
		.text = subject->place.number,
		.line = subject->place.line,
		.order = complaints->count,
		.words = copy,
	};
	complaints->count++;
}

static int
compare(const void *left, const void *right)
{
	const struct complaint *a = left, *b = right;

	if (a->text != b->text)
		return a->text < b->text ? -1 : 1;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

size_t
complaints_tell(struct complaints *complaints)
{
	size_t count = complaints->count, dropped = complaints->dropped;

	if (count > 0)
		qsort(complaints->entries, count, sizeof(*complaints->entries), compare);
	for (size_t i = 0; i < count; i++) {
		(void)fprintf(complaints->out, "%s\n", complaints->entries[i].words);
		free(complaints->entries[i].words);
	}
	if (dropped > 0)
		(void)fprintf(complaints->out, "%zu more errors are not shown\n", dropped);
	free(complaints->entries);
	complaints_init(complaints, complaints->out);
	return count + dropped;
}
