/* SPDX-License-Identifier: MIT */
/*
 * complaint.h - errors of a configuration, each with its place, told all at once in their order.
 *
 *	FILE:LINE: service NAME: OPTION: "VALUE" what is wrong; the remedy
 *	--OPTION: "VALUE" what is wrong; the remedy
 */
#ifndef TUNNEL_COMPLAINT_H
#define TUNNEL_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/defs.h"

struct text;

/* Where in which text. */
struct place {
	const char *file;
	size_t number; /* of the text among all texts: they are told in this order */
	unsigned line; /* 0: none */
	bool is_flags; /* a command line, which has no lines */
};

/* What is complained about. */
struct subject {
	struct place place;
	const char *service; /* NULL: none */
	const char *option;  /* NULL: none */
	const char *value;   /* NULL: none */
};

struct complaint;

/* All complaints about one configuration. */
struct complaints {
	struct complaint *entries;
	size_t count, room;
	size_t dropped; /* when there were too many */
	FILE *out;
};

/* Write @subject in the form above, up to the blank in front of what is wrong. */
void subject_print(const struct subject *subject, struct text *text);

/* Begin without complaints. Borrows @out until complaints_tell(). */
void complaints_init(struct complaints *complaints, FILE *out);

/* Add what is wrong with @subject, unless the very same was said before. */
void complaints_add(struct complaints *complaints, const struct subject *subject,
	const char *format, ...) PRINTF_LIKE(3, 4);

/* Write all complaints in the order of their places, and forget them. Returns how many there were. */
MUST_USE size_t complaints_tell(struct complaints *complaints);

#endif
