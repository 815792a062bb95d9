/* SPDX-License-Identifier: MIT */
#include "tunnel/command_run.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "common/diag.h"
#include "common/log.h"
#include "tunnel/child.h"
#include "tunnel/command.h"
#include "tunnel/environment.h"
#include "tunnel/origin.h"
#include "tunnel/server.h"
#include "tunnel/supervisor.h"

enum {
	TRIM_THRESHOLD = 64 << 20,
	MMAP_THRESHOLD = 4 << 20,
};

static int
run(const struct origin *origin)
{
	environment_clean();
	return supervisor_run(origin) ? EXIT_ENDED : EXIT_FAILED;
}

/* Flags that are not understood are wrong usage; what they mean together is judged as a file is. */
static int
run_flags(enum mode mode, int argc, char **argv)
{
	struct origin origin = origin_from_flags(mode, argc, argv);
	struct config_texts texts = {0};
	int understood = origin_gather(&origin, &texts, stderr);

	config_texts_release(&texts);
	return understood < 0 ? EXIT_USAGE : run(&origin);
}

int
command_run(int argc, char **argv)
{
	struct origin origin;

	if (origin_from_arguments(&origin, argc, argv) < 0)
		return EXIT_USAGE;
	return run(&origin);
}

int
command_encrypt(int argc, char **argv)
{
	return run_flags(MODE_ENCRYPT, argc, argv);
}

int
command_offload(int argc, char **argv)
{
	return run_flags(MODE_OFFLOAD, argc, argv);
}

int
command_bridge(int argc, char **argv)
{
	return run_flags(MODE_BRIDGE, argc, argv);
}

int
command_serve(int argc, char **argv)
{
	/* A terminal signals the whole group: serve hears from main alone what was meant. */
	static const int ignored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};
	struct diag diag;

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);

	(void)prctl(PR_SET_NAME, "sallyport");

	/* If main dies, the channel says so, and tunnels are aborted: a kill would end them like a FIN. */
	(void)prctl(PR_SET_PDEATHSIG, 0);

	/* GnuTLS allocates and frees for each record; trimming the heap each time doubles the cost. */
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);

	if (log_start(&diag) < 0)
		log_write(LOG_LEVEL_WARNING, "%s", diag.text);
	return server_run(CHILD_CHANNEL) ? EXIT_ENDED : EXIT_FAILED;
}
