/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/defs.h"
#include "tests/unit/capture.h"
#include "tests/unit/scratch.h"
#include "tunnel/command.h"
#include "tunnel/command_run.h"

enum { PATIENCE = 20 /* seconds */, UNCLEAN = 9 };

/*
 * What runs is started in a process of its own, whose serve is this program again. Serve first writes to
 * its descriptor 0, which it inherits, what process it is.
 */
struct fixture {
	char config[SCRATCH_PATH], front[SCRATCH_PATH];
	pid_t pid, serve; /* 0: none */
	int link;	  /* where serve writes to; -1: none */
	int words;	  /* the standard error of both; -1: none */
	char heard[8192];
	size_t length;
};

static struct fixture fixture;

static int
serve(int argc, char **argv)
{
	pid_t pid = getpid();

	if (getenv("SALLYPORT_TEST_UNWANTED"))
		return UNCLEAN;
	if (write(STDIN_FILENO, &pid, sizeof(pid)) != sizeof(pid))
		return UNCLEAN;
	return command_serve(argc, argv);
}

static int
setup(void **state)
{
	fixture = (struct fixture){.link = -1, .words = -1};
	int failed = scratch_setup(state);
	scratch_place(fixture.config, "conf");
	scratch_place(fixture.front, "front");
	return failed;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"conf", "front"};

	(void)state;
	if (fixture.pid > 0) {
		(void)kill(fixture.pid, SIGKILL);
		(void)waitpid(fixture.pid, NULL, 0);
	}
	if (fixture.link >= 0)
		(void)close(fixture.link);
	if (fixture.words >= 0)
		(void)close(fixture.words);
	return scratch_remove(names, ARRAY_SIZE(names));
}

static void
configure(const char *program)
{
	FILE *file = fopen(fixture.config, "w");

	assert_non_null(file);
	assert_true(fprintf(file,
			    "workers = 1\n%s[e]\nmode = encrypt\naccept = unix:%s\n"
			    "connect = 127.0.0.1:9\ncert = none\nverify = no\n",
			    program, fixture.front) > 0);
	assert_int_equal(fclose(file), 0);
}

_Noreturn static void
become(int (*command)(int argc, char **argv), char **argv, int link, int words)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	(void)close(fixture.link);
	(void)close(fixture.words);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(link, STDIN_FILENO) < 0 ||
		dup2(words, STDERR_FILENO) < 0)
		_exit(99);
	exit(command(argc, argv));
}

static void
start(int (*command)(int argc, char **argv), char **argv)
{
	int link[2], words[2];

	assert_int_equal(pipe2(link, O_CLOEXEC), 0);
	assert_int_equal(pipe2(words, O_CLOEXEC), 0);
	fixture.link = link[0];
	fixture.words = words[0];
	(void)fflush(NULL);
	fixture.pid = fork();
	if (fixture.pid == 0)
		become(command, argv, link[1], words[1]);
	assert_true(fixture.pid > 0);
	(void)close(link[1]);
	(void)close(words[1]);
}

/* Read more of what is written. False at its end, or when nothing comes. */
static bool
read_words(void)
{
	struct pollfd polled = {.fd = fixture.words, .events = POLLIN};
	size_t room = sizeof(fixture.heard) - 1 - fixture.length;

	if (poll(&polled, 1, PATIENCE * 1000) != 1)
		return false;
	ssize_t got = read(fixture.words, fixture.heard + fixture.length, room);
	if (got > 0)
		fixture.length += (size_t)got;
	return got > 0;
}

static void
expect_words(const char *words)
{
	while (!strstr(fixture.heard, words))
		if (!read_words())
			fail_msg("\"%s\" is not in:\n%s", words, fixture.heard);
}

static void
expect_ready(void)
{
	expect_words("ready");
	assert_int_equal(
		read(fixture.link, &fixture.serve, sizeof(fixture.serve)), sizeof(fixture.serve));
}

static void
start_file(void)
{
	char name[] = "run", option[] = "-c";
	char *argv[] = {name, option, fixture.config, NULL};

	start(command_run, argv);
}

/* Wait for the end of @pid. Returns what wait() says. */
static int
reap(pid_t pid)
{
	int status;

	for (int i = 0; i < PATIENCE * 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("it does not end:\n%s", fixture.heard);
	return -1;
}

static int
result(void)
{
	int status = reap(fixture.pid);

	fixture.pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
can_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture.front);
	int connected = connect(fd, (struct sockaddr *)&address, sizeof(address));
	(void)close(fd);
	return connected == 0;
}

static void
expect(const char *words)
{
	if (!strstr(capture.err, words))
		fail_msg("\"%s\" is not in:\n%s", words, capture.err);
}

static void
wrong_usage_is_told_and_runs_nothing(void **state)
{
	(void)state;
	assert_int_equal(capture_run(command_run, "run"), EXIT_USAGE);
	expect("which file? Name it with -c FILE");
	assert_int_equal(capture_run(command_run, "run --bogus"), EXIT_USAGE);
	expect("\"--bogus\" is no option here");
	assert_int_equal(capture_run(command_encrypt, "encrypt --bogus 1"), EXIT_USAGE);
	expect("--bogus: is no option; --help lists all\n");
	assert_int_equal(capture_run(command_offload, "offload --connect"), EXIT_USAGE);
	expect("--connect: has no value; write one behind it\n");
	assert_int_equal(capture_run(command_bridge, "bridge here"), EXIT_USAGE);
	expect("\"here\" is not expected here; write --option value");
}

