/* SPDX-License-Identifier: MIT */
#include "tunnel/command_help.h"

#include "tunnel/command.h"
#include "tunnel/config.h"

void
command_help_usage(const struct command *commands, FILE *out)
{
	(void)fprintf(out, "usage:\n");
	for (const struct command *command = commands; command->name; command++) {
		if (command->synopsis) {
			(void)fprintf(out, "  sallyport %s%s%s\n", command->name,
				*command->synopsis ? " " : "", command->synopsis);
		}
	}
	(void)fprintf(out, "  sallyport --help | --version\n");
}

int
command_help(const struct command *commands)
{
	(void)printf("sallyport - a TLS tunnel: either door of it, or both\n\n");
	command_help_usage(commands, stdout);
	(void)printf("\ncommands:\n");
	for (const struct command *command = commands; command->name; command++)
		if (command->synopsis)
			(void)printf("  %-13s %s\n", command->name, command->summary);
	(void)printf("\nA file as well as the modes on the command line take these options:\n\n");
	config_print_help(stdout);
	(void)printf(
		"\nexit status: %d ended as asked, %d a failure (in words on standard error) or "
		"tunnels that\nwere aborted at the end, %d wrong usage\n"
		"signals: TERM, INT drain (a second one aborts), HUP reloads, USR1 reopens the "
		"log\n"
		"see also: sallyport(8), sallyport.conf(5), sallyport-pki(1)\n",
		EXIT_ENDED, EXIT_FAILED, EXIT_USAGE);
	return command_finish(EXIT_ENDED);
}
