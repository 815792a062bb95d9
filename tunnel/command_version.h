/* SPDX-License-Identifier: MIT */
/*
 * command_version.h - `sallyport --version`: the program, its libraries as they are at run time, and
 * what they can do.
 */
#ifndef TUNNEL_COMMAND_VERSION_H
#define TUNNEL_COMMAND_VERSION_H

#include <stdio.h>

struct text;

int command_version(int argc, char **argv);

/* Write the program and its libraries as one line, for the log. */
void command_version_line(struct text *text);

#endif
