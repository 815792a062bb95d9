/* SPDX-License-Identifier: MIT */
#include "tunnel/command_print.h"

#include <stdio.h>

#include "tunnel/command.h"
#include "tunnel/config.h"
#include "tunnel/origin.h"

int
command_print_config(int argc, char **argv)
{
	struct config_texts texts = {0};
	struct config *config = NULL;
	struct origin origin;

	if (origin_from_arguments(&origin, argc, argv) < 0)
		return EXIT_USAGE;
	if (origin_gather(&origin, &texts, stderr) == 0)
		config = config_new(&texts, stderr);
	config_texts_release(&texts);
	if (!config)
		return EXIT_FAILED;
	config_print(config, stdout);
	config_unref(config);
	return command_finish(EXIT_ENDED);
}

int
command_print_manual(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	config_print_manual(stdout);
	return command_finish(EXIT_ENDED);
}

int
command_print_sample(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	config_print_sample(stdout);
	return command_finish(EXIT_ENDED);
}
