/* SPDX-License-Identifier: MIT */
/*
 * command_help.h - `sallyport --help`: what there is, on standard output.
 */
#ifndef TUNNEL_COMMAND_HELP_H
#define TUNNEL_COMMAND_HELP_H

#include <stdio.h>

struct command;

/* Print all about the @commands, ended by one without a name, with the options of the service modes. */
int command_help(const struct command *commands);

/* Print in a few lines to @out how the program is called. */
void command_help_usage(const struct command *commands, FILE *out);

#endif
