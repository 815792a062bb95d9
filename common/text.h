/* SPDX-License-Identifier: MIT */
/*
 * text.h - write text into an array of fixed size, never past its end.
 *
 * What does not fit is cut and @cut says so; the array is a C string at every moment.
 *
 *	char line[80];
 *	struct text text;
 *	text_init(&text, line, sizeof(line));
 *	text_add(&text, "peer ");
 *	text_escape(&text, name, name_length);
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"

struct text {
	char *start;
	size_t length; /* without the NUL */
	size_t size;   /* of the array */
	bool cut;
};

/* Start an empty text in @array of @size bytes, at least one. Borrows @array as long as @text is used. */
void text_init(struct text *text, char *array, size_t size);

/* Append a C string. */
void text_add(struct text *text, const char *string);

/* Append one character. */
void text_add_char(struct text *text, char c);

/* Append what printf would print. */
void text_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Append @length bytes that a peer chose: printable ASCII as it is but '"' and '\\' with a backslash,
 * everything else as \xNN. So they can neither end a line, nor forge a field, nor drive a terminal.
 */
void text_escape(struct text *text, const void *bytes, size_t length);

#endif
