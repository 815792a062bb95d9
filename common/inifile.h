/* SPDX-License-Identifier: MIT */
/*
 * inifile.h - the lines of an INI text, each with its exact number.
 *
 * inih finds names and values; what it would cut, join or drop without a word (long lines, long
 * section names, indented lines, text behind " ;", repeated sections) is taken care of in front of it,
 * so that nothing depends on how a distribution built it. Comments are whole lines that begin with '#'
 * or ';', '=' is the only separator, a value is all the rest of its line without the blanks round it.
 */
#ifndef COMMON_INIFILE_H
#define COMMON_INIFILE_H

#include <stddef.h>

enum {
	INIFILE_LINE_LIMIT = 8192, /* bytes of a line without its end */
	INIFILE_NAME_LIMIT = 64,   /* bytes of a name left of '=' */
};

/*
 * Called in the order of the lines. Strings are valid during the call. A section's name is NULL when its
 * line was not understood, which error() was told before: what follows is in no known section.
 */
struct inifile_handler {
	void (*section)(void *user, unsigned line, const char *name);
	void (*assignment)(void *user, unsigned line, const char *name, const char *value);
	void (*error)(void *user, unsigned line, const char *words);
};

/*
 * Give every line of @data, @size bytes, to one function of @handler with @user. A line that is not
 * understood goes to error() with words and a remedy, and the next line is read.
 */
void inifile_parse(
	const char *data, size_t size, const struct inifile_handler *handler, void *user);

#endif
