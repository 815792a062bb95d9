/* SPDX-License-Identifier: MIT */
/*
 * option_table.h - the rows of the table of options, for options.c alone.
 */
#ifndef TUNNEL_OPTION_TABLE_H
#define TUNNEL_OPTION_TABLE_H

#include <stddef.h>

#include "tunnel/options.h"

/* Some of the rows. Within each, what others depend on comes first. */
struct option_table {
	const struct option *rows;
	size_t count;
};

/* In the order of the manual. */
extern const struct option_table option_table_program;
extern const struct option_table option_table_service;
extern const struct option_table option_table_identity;
extern const struct option_table option_table_peer;
extern const struct option_table option_table_session;

/* The names of enum mode, NULL behind the last. */
extern const char *const option_modes[];

#endif
