/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
text_init(struct text *text, char *array, size_t size)
{
	assert(size > 0);
	*text = (struct text){.start = array, .size = size};
	array[0] = '\0';
}

void
text_add_char(struct text *text, char c)
{
	if (text->length + 1 >= text->size) {
		text->cut = true;
		return;
	}
	text->start[text->length++] = c;
	text->start[text->length] = '\0';
}

void
text_add(struct text *text, const char *string)
{
	while (*string && !text->cut)
		text_add_char(text, *string++);
}

void
text_format(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list args;

	va_start(args, format);
	int wanted = vsnprintf(text->start + text->length, room, format, args);
	va_end(args);
	if (wanted < 0)
		return;
	text->cut = text->cut || (size_t)wanted >= room;
	text->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

void
text_escape(struct text *text, const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < length && !text->cut; i++) {
		if (byte[i] < ' ' || byte[i] > '~') {
			text_format(text, "\\x%02x", byte[i]);
			continue;
		}
		if (byte[i] == '"' || byte[i] == '\\')
			text_add_char(text, '\\');
		text_add_char(text, (char)byte[i]);
	}
}
