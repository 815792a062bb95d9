/* SPDX-License-Identifier: MIT */
#include "bench/options.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_LISTEN,
	OPTION_DIRECTION,
	OPTION_NUMBER,
	OPTION_SIZE,
	OPTION_SECONDS,
};

struct option {
	const char *name;
	const char *value; /* what the help calls it; NULL for a flag */
	enum option_kind kind;
	int commands; /* where it has an effect */
	size_t offset;
	const char *help;
};

struct command {
	enum load_command command;
	const char *name;
	const char *help;
};

enum {
	HELD = LOAD_MESSAGE | LOAD_HOLD,
	EXCHANGES = LOAD_CONNECT | LOAD_RATE | LOAD_PINGPONG | HELD,
	TIMED = EXCHANGES | LOAD_BULK,
	CLIENTS = TIMED | LOAD_HASH,
	LISTENERS = LOAD_SERVE | LOAD_RELAY,
};

static const struct command commands[] = {
	{LOAD_SERVE, "serve", "the plaintext backend: echo, sink and source, as a connection asks"},
	{LOAD_BULK, "bulk", "as many bytes as go through, each of them checked"},
	{LOAD_CONNECT, "connect", "connect, a message there and back, close; then the next"},
	{LOAD_RATE, "rate", "the same, but arrivals come at a rate of their own (Poisson)"},
	{LOAD_PINGPONG, "pingpong", "a message there and back, then the next"},
	{LOAD_MESSAGE, "message", "held connections, a message each at fixed intervals"},
	{LOAD_HOLD, "hold", "held connections that say nothing in between"},
	{LOAD_HASH, "hash", "a file or random bytes there and back; SHA-256 of both"},
	{LOAD_RELAY, "relay", "a tunnel without TLS, to compare with: plaintext to plaintext"},
};

#define FIELD(name) offsetof(struct options, name)

static const struct option table[] = {
	{"--listen", "ADDR", OPTION_LISTEN, LISTENERS, 0,
		"HOST:PORT, HOST:0 or unix:PATH; repeats, but not of a relay"},
	{"--connect", "ADDR", OPTION_TEXT, CLIENTS | LOAD_RELAY, FIELD(target), "where it goes"},
	{"--threads", "N", OPTION_NUMBER, LOAD_RELAY, FIELD(threads), "that relay (default: 1)"},
	{"--direction", "up|down|both", OPTION_DIRECTION, LOAD_BULK, FIELD(direction),
		"to a sink, from a source, through an echo (default: both)"},
	{"--connections", "N", OPTION_NUMBER, TIMED, FIELD(connections),
		"at the same time (default: 1; rate: at most 4096)"},
	{"--bytes", "SIZE", OPTION_SIZE, LOAD_BULK | LOAD_HASH, FIELD(bytes),
		"of a connection, such as 256M (bulk: instead of --seconds)"},
	{"--seconds", "S", OPTION_SECONDS, TIMED, FIELD(seconds), "how long (default: 5)"},
	{"--size", "SIZE", OPTION_SIZE, EXCHANGES, FIELD(size), "of a message (default: 64)"},
	{"--rate", "R", OPTION_SECONDS, LOAD_RATE, FIELD(rate), "arrivals a second (default: 100)"},
	{"--interval", "S", OPTION_SECONDS, LOAD_MESSAGE, FIELD(interval),
		"between two messages of a connection (default: 1)"},
	{"--count", "N", OPTION_NUMBER, LOAD_CONNECT | LOAD_RATE | LOAD_PINGPONG, FIELD(count),
		"connections or exchanges in all, instead of --seconds"},
	{"--file", "FILE", OPTION_TEXT, LOAD_HASH, FIELD(file), "to send, instead of --bytes"},
	{"--timeout", "S", OPTION_SECONDS, CLIENTS, FIELD(timeout),
		"without any progress is an error (default: 10)"},
	{"--max-errors", "N", OPTION_NUMBER, TIMED, FIELD(errors), "then give up (default: 1000)"},
	{"--json", NULL, OPTION_FLAG, CLIENTS, FIELD(json), "print the result as JSON"},
};

static int
parse_scaled(uint64_t *number, const char *text, const char *suffixes, struct diag *diag)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	const char *suffix = *end ? strchr(suffixes, *end) : NULL;
	unsigned shift = suffix ? 10U * (unsigned)(suffix - suffixes + 1) : 0;
	if (text[0] < '0' || text[0] > '9' || errno || (suffix ? end[1] : *end) || value == 0 ||
		value > UINT64_MAX >> 1 >> shift) {
		return diag_set(diag, "\"%s\" is not a number above 0%s", text,
			*suffixes ? ", or with K, M or G behind it" : "");
	}
	*number = (uint64_t)value << shift;
	return 0;
}

static int
parse_real(double *number, const char *text, struct diag *diag)
{
	char *end;

	*number = strtod(text, &end);
	if (end == text || *end || !isfinite(*number) || *number <= 0 || *number > 1e9)
		return diag_set(diag, "\"%s\" is not a number above 0", text);
	return 0;
}

