/* SPDX-License-Identifier: MIT */
#include "tunnel/origin.h"

#include <getopt.h>
#include <stdio.h>

int
origin_from_arguments(struct origin *origin, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*origin = (struct origin){0};
	opterr = 0; /* the words are ours */
	while ((option = getopt_long(argc, argv, "c:", options, NULL)) == 'c')
		origin->path = optarg;
	if (option != -1) {
		(void)fprintf(stderr,
			"sallyport: \"%s\" is no option here, or lacks its value: write -c FILE\n",
			argv[optind - 1]);
		return -1;
	}
	if (optind < argc)
		(void)fprintf(stderr, "sallyport: unexpected argument \"%s\"\n", argv[optind]);
	else if (!origin->path)
		(void)fprintf(stderr, "sallyport: which file? Name it with -c FILE\n");
	return optind < argc || !origin->path ? -1 : 0;
}

struct origin
origin_from_flags(enum mode mode, int argc, char **argv)
{
	return (struct origin){.mode = mode, .flag_count = argc - 1, .flags = argv + 1};
}

int
origin_gather(const struct origin *origin, struct config_texts *texts, FILE *errors)
{
	if (origin->path)
		return config_gather(texts, origin->path, errors);
	return config_from_flags(texts, origin->mode, origin->flag_count, origin->flags, errors);
}
