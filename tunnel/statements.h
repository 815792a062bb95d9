/* SPDX-License-Identifier: MIT */
/*
 * statements.h - what the texts of a configuration say: which option was given which value where.
 *
 * Every assignment stands in a scope, the program's or that of a service. Values are parsed, one by
 * one; what they mean together, and which of them count, is not known here.
 */
#ifndef TUNNEL_STATEMENTS_H
#define TUNNEL_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tunnel/complaint.h"
#include "tunnel/config.h"
#include "tunnel/options.h"

struct arena;

struct assignment {
	const struct option *option;
	enum side side; /* of the prefix it was written with; SIDES: none */
	struct subject subject;
	const char *text;	  /* the value; a path in it is complete */
	uint64_t number;	  /* what the schema makes of the value */
	bool is_valid;		  /* false: it was complained about */
	bool is_used;		  /* some service, or the program, takes its value from here */
	struct assignment *again; /* the next of an option that can be repeated */
};

struct scope {
	struct subject subject; /* where the section begins; the program: the first text */
	struct assignment *written[OPTIONS_LIMIT][SIDES + 1]; /* by option and prefix */
	struct scope *next;
};

struct statements {
	struct scope program;
	struct scope *services; /* in the order of the texts */
	size_t service_count;
	bool has_sections; /* be they good or not */
};

/*
 * Read @texts into the empty @statements, whose parts live in @arena. Everything that is wrong with one
 * line is added to @complaints.
 */
void statements_read(struct statements *statements, const struct config_texts *texts,
	struct arena *arena, struct complaints *complaints);

#endif
