/* SPDX-License-Identifier: MIT */
#include "tunnel/supervisor_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel/config.h"

/* Before it was ready, the operator looks at the terminal, wherever the log goes. */
void
supervisor_tell(struct supervisor *supervisor, enum log_level level, const char *words)
{
	log_write(level, "%s", words);
	if (level == LOG_LEVEL_ERROR && !supervisor->was_ready && supervisor->log.elsewhere)
		(void)fprintf(stderr, "%s\n", words);
}

/* A line of the log for each line of @words, which is changed. */
void
supervisor_tell_lines(struct supervisor *supervisor, enum log_level level, char *words)
{
	char *rest = NULL;

	for (char *line = strtok_r(words, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		supervisor_tell(supervisor, level, line);
}

void
supervisor_tell_warnings(struct supervisor *supervisor, const struct config *config)
{
	char *words = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&words, &length);

	if (!stream)
		return;
	config_print_warnings(config, stream);
	if (fclose(stream) == 0)
		supervisor_tell_lines(supervisor, LOG_LEVEL_WARNING, words);
	free(words);
}
