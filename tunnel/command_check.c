/* SPDX-License-Identifier: MIT */
#include "tunnel/command_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/diag.h"
#include "tunnel/command.h"
#include "tunnel/config.h"
#include "tunnel/draft.h"
#include "tunnel/expiry.h"
#include "tunnel/service.h"
#include "tunnel/origin.h"

/* Make every service, as serve will, and let it go again. */
static int
try_services(const struct draft *draft)
{
	size_t count = draft->config->service_count;
	struct service **services = calloc(count, sizeof(struct service *));
	int result = -1;

	if (!services)
		(void)fprintf(stderr, "out of memory\n");
	else
		result = services_new(
			draft->config, &draft->generation.files, NULL, services, stderr);
	for (size_t i = 0; result == 0 && i < count; i++)
		service_unref(services[i]);
	free(services);
	return result;
}

static void
print_line(void *user, const char *words)
{
	(void)fprintf(user, "%s\n", words);
}

static void
print_dates(const struct draft *draft, FILE *out)
{
	struct expiry expiry = {0};
	struct diag diag;

	if (expiry_set(&expiry, draft->config, &draft->generation.files, &diag) < 0)
		print_line(out, diag.text);
	expiry_tell(&expiry, time(NULL), print_line, out);
	expiry_release(&expiry);
}

int
command_check(int argc, char **argv)
{
	struct origin origin;
	struct draft draft = {0};

	if (origin_from_arguments(&origin, argc, argv) < 0)
		return EXIT_USAGE;
	if (draft_read(&draft, &origin, stderr) < 0)
		return EXIT_FAILED;
	config_print_warnings(draft.config, stderr);
	print_dates(&draft, stderr);

	int result = try_services(&draft);
	size_t count = draft.config->service_count;
	draft_release(&draft);
	if (result < 0)
		return EXIT_FAILED;
	(void)printf("configuration is good: %zu service%s\n", count, count == 1 ? "" : "s");
	return command_finish(EXIT_ENDED);
}
