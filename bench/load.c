/* SPDX-License-Identifier: MIT */
/*
 * load.c - the load generator and its backend: one program, a sub-command each.
 */
#include <stdio.h>
#include <string.h>

#include "bench/hash.h"
#include "bench/modes.h"
#include "bench/options.h"
#include "bench/relay.h"
#include "bench/result.h"
#include "bench/run.h"
#include "bench/serve.h"
#include "common/diag.h"

static const struct mode *
mode_of(enum load_command command)
{
	switch (command) {
	case LOAD_BULK:
		return &bulk_mode;
	case LOAD_CONNECT:
		return &connect_mode;
	case LOAD_RATE:
		return &rate_mode;
	case LOAD_PINGPONG:
		return &pingpong_mode;
	case LOAD_MESSAGE:
		return &message_mode;
	case LOAD_HOLD:
		return &hold_mode;
	case LOAD_SERVE:
	case LOAD_HASH:
	case LOAD_RELAY:
		break;
	}
	return NULL;
}

static int
run_client(const struct options *options, struct diag *diag)
{
	static struct result result;
	int answer = options->command == LOAD_HASH
		? hash_run(options, &result, diag)
		: run_load(options, mode_of(options->command), &result, diag);

	if (answer < 0)
		return -1;
	result_print(&result, options);
	return result_errors(&result) ? 1 : 0;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct diag diag;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		options_help(stdout);
		return 0;
	}
	int answer = options_parse(&options, argc, argv, &diag);
	if (answer == 0 && options.command == LOAD_SERVE) {
		answer = serve_run(options.listens, options.listen_count, &diag);
	} else if (answer == 0 && options.command == LOAD_RELAY) {
		answer = relay_run(
			options.listens[0], options.target, (unsigned)options.threads, &diag);
	} else if (answer == 0) {
		answer = run_client(&options, &diag);
	}
	if (answer < 0)
		(void)fprintf(stderr, "load: %s\n", diag.text);
	return answer ? 1 : 0;
}
