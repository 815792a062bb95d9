/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/process.h"
#include "common/text.h"

/*
 * What this program does when it is executed anew, chosen by its first argument.
 */

/* Are descriptors 0 to 2, @count from 3 on, and no others open? */
static int
child_fds(int count)
{
	for (int fd = 3; fd < 1024; fd++) {
		bool is_open = fcntl(fd, F_GETFD) >= 0;

		if (is_open != (fd < 3 + count))
			return fd < 200 ? fd : 200;
	}
	/* Each holds the letter that tells which it should be. */
	for (int i = 0; i < count; i++) {
		char letter;

		if (read(3 + i, &letter, 1) != 1 || letter != 'a' + i)
			return 201 + i;
	}
	return 0;
}

/* Is no signal ignored or blocked? A handler, as a sanitizer has some, can only be the child's own. */
static int
child_signals(void)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int number = 1; number < 32; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) || action.sa_handler == SIG_IGN ||
			sigismember(&blocked, number))
			return number;
	}
	return 0;
}

static int
child_user(void)
{
	uid_t users[3];
	gid_t groups[3];

	if (getresuid(&users[0], &users[1], &users[2]) ||
		getresgid(&groups[0], &groups[1], &groups[2]))
		return 1;
	for (int i = 0; i < 3; i++) {
		if (users[i] != 1234 || groups[i] != 2345)
			return 2;
	}
	return getgroups(0, NULL) == 0 && setuid(0) ? 0 : 3;
}

static int
run_child(const char *what)
{
	if (strcmp(what, "fds") == 0)
		return child_fds(3);
	if (strcmp(what, "signals") == 0)
		return child_signals();
	if (strcmp(what, "user") == 0)
		return child_user();
	for (;;)
		pause();
}

/* Start this program anew as @what. */
static pid_t
start(const char *what, const struct process_options *more)
{
	char name[] = "test", argument[16];
	char *arguments[] = {name, argument, NULL};
	struct process_options options = more ? *more : (struct process_options){0};
	struct diag diag;

	(void)snprintf(argument, sizeof(argument), "%s", what);
	options.arguments = arguments;
	pid_t pid = process_start(&options, &diag);
	if (pid < 0)
		fail_msg("%s", diag.text);
	return pid;
}

static void
expect_success(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
a_child_has_the_descriptors_named_and_no_others(void **state)
{
	int pipes[3][2], stray = open("/dev/null", O_RDONLY); /* not close-on-exec */

	(void)state;
	assert_true(stray >= 0);
	for (int i = 0; i < 3; i++) {
		char letter = (char)('a' + i);

		assert_int_equal(pipe(pipes[i]), 0);
		assert_int_equal(write(pipes[i][1], &letter, 1), 1);
	}
	/* Make the numbers wanted and those there overlap crosswise. */
	int low[3];
	for (int i = 0; i < 3; i++) {
		low[i] = fcntl(pipes[i][0], F_DUPFD, 3);
		assert_true(low[i] >= 0);
	}
	const struct process_fd fds[] = {{low[2], 5}, {low[0], 3}, {low[1], 4}};
	const struct process_options options = {.fds = fds, .fd_count = ARRAY_SIZE(fds)};
	expect_success(start("fds", &options));

	/* A cycle: 3 becomes 4, 4 becomes 5, 5 becomes 3. */
	for (int i = 0; i < 3; i++) {
		char letter = (char)('a' + i);

		assert_int_equal(write(pipes[i][1], &letter, 1), 1);
		assert_int_equal(dup2(low[i], 100 + i), 100 + i);
	}
	int saved[3];
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 200);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dup2(100 + (i + 1) % 3, 3 + i), 3 + i);
	const struct process_fd cycle[] = {{5, 3}, {3, 4}, {4, 5}};
	const struct process_options crossed = {.fds = cycle, .fd_count = ARRAY_SIZE(cycle)};
	expect_success(start("fds", &crossed));
	for (int i = 0; i < 3; i++) {
		if (saved[i] >= 0)
			(void)dup2(saved[i], 3 + i);
	}
	(void)close_range(3, ~0U, 0);
}