static void
a_bad_configuration_is_a_failure(void **state)
{
	(void)state;
	configure("log-level = loud\n");
	start_file();
	expect_words("conf:2: log-level: \"loud\" ");
	assert_int_equal(result(), EXIT_FAILED);
}

static void
flags_that_lack_something_are_a_failure(void **state)
{
	char name[] = "encrypt", accept_flag[] = "--accept", address[] = "127.0.0.1:1";
	char *argv[] = {name, accept_flag, address, NULL};

	(void)state;
	start(command_encrypt, argv);
	expect_words("--connect: is missing");
	assert_int_equal(result(), EXIT_FAILED);
}

/* Forget what ran, so that something else can be started. */
static void
clear(void)
{
	(void)close(fixture.link);
	(void)close(fixture.words);
	fixture.link = fixture.words = -1;
	memset(fixture.heard, 0, sizeof(fixture.heard));
	fixture.length = 0;
}

static void
each_mode_is_a_command(void **state)
{
	/* Only a client may be without a certificate, and only a bridge has two sides. */
	static const struct {
		int (*command)(int argc, char **argv);
		bool has_client_only, has_two_sides;
	} modes[] = {
		{command_encrypt, true, false},
		{command_offload, false, false},
		{command_bridge, false, true},
	};
	char name[] = "x", flag[] = "--cert=none";
	char *argv[] = {name, flag, NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		start(modes[i].command, argv);
		while (read_words())
			;
		assert_int_equal(result(), EXIT_FAILED);
		assert_int_equal(
			!strstr(fixture.heard, "--cert: \"none\""), modes[i].has_client_only);
		assert_int_equal(!!strstr(fixture.heard, "--accept-ca: "), modes[i].has_two_sides);
		clear();
	}
}

static void
the_services_of_a_file_run_until_a_term(void **state)
{
	(void)state;
	configure("");
	start_file();
	expect_ready();
	assert_true(can_connect());
	assert_int_equal(kill(fixture.pid, SIGTERM), 0);
	assert_int_equal(result(), EXIT_ENDED);
	assert_false(can_connect());
}

static void
the_service_of_flags_runs_until_a_term(void **state)
{
	char name[] = "encrypt", accept_flag[SCRATCH_PATH + 16],
	     connect_flag[] = "--connect=127.0.0.1:9", cert[] = "--cert=none",
	     verify[] = "--verify=no", workers[] = "--workers=1";
	char *argv[] = {name, accept_flag, connect_flag, cert, verify, workers, NULL};

	(void)state;
	(void)snprintf(accept_flag, sizeof(accept_flag), "--accept=unix:%s", fixture.front);
	start(command_encrypt, argv);
	expect_ready();
	expect_words("mode=encrypt");
	assert_true(can_connect());
	assert_int_equal(kill(fixture.pid, SIGTERM), 0);
	assert_int_equal(result(), EXIT_ENDED);
}

static void
the_environment_is_cleaned_before_serve_starts(void **state)
{
	(void)state;
	configure("");
	assert_int_equal(setenv("SALLYPORT_TEST_UNWANTED", "1", 1), 0);
	start_file();
	assert_int_equal(unsetenv("SALLYPORT_TEST_UNWANTED"), 0);
	expect_ready();
	assert_int_equal(kill(fixture.pid, SIGTERM), 0);
	assert_int_equal(result(), EXIT_ENDED);
}

static void
serve_ignores_what_a_terminal_signals(void **state)
{
	static const int numbers[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

	(void)state;
	configure("");
	start_file();
	expect_ready();
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(kill(fixture.serve, numbers[i]), 0);
	assert_int_equal(kill(fixture.pid, SIGTERM), 0);
	while (read_words())
		;
	assert_int_equal(result(), EXIT_ENDED);
	assert_null(strstr(fixture.heard, "started again"));
}

static void
serve_has_the_name_of_the_program(void **state)
{
	char path[48], name[32] = "";

	(void)state;
	configure("");
	start_file();
	expect_ready();
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", fixture.serve);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(name, sizeof(name), file));
	(void)fclose(file);
	assert_string_equal(name, "sallyport\n");
	assert_int_equal(kill(fixture.pid, SIGTERM), 0);
	assert_int_equal(result(), EXIT_ENDED);
}

static void
serve_outlives_a_killed_main_to_end_by_itself_with_a_failure(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	configure("");
	start_file();
	expect_ready();
	assert_int_equal(kill(fixture.pid, SIGKILL), 0);
	(void)reap(fixture.pid);
	fixture.pid = 0;
	int status = reap(fixture.serve);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_usage_is_told_and_runs_nothing),
		TEST(a_bad_configuration_is_a_failure),
		TEST(flags_that_lack_something_are_a_failure),
		TEST(each_mode_is_a_command),
		TEST(the_services_of_a_file_run_until_a_term),
		TEST(the_service_of_flags_runs_until_a_term),
		TEST(the_environment_is_cleaned_before_serve_starts),
		TEST(serve_ignores_what_a_terminal_signals),
		TEST(serve_has_the_name_of_the_program),
		TEST(serve_outlives_a_killed_main_to_end_by_itself_with_a_failure),
	};

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