static int
parse_direction(enum direction *direction, const char *text, struct diag *diag)
{
	static const char *const names[] = {"up", "down", "both"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*direction = (enum direction)i;
			return 0;
		}
	}
	return diag_set(diag, "\"%s\" is none of up, down, both", text);
}

static int
add_listen(struct options *options, const char *text, struct diag *diag)
{
	if (options->listen_count == ARRAY_SIZE(options->listens))
		return diag_set(diag, "at most %zu addresses", ARRAY_SIZE(options->listens));
	options->listens[options->listen_count++] = text;
	return 0;
}

static int
set_option(
	struct options *options, const struct option *option, const char *text, struct diag *diag)
{
	void *field = (char *)options + option->offset;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)field = text;
		return 0;
	case OPTION_LISTEN:
		return add_listen(options, text, diag);
	case OPTION_DIRECTION:
		return parse_direction(field, text, diag);
	case OPTION_NUMBER:
		return parse_scaled(field, text, "", diag);
	case OPTION_SIZE:
		return parse_scaled(field, text, "KMG", diag);
	case OPTION_SECONDS:
		return parse_real(field, text, diag);
	}
	return 0;
}

/* The option that @argument names, with "=value" behind it or not. */
static const struct option *
find_option(const char *argument, int command)
{
	size_t length = strcspn(argument, "=");

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if ((table[i].commands & command) && strlen(table[i].name) == length &&
			strncmp(table[i].name, argument, length) == 0)
			return &table[i];
	}
	return NULL;
}

/* Parse the option at argv[0]. Returns how many arguments it took, or -1. */
static int
parse_one(struct options *options, char **argv, struct diag *diag)
{
	const struct option *option = find_option(argv[0], (int)options->command);
	const char *value = strchr(argv[0], '=');
	int used = 1;

	if (!option) {
		return diag_set(diag, "%s has no option \"%s\"",
			options_command_name(options->command), argv[0]);
	}
	if (value) {
		value++;
	} else if (option->value) {
		value = argv[used++];
	}
	if (!option->value != !value) {
		return diag_set(diag, "%s %s", option->name,
			option->value ? "needs a value" : "takes no value");
	}
	if (set_option(options, option, value ? value : "", diag) < 0)
		return diag_prefix(diag, "%s", option->name);
	return used;
}

static int
check(struct options *options, struct diag *diag)
{
	if (options->command & LISTENERS && options->listen_count == 0) {
		return diag_set(
			diag, "%s needs --listen ADDR", options_command_name(options->command));
	}
	if (options->command == LOAD_RELAY && options->listen_count > 1)
		return diag_set(diag, "relay takes one --listen ADDR");
	if (options->command != LOAD_SERVE && !options->target) {
		return diag_set(
			diag, "%s needs --connect ADDR", options_command_name(options->command));
	}
	if (options->command == LOAD_HASH && !options->bytes == !options->file)
		return diag_set(diag, "hash needs either --bytes SIZE or --file FILE");
	if ((options->bytes || options->count) && options->seconds > 0)
		return diag_set(diag, "--seconds has no effect beside --bytes or --count");
	if (options->connections > 1000000)
		return diag_set(diag, "--connections: at most 1000000");
	if (options->seconds <= 0)
		options->seconds = 5;
	if (options->threads == 0)
		options->threads = 1;
	if (options->connections == 0)
		options->connections = options->command == LOAD_RATE ? 4096 : 1;
	return 0;
}

const char *
options_command_name(enum load_command command)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].command == command)
			return commands[i].name;
	}
	return "load";
}

int
options_parse(struct options *options, int argc, char **argv, struct diag *diag)
{
	*options = (struct options){.direction = DIRECTION_BOTH,
		.size = 64,
		.errors = 1000,
		.rate = 100,
		.interval = 1,
		.timeout = 10};
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			options->command = commands[i].command;
	}
	if (!options->command)
		return diag_set(diag, "a command is wanted first; see load --help");
	for (int i = 2; i < argc;) {
		int used = parse_one(options, argv + i, diag);
		if (used < 0)
			return -1;
		i += used;
	}
	return check(options, diag);
}

void
options_help(FILE *out)
{
	(void)fprintf(out, "usage: load COMMAND --option value ...\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	(void)fprintf(out, "\nOptions:\n");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		(void)fprintf(out, "  %s%s%s\n             %s (", table[i].name,
			table[i].value ? " " : "", table[i].value ? table[i].value : "",
			table[i].help);
		const char *between = "";
		for (size_t c = 0; c < ARRAY_SIZE(commands); c++) {
			if (!(table[i].commands & (int)commands[c].command))
				continue;
			(void)fprintf(out, "%s%s", between, commands[c].name);
			between = ", ";
		}
		(void)fprintf(out, ")\n");
	}
	(void)fprintf(out, "\nExit: 0 when every byte came back right, 1 on any error.\n");
}