static void
a_child_has_default_signals_and_none_blocked(void **state)
{
	sigset_t all, old;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = start("signals", NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	expect_success(pid);
}

static void
a_child_of_root_becomes_another_user_for_good(void **state)
{
	const struct process_user user = {.uid = 1234, .gid = 2345};
	const struct process_options options = {.user = &user};

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(setgroups(1, &(gid_t){7}), 0);
	expect_success(start("user", &options));
	assert_int_equal(setgroups(0, NULL), 0);
}

static void
a_child_without_a_known_group_is_refused(void **state)
{
	const struct process_user user = {.uid = 1234, .gid = (gid_t)-1};
	const struct process_options options = {.user = &user};
	struct diag diag;

	(void)state;
	assert_int_equal(process_start(&options, &diag), -1);
	assert_non_null(strstr(diag.text, "name a group"));
}

static void
a_program_that_cannot_be_executed_is_an_error_in_words(void **state)
{
	char name[] = "test";
	char *arguments[] = {name, NULL};
	const struct process_fd closed = {.from = 999, .to = 3};
	struct process_options options = {.program = "/does/not/exist", .arguments = arguments};
	struct diag diag;

	(void)state;
	assert_int_equal(process_start(&options, &diag), -1);
	assert_string_equal(
		diag.text, "start a process: execute the program: No such file or directory");
	options = (struct process_options){.arguments = arguments, .fds = &closed, .fd_count = 1};
	assert_int_equal(process_start(&options, &diag), -1);
	assert_string_equal(
		diag.text, "start a process: hand over descriptors: Bad file descriptor");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Start a child, tell its id, and wait to be killed. */
_Noreturn static void
be_a_parent(int fd)
{
	/* As another user where that can be: changing it undoes the wish to be killed. */
	const struct process_user user = {.uid = 1234, .gid = 2345};
	const struct process_options options = {.user = geteuid() == 0 ? &user : NULL};
	pid_t child = start("wait", &options);

	(void)!write(fd, &child, sizeof(child));
	for (;;)
		pause();
}

static void
a_child_does_not_outlive_a_killed_parent(void **state)
{
	int fds[2], status = 0;
	pid_t grandchild, ended = 0;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid_t parent = fork();
	if (parent == 0)
		be_a_parent(fds[1]);
	assert_int_equal(read(fds[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	for (int i = 0; i < 500 && ended == 0; i++) {
		(void)usleep(10000);
		ended = waitpid(grandchild, &status, WNOHANG);
	}
	if (ended == 0)
		(void)kill(grandchild, SIGKILL);
	assert_int_equal(ended, grandchild);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fds[0]);
	close(fds[1]);
}

static void
an_end_is_described_in_words(void **state)
{
	static const struct {
		int status;
		const char *words;
	} rows[] = {
		{0, "exited with 0"},
		{3 << 8, "exited with 3"},
		{SIGSEGV, "was killed by signal 11 (Segmentation fault)"},
		{SIGKILL | 0x80, "was killed by signal 9 (Killed)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char array[80];
		struct text text;

		text_init(&text, array, sizeof(array));
		process_describe(rows[i].status, &text);
		assert_string_equal(array, rows[i].words);
	}
}

static void
the_limit_of_descriptors_is_raised_to_the_hard_one(void **state)
{
	struct rlimit limit, low;
	struct diag diag;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(process_raise_descriptors(&diag), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &low), 0);
	assert_true(low.rlim_cur == limit.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
users_and_groups_are_found_by_name_and_number(void **state)
{
	static const char *const bad[] = {
		"", "no-such-user-here", "-1", "4294967295", "4294967296", "12x", "99999999999"};
	struct process_user user;
	struct diag diag;
	gid_t group;

	(void)state;
	assert_int_equal(process_find_user("root", &user, &diag), 0);
	assert_true(user.uid == 0 && user.gid == 0);
	assert_int_equal(process_find_user("0", &user, &diag), 0);
	assert_true(user.uid == 0 && user.gid == 0);
	assert_int_equal(process_find_user("4000000000", &user, &diag), 0);
	assert_true(user.uid == 4000000000U && user.gid == (gid_t)-1);
	assert_int_equal(process_find_group("root", &group, &diag), 0);
	assert_int_equal(group, 0);
	assert_int_equal(process_find_group("4000000000", &group, &diag), 0);
	assert_true(group == 4000000000U);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(process_find_user(bad[i], &user, &diag), -1);
		assert_int_equal(process_find_group(bad[i], &group, &diag), -1);
	}
	assert_string_equal(diag.text, "there is no group \"99999999999\"");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_has_the_descriptors_named_and_no_others),
		cmocka_unit_test(a_child_has_default_signals_and_none_blocked),
		cmocka_unit_test(a_child_of_root_becomes_another_user_for_good),
		cmocka_unit_test(a_child_without_a_known_group_is_refused),
		cmocka_unit_test(a_program_that_cannot_be_executed_is_an_error_in_words),
		cmocka_unit_test(a_child_does_not_outlive_a_killed_parent),
		cmocka_unit_test(an_end_is_described_in_words),
		cmocka_unit_test(the_limit_of_descriptors_is_raised_to_the_hard_one),
		cmocka_unit_test(users_and_groups_are_found_by_name_and_number),
	};

	if (argc > 1)
		return run_child(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
