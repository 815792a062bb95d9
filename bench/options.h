/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of the load generator.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/serve.h"
#include "common/defs.h"

struct diag;

/* The sub-commands, one bit each, so that a row of the table can say where an option has an effect. */
enum load_command {
	LOAD_SERVE = 1 << 0,
	LOAD_BULK = 1 << 1,
	LOAD_CONNECT = 1 << 2,
	LOAD_RATE = 1 << 3,
	LOAD_PINGPONG = 1 << 4,
	LOAD_MESSAGE = 1 << 5,
	LOAD_HOLD = 1 << 6,
	LOAD_HASH = 1 << 7,
	LOAD_RELAY = 1 << 8,
};

enum direction { DIRECTION_UP, DIRECTION_DOWN, DIRECTION_BOTH };

struct options {
	enum load_command command;
	const char *listens[SERVE_ADDRESSES];
	size_t listen_count;
	const char *target;
	const char *file;
	enum direction direction;
	bool json;
	uint64_t connections;
	uint64_t threads;
	uint64_t bytes;	 /* per connection; 0: go by time */
	uint64_t size;	 /* of a message */
	uint64_t count;	 /* connections or exchanges in all; 0: go by time */
	uint64_t errors; /* give up after so many */
	double seconds;	 /* how long */
	double rate;	 /* arrivals a second */
	double interval; /* seconds between two messages of a connection */
	double timeout;	 /* seconds without any progress */
};

/* The name of @command, as it is written on the command line. */
const char *options_command_name(enum load_command command);

/*
 * Parse @argv, which @options borrows. Returns 0, or -1 with words for what is unknown, malformed or
 * missing, or has no effect with that command.
 */
MUST_USE int options_parse(struct options *options, int argc, char **argv, struct diag *diag);

/* Print what can be said on the command line. */
void options_help(FILE *out);

#endif
