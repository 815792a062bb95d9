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

/* The one there is. */
extern struct resolving resolving;

/*
 * Read @text, that of a file called @name, or of command line flags if @name is NULL, and build what it
 * says, in the place of what was there.
 */
void resolving_start(const char *name, const char *text);

/* What was complained about. Borrows the result until the next start or the end of the test. */
const char *resolving_tell(void);

/* Free everything, for cmocka. */
int resolving_teardown(void **state);

#endif
