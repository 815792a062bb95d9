/* SPDX-License-Identifier: MIT */
/*
 * option_row.h - the words that the rows of the table of options are written with.
 */
#ifndef TUNNEL_OPTION_ROW_H
#define TUNNEL_OPTION_ROW_H

#include "tunnel/option_table.h"
#include "tunnel/option_values.h"

#define MILLISECONDS(n) (n)
#define SECONDS(n)	((uint64_t)(n)*1000)
#define MINUTES(n)	((uint64_t)(n)*60 * 1000)
#define HOURS(n)	((uint64_t)(n)*3600 * 1000)
#define DAYS(n)		((uint64_t)(n)*24 * 3600 * 1000)
#define MEBIBYTES(n)	((uint64_t)(n) << 20)
#define TEBIBYTES(n)	((uint64_t)(n) << 40)

#define MODES_PLAIN (1 << MODE_ENCRYPT | 1 << MODE_OFFLOAD)
#define MODES_ALL   (MODES_PLAIN | 1 << MODE_BRIDGE)
#define SIDES_ALL   (1 << SIDE_ACCEPT | 1 << SIDE_CONNECT)

#define OF_PROGRAM(f) .level = OPTION_OF_PROGRAM, .offset = offsetof(struct config, f)
#define OF_SERVICE(f) .level = OPTION_OF_SERVICE, .offset = offsetof(struct service_config, f)
#define OF_SIDE(f)    .level = OPTION_OF_SIDE, .offset = offsetof(struct tls_config, f)

#define TEXT                        \
	{                           \
		.kind = SCHEMA_TEXT \
	}
#define LIST                        \
	{                           \
		.kind = SCHEMA_LIST \
	}
#define WORD(w)                                   \
	{                                         \
		.kind = SCHEMA_WORD, .words = (w) \
	}
#define BOOLEAN WORD(schema_boolean)
#define DURATION(from, to)                                                  \
	{                                                                   \
		.kind = SCHEMA_DURATION, .minimum = (from), .maximum = (to) \
	}
#define DURATION_OR_OFF(from, to)                                                          \
	{                                                                                  \
		.kind = SCHEMA_DURATION, .zero = "off", .minimum = (from), .maximum = (to) \
	}

#define TABLE(t)                                    \
	{                                           \
		.rows = (t), .count = ARRAY_SIZE(t) \
	}

#endif
