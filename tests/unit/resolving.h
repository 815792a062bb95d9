/* SPDX-License-Identifier: MIT */
/*
 * resolving.h - a text of a configuration picked and stored, for tests of what is then said about it.
 */
#ifndef TESTS_UNIT_RESOLVING_H
#define TESTS_UNIT_RESOLVING_H

#include "tunnel/resolved.h"

struct resolving {
	struct resolved resolved;
	struct complaints complaints; /* since the statements were read */
	size_t mistakes;	      /* in single lines, which are not told */
	FILE *out;
	char *told;
	size_t size;
};

/*
 * Read @text, that of a file called @name, or of command line flags if @name is NULL, and build what it
 * says. The caller frees everything with resolving_stop().
 */
void resolving_start(struct resolving *resolving, const char *name, const char *text);

/* What was complained about. Borrows the result until resolving_stop(). */
const char *resolving_tell(struct resolving *resolving);

/* Free everything; a @resolving that is all zero too. */
void resolving_stop(struct resolving *resolving);

#endif
