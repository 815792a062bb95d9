/* SPDX-License-Identifier: MIT */
#include "common/inifile.h"

#include <assert.h>
#include <ctype.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * A value is handed to inih in pieces that fit its buffer, each as "name=" and GUARD and bytes, with
 * blanks disguised: so inih sees neither a comment nor blanks to strip. All three are control
 * characters, which no line may hold.
 */
enum { SPACE_DISGUISED = '\001', TAB_DISGUISED = '\002', GUARD = '\003' };

struct reader {
	const char *data, *end; /* what is not read yet */
	unsigned line;
	char name[INIFILE_NAME_LIMIT + 1];
	const char *rest, *rest_end; /* of the value, not handed to inih yet */
	char value[INIFILE_LINE_LIMIT + 1];
	size_t length; /* of what inih gave back of the value */
	const struct inifile_handler *handler;
	void *user;
};

/* A piece of the text: not NUL-terminated. */
struct piece {
	const char *start, *end;
};

static void
complain(struct reader *reader, const char *words)
{
	reader->handler->error(reader->user, reader->line, words);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct piece
strip(struct piece piece)
{
	while (piece.start < piece.end && is_blank(*piece.start))
		piece.start++;
	while (piece.start < piece.end && is_blank(piece.end[-1]))
		piece.end--;
	return piece;
}

/* Take the next line off the text, without its end and without the mark that some editors begin with. */
static struct piece
take_line(struct reader *reader)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct piece piece = {.start = reader->data};
	const char *newline = memchr(reader->data, '\n', (size_t)(reader->end - reader->data));

	piece.end = newline ? newline : reader->end;
	reader->data = newline ? newline + 1 : reader->end;
	reader->line++;
	if (reader->line == 1 && piece.end - piece.start >= 3 &&
		memcmp(piece.start, byte_order_mark, 3) == 0)
		piece.start += 3;
	if (piece.end > piece.start && piece.end[-1] == '\r')
		piece.end--;
	return piece;
}

static bool
is_clean(struct reader *reader, struct piece piece)
{
	if (piece.end - piece.start > INIFILE_LINE_LIMIT) {
		complain(reader, "the line is longer than 8192 bytes; shorten it");
		return false;
	}
	for (const char *c = piece.start; c < piece.end; c++) {
		if ((*c >= '\0' && *c < ' ' && *c != '\t') || *c == '\177') {
			complain(reader, "the line holds a control character; remove it");
			return false;
		}
	}
	return true;
}

/* Copy the name out of a section's line. False, with the error told, if it is none. */
static bool
copy_section(struct reader *reader, struct piece piece, char *name)
{
	const char *close = memchr(piece.start, ']', (size_t)(piece.end - piece.start));

	if (!close) {
		complain(reader, "the section's name is not ended; write ']' behind it");
		return false;
	}
	if (close + 1 != piece.end) {
		complain(reader, "there is text behind ']'; move it to a line of its own");
		return false;
	}

	size_t length = (size_t)(close - piece.start) - 1;

	memcpy(name, piece.start + 1, length);
	name[length] = '\0';
	return true;
}

static void
take_section(struct reader *reader, struct piece piece)
{
	char name[INIFILE_LINE_LIMIT + 1];
	bool is_good = copy_section(reader, piece, name);

	reader->handler->section(reader->user, reader->line, is_good ? name : NULL);
}

static bool
copy_name(struct reader *reader, struct piece name)
{
	if (name.start == name.end) {
		complain(reader, "there is no name in front of '='; write option = value");
		return false;
	}
	if (name.end - name.start > INIFILE_NAME_LIMIT) {
		complain(reader,
			"the option's name is too long; no option has more than 64 letters");
		return false;
	}
	for (const char *c = name.start; c < name.end; c++) {
		if (!isgraph((unsigned char)*c) || *c == ':' || *c == '"') {
			complain(reader,
				"the line does not begin with a name and '='; write option = "
				"value");
			return false;
		}
	}
	memcpy(reader->name, name.start, (size_t)(name.end - name.start));
	reader->name[name.end - name.start] = '\0';
	return true;
}

/* Make an assignment ready for inih. False, with the error told, if the line is none. */
static bool
take_assignment(struct reader *reader, struct piece piece)
{
	const char *sign = memchr(piece.start, '=', (size_t)(piece.end - piece.start));

	if (!sign) {
		complain(reader,
			"the line has no '='; write option = value, or '#' before a comment");
		return false;
	}
	if (!copy_name(reader, strip((struct piece){piece.start, sign})))
		return false;

	struct piece value = strip((struct piece){sign + 1, piece.end});

	if (value.start == value.end) {
		complain(reader, "there is no value behind '='; write one, or remove the line");
		return false;
	}
	reader->rest = value.start;
	reader->rest_end = value.end;
	reader->length = 0;
	return true;
}

/* Read on until there is an assignment. False at the end of the text. */
static bool
find_assignment(struct reader *reader)
{
	while (reader->data < reader->end) {
		struct piece piece = take_line(reader);

		if (!is_clean(reader, piece))
			continue;
		piece = strip(piece);
		if (piece.start == piece.end || *piece.start == '#' || *piece.start == ';')
			continue;
		if (*piece.start == '[') {
			take_section(reader, piece);
		} else if (take_assignment(reader, piece)) {
			return true;
		}
	}
	return false;
}

static char
disguise(char c)
{
	if (c == ' ')
		return SPACE_DISGUISED;
	return c == '\t' ? TAB_DISGUISED : c;
}

static char
reveal(char c)
{
	if (c == SPACE_DISGUISED)
		return ' ';
	return c == TAB_DISGUISED ? '\t' : c;
}

/* inih's reader: fill @line of @size bytes with the next piece of a value. */
static char *
on_read(char *line, int size, void *stream)
{
	struct reader *reader = stream;

	if (reader->rest == reader->rest_end && !find_assignment(reader))
		return NULL;

	int used = snprintf(line, (size_t)size, "%s=%c", reader->name, GUARD);

	assert(used > 0 && used + 3 < size);
	while (reader->rest < reader->rest_end && used + 3 < size)
		line[used++] = disguise(*reader->rest++);
	line[used++] = '\n';
	line[used] = '\0';
	return line;
}

/* inih's handler: join the pieces. */
static int
on_value(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;

	(void)section;
	assert(*value == GUARD);
	for (value++; *value; value++) {
		assert(reader->length < INIFILE_LINE_LIMIT);
		reader->value[reader->length++] = reveal(*value);
	}
	reader->value[reader->length] = '\0';
	if (reader->rest == reader->rest_end)
		reader->handler->assignment(reader->user, reader->line, name, reader->value);
	return 1;
}

void
inifile_parse(const char *data, size_t size, const struct inifile_handler *handler, void *user)
{
	struct reader reader = {.data = data, .end = data + size, .handler = handler, .user = user};

	if (ini_parse_stream(on_read, &reader, on_value, &reader) != 0)
		complain(&reader, "inih stopped reading here: there is not enough memory");
}
