/* SPDX-License-Identifier: MIT */
/*
 * pki_arguments.h - what the command line of a `sallyport pki` sub-command asks for.
 *
 * One row of a table makes an option's parser and its line of `--help`; an option may stand before or
 * behind the operands, as `--option value` or `--option=value`, and "--" ends them.
 */
#ifndef TUNNEL_PKI_ARGUMENTS_H
#define TUNNEL_PKI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/defs.h"
#include "tunnel/pki_name.h"
#include "tunnel/pki_pair.h"

struct diag;

enum {
	PKI_ARGUMENTS_NAMES = 64,
	PKI_ARGUMENTS_OPERANDS = 2,
	PKI_ARGUMENTS_DAYS = 36500,
};

/* The sub-commands, as bits, since they share options. */
enum pki_arguments_for {
	PKI_FOR_INIT = 1,
	PKI_FOR_ISSUE = 2,
	PKI_FOR_SHOW = 4,
	PKI_FOR_REVOKE = 8, /* its last operand may be left out */
	PKI_FOR_SELF = 16,
	PKI_FOR_TICKET_KEY = 32,
};

/* What was asked for; pointers are NULL and numbers 0 where an option was not given. Borrows argv. */
struct pki_arguments {
	const char *operands[PKI_ARGUMENTS_OPERANDS];
	bool help;
	const char *name;
	unsigned days;
	enum pki_pair_type key_type;
	struct pki_name names[PKI_ARGUMENTS_NAMES];
	size_t name_count;
	const char *ca, *cert, *key, *server_name, *peer_name;
};

/*
 * Parse @argv, of which argv[0] is the sub-command, into @arguments: @operands operands, unless
 * --help is among the options. Returns 0, or -1 with words.
 */
MUST_USE int pki_arguments_parse(struct pki_arguments *arguments, enum pki_arguments_for command,
	size_t operands, char **argv, struct diag *diag);

/* Write a line or two for each option of @command. */
void pki_arguments_print_help(enum pki_arguments_for command, FILE *out);

#endif
