/* SPDX-License-Identifier: MIT */
/*
 * log.h - lines for the operator, from any thread, that never make that thread wait.
 *
 * A line has a level, words, and fields. It is formatted by the caller's thread, put on a bounded
 * queue, and written by the log's own thread to the sink's descriptor; when the queue is full the
 * line is dropped, counted, and the count reported as soon as there is room. Before log_start() and
 * after log_stop() lines are written at once. This is the program's only mutable global state.
 *
 * The three formats of one line (the text format has neither quotes nor braces round the words):
 *
 *	2026-11-21T12:00:00.123Z info orders-db: tunnel ended peer=192.0.2.1:5555 sent=10
 *	time=2026-11-21T12:00:00.123Z level=info service=orders-db message="tunnel ended" peer=192.0.2.1:5555 sent=10
 *	{"time":"2026-11-21T12:00:00.123Z","level":"info","service":"orders-db","message":"tunnel ended","peer":"192.0.2.1:5555","sent":10}
 *
 * A field named "service" comes first, as above. Values and words are escaped for the format here:
 * callers pass them raw, and nothing that a peer sent can end a line or forge a field.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* What the sink's descriptor takes. */
enum log_sink {
	LOG_SINK_LINES,  /* bytes: stderr, or a file opened for appending */
	LOG_SINK_SYSLOG, /* datagrams of RFC 3164, as /dev/log takes them */
};

struct log_settings {
	enum log_level level; /* what is less urgent is not even formatted */
	enum log_format format;
	enum log_sink sink;
	int fd; /* borrowed until replaced by another log_configure() that has returned */
};

/* One field: a text if @text is not NULL, else the number. */
struct log_field {
	const char *key;
	const char *text;
	uint64_t number;
};

/* Set level, format and sink. Lines that were queued for the old descriptor are written to it first. */
void log_configure(const struct log_settings *settings);

/* Open /dev/log for LOG_SINK_SYSLOG. Returns a descriptor that the caller owns, or -1 with words. */
MUST_USE int log_open_syslog(struct diag *diag);

/* Start the log's thread. Returns 0, or -1 with words; lines are then written at once. */
MUST_USE int log_start(struct diag *diag);

/* Write what is queued, and end the thread. */
void log_stop(void);

/* Would a line of @level be written? For callers whose fields are costly to make. */
bool log_is_on(enum log_level level);

/* Write a line with words only. */
void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* Write a line of @words with @count fields. */
void log_fields(enum log_level level, const char *words, const struct log_field *fields, size_t count);

#endif
