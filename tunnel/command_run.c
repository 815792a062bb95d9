/* SPDX-License-Identifier: MIT */
#include "tunnel/command_run.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "common/diag.h"
#include "common/log.h"
#include "common/process.h"
#include "tunnel/child.h"
#include "tunnel/command.h"
#include "tunnel/environment.h"
#include "tunnel/keys.h"
#include "tunnel/origin.h"
#include "tunnel/server.h"
#include "tunnel/supervisor.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_LEAK_CHECKER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_LEAK_CHECKER
#endif

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

/* What serve and keys, which main starts, have in common. */
static void
begin_role(void)
{
	/* A terminal signals the whole group: they hear from main alone what was meant. */
	static const int ignored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);

	(void)prctl(PR_SET_NAME, "sallyport");
}

/*
 * No core file has a key, and no other process of the same user reads this one's memory. That comes first:
 * until then only root can look in, since main leaves it to us to become the user whom serve is, too.
 */
static int
hide(int argc, char **argv, struct diag *diag)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (argc < 3)
		return 0;
	const struct process_user user = {
		.uid = (uid_t)strtoul(argv[1], NULL, 10), .gid = (gid_t)strtoul(argv[2], NULL, 10)};

	return process_become(&user, diag);
}

int
command_keys(int argc, char **argv)
{
	struct diag diag;

	begin_role();
	if (hide(argc, argv, &diag) < 0) {
		log_write(LOG_LEVEL_ERROR, "the key process: %s", diag.text);
		return EXIT_FAILED;
	}
	if (log_start(&diag) < 0)
		log_write(LOG_LEVEL_WARNING, "%s", diag.text);
	bool good = keys_run(CHILD_CHANNEL);
#ifdef WITH_LEAK_CHECKER
	(void)prctl(PR_SET_DUMPABLE, 1); /* which has to look */
#endif
	return good ? EXIT_ENDED : EXIT_FAILED;
}

int
command_serve(int argc, char **argv)
{
	struct diag diag;

	(void)argc;
	(void)argv;
	begin_role();

	/* If main dies, the channel says so, and tunnels are aborted: a kill would end them like a FIN. */
	(void)prctl(PR_SET_PDEATHSIG, 0);

	/* GnuTLS allocates and frees for each record that we do not protect ourselves (TLS 1.2). */
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);

	if (log_start(&diag) < 0)
		log_write(LOG_LEVEL_WARNING, "%s", diag.text);
	return server_run(CHILD_CHANNEL) ? EXIT_ENDED : EXIT_FAILED;
}
