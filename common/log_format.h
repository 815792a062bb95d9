/* SPDX-License-Identifier: MIT */
/*
 * log_format.h - the form of one line of the log, as bytes.
 *
 * The three formats of one line (the text format has neither quotes nor braces round the words):
 *
 *	2026-11-21T12:00:00.123Z info orders-db: tunnel ended peer=192.0.2.1:5555 sent=10
 *	time=2026-11-21T12:00:00.123Z level=info service=orders-db message="tunnel ended" peer=192.0.2.1:5555 sent=10
 *	{"time":"2026-11-21T12:00:00.123Z","level":"info","service":"orders-db","message":"tunnel ended","peer":"192.0.2.1:5555","sent":10}
 *
 * A field named "service" comes first, as above. Words and values are raw and escaped here. Bytes that
 * are not printable ASCII become \xNN, and in JSON \u00NN. Words of the text format that look like a
 * field (" peer=") get their "=" as \x3d. Words are cut after 1024 bytes and values after 512, both with
 * "..."; a field that does not fit is left out, and the line then ends in a field cut=1.
 */
#ifndef COMMON_LOG_FORMAT_H
#define COMMON_LOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct text;

/* Whole lines of every format, with words and service as long as they may be. */
enum { LOG_FORMAT_SIZE = 12 << 10 };

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* One field: a text if @text is not NULL, else the number. The key is a constant of ours. */
struct log_field {
	const char *key;
	const char *text;
	uint64_t number;
};

struct log_line {
	struct timespec time; /* CLOCK_REALTIME */
	enum log_level level;
	const char *words;
	const struct log_field *fields;
	size_t count;
	bool bare; /* the text format without the time, for a sink that adds its own */
};

/* Append @line and a newline to the empty @text, whose array has at least LOG_FORMAT_SIZE bytes. */
void log_format_line(const struct log_line *line, enum log_format format, struct text *text);

#endif
