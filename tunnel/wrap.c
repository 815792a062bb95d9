/* SPDX-License-Identifier: MIT */
#include "tunnel/wrap.h"

#include <stdbool.h>
#include <string.h>

enum { WIDTH = 79 };

/* A line that is being filled. */
struct line {
	const char *margin;
	size_t column; /* 0: nothing is written yet */
	FILE *out;
};

/* Length of the word at @text: up to a blank, but a pair of marks and what is in it are one word. */
static size_t
word_length(const char *text)
{
	bool marked = false;
	size_t length = 0;

	for (; text[length] && (marked || text[length] != ' '); length++) {
		if (text[length] == '`')
			marked = !marked;
	}
	return length;
}

static void
end_line(struct line *line)
{
	if (line->column > 0)
		(void)fputc('\n', line->out);
	line->column = 0;
}

static void
add_word(struct line *line, const char *word, size_t length)
{
	if (line->column > 0 && line->column + 1 + length > WIDTH)
		end_line(line);
	if (line->column == 0) {
		line->column = (size_t)fprintf(line->out, "%s", line->margin);
	} else {
		line->column += (size_t)fprintf(line->out, " ");
	}
	for (size_t i = 0; i < length; i++)
		(void)fputc(word[i] == '`' ? '"' : word[i], line->out);
	line->column += length;
}

void
wrap_print(const char *text, const char *margin, FILE *out)
{
	struct line line = {.margin = margin, .out = out};

	while (*text) {
		size_t length = word_length(text);

		add_word(&line, text, length);
		text += length;
		text += strspn(text, " ");
	}
	end_line(&line);
}

/* Write "`literal`," as a macro line, its punctuation as further arguments. */
static void
add_literal(struct line *line, const char *word, size_t length)
{
	const char *close = memchr(word + 1, '`', length - 1);

	end_line(line);
	(void)fprintf(line->out, ".Ql %.*s", (int)(close - word - 1), word + 1);
	for (const char *c = close + 1; c < word + length; c++)
		(void)fprintf(line->out, " %c", *c);
	(void)fputc('\n', line->out);
}

static bool
ends_sentence(const char *word, size_t length)
{
	return length > 0 && (word[length - 1] == '.' || word[length - 1] == ':');
}

void
wrap_print_mdoc(const char *text, FILE *out)
{
	struct line line = {.margin = "", .out = out};

	while (*text) {
		size_t length = word_length(text);

		if (*text == '`') {
			add_literal(&line, text, length);
		} else {
			add_word(&line, text, length);
		}
		if (ends_sentence(text, length))
			end_line(&line);
		text += length;
		text += strspn(text, " ");
	}
	end_line(&line);
}
