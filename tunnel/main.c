/* SPDX-License-Identifier: MIT */
/*
 * main.c - the program's entry: which sub-command is meant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/defs.h"
#include "tunnel/command.h"
#include "tunnel/command_check.h"
#include "tunnel/command_help.h"
#include "tunnel/command_pki.h"
#include "tunnel/command_print.h"
#include "tunnel/command_run.h"
#include "tunnel/command_version.h"

static int help(int argc, char **argv);

static const struct command commands[] = {
	{"run", command_run, "-c FILE", "run the services of a configuration file"},
	{"check", command_check, "-c FILE", "say what is wrong with it, and bind nothing"},
	{"print-config", command_print_config, "-c FILE", "every option's value and its origin"},
	{"encrypt", command_encrypt, "--OPTION VALUE ...",
		"run one service: plaintext in, TLS out"},
	{"offload", command_offload, "--OPTION VALUE ...",
		"run one service: TLS in, plaintext out"},
	{"bridge", command_bridge, "--OPTION VALUE ...", "run one service: TLS in, TLS out"},
	{"pki", command_pki, "init|issue|show ...", "make a CA and certificates, look at them"},
	{"version", command_version, "", "the program's and its libraries' versions"},
	{"help", help, "", "this text"},
	{"serve", command_serve, NULL, NULL},
	{"keys", command_keys, NULL, NULL},
	{"print-manual", command_print_manual, NULL, NULL},
	{"print-sample", command_print_sample, NULL, NULL},
	{NULL, NULL, NULL, NULL},
};

/* What can be said with a dash as well; arguments that begin so and are none of these mean "run". */
static const struct {
	const char *flag, *name;
} synonyms[] = {
	{"--help", "help"},
	{"-h", "help"},
	{"--version", "version"},
	{"-V", "version"},
};

static int
help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return command_help(commands);
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++)
		if (strcmp(synonyms[i].flag, name) == 0)
			name = synonyms[i].name;
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

int
main(int argc, char **argv)
{
	/* GnuTLS would write the keys of all sessions there. */
	(void)unsetenv("SSLKEYLOGFILE");

	if (argc < 2) {
		command_help_usage(commands, stderr);
		return EXIT_USAGE;
	}
	const struct command *command = find(argv[1]);
	if (command && command->run != command_pki && argc > 2 && strcmp(argv[2], "--help") == 0)
		return help(argc, argv);
	if (command)
		return command->run(argc - 1, argv + 1);
	if (argv[1][0] == '-')
		return command_run(argc, argv);
	(void)fprintf(stderr, "sallyport: unknown command \"%s\"\n", argv[1]);
	command_help_usage(commands, stderr);
	return EXIT_USAGE;
}
