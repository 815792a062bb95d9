/* SPDX-License-Identifier: MIT */
/*
 * option_table.h - the rows of the table of options, for options.c alone.
 */
#ifndef TUNNEL_OPTION_TABLE_H
#define TUNNEL_OPTION_TABLE_H

#include <stddef.h>

#include "tunnel/options.h"

/* In the order of the manual. */
extern const struct option option_table[];
extern const size_t option_table_count;

/* The names of enum mode, NULL behind the last. */
extern const char *const option_modes[];

#endif
