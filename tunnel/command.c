/* SPDX-License-Identifier: MIT */
#include "tunnel/command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int
command_finish(int code)
{
	bool is_bad = fflush(stdout) != 0 || ferror(stdout);

	if (!is_bad)
		return code;
	(void)fprintf(stderr, "sallyport: standard output: %s\n", strerror(errno));
	return code == EXIT_ENDED ? EXIT_FAILED : code;
}
