/* SPDX-License-Identifier: MIT */
/*
 * origin.h - where the configuration comes from, as the command line says: a file, or flags.
 */
#ifndef TUNNEL_ORIGIN_H
#define TUNNEL_ORIGIN_H

#include <stdio.h>

#include "common/defs.h"
#include "tunnel/config.h"

struct origin {
	const char *path; /* the main file; NULL: the flags */
	enum mode mode;
	int flag_count;
	char **flags;
};

/*
 * Understand the arguments behind the command argv[0]: `-c FILE` or `--config FILE`. Borrows @argv as
 * long as @origin is used. Returns 0, or -1 after words on standard error: wrong usage.
 */
MUST_USE int origin_from_arguments(struct origin *origin, int argc, char **argv);

/* The flags behind argv[0] make one service of @mode. Borrows @argv as above. */
struct origin origin_from_flags(enum mode mode, int argc, char **argv);

/* Gather the texts, each time anew. Errors as config_gather(). */
MUST_USE int origin_gather(const struct origin *origin, struct config_texts *texts, FILE *errors);

#endif
