/* SPDX-License-Identifier: MIT */
/*
 * log.h - lines for the operator, from any thread, that never make that thread wait.
 *
 * A line has a level, words, and fields. It is formatted by the caller's thread, put on a bounded
 * queue, and written by the log's own thread to the sink's descriptor; when the queue is full the
 * line is dropped, counted, and the count reported as soon as there is room. Before log_start() and
 * after log_stop() lines are written at once. This is the program's only mutable global state.
 *
 * The formats are those of log_format.h. Values and words are escaped there: callers pass them raw, and
 * nothing that a peer sent can end a line or forge a field.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/log_format.h"

struct diag;

/* What the sink's descriptor takes. */
enum log_sink {
	LOG_SINK_LINES,	 /* bytes: stderr, or a file opened for appending */
	LOG_SINK_SYSLOG, /* datagrams of RFC 3164, as /dev/log takes them */
};

struct log_settings {
	enum log_level level; /* what is less urgent is not even formatted */
	enum log_format format;
	enum log_sink sink;
	int fd; /* borrowed until replaced by another log_configure() that has returned */
};

/*
 * Set level, format and sink. Lines that were queued for the old descriptor are written to it first; if it
 * takes nothing for 2 seconds, they are lost, and counted.
 */
void log_configure(const struct log_settings *settings);

/* Open /dev/log for LOG_SINK_SYSLOG. Returns a descriptor that the caller owns, or -1 with words. */
MUST_USE int log_open_syslog(struct diag *diag);

/* Start the log's thread. Returns 0, or -1 with words; lines are then written at once. */
MUST_USE int log_start(struct diag *diag);

/* Write what is queued, with the same patience, and end the thread. */
void log_stop(void);

/* Would a line of @level be written? For callers whose fields are costly to make. */
bool log_is_on(enum log_level level);

/* Write a line with words only. */
void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* Write a line of @words with @count fields. */
void log_fields(
	enum log_level level, const char *words, const struct log_field *fields, size_t count);

#endif
