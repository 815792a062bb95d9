/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/process.h"
#include "tunnel/child.h"

enum { PATIENCE = 10 /* seconds */, STATUS = 7 };

/* What this program is when it is started as serve: it says a word, and ends when main hangs up. */
static int
serve(void)
{
	char byte;

	if (send(CHILD_CHANNEL, "ready", 5, MSG_NOSIGNAL) != 5)
		return 1;
	struct pollfd polled = {.fd = CHILD_CHANNEL, .events = POLLIN};
	(void)poll(&polled, 1, PATIENCE * 1000);
	return recv(CHILD_CHANNEL, &byte, 1, 0) == 0 ? STATUS : 1;
}

/* As keys it says who it is, and who it is to become. */
static int
keys(int argc, char **argv)
{
	char words[64];
	int length = snprintf(words, sizeof(words), "%u %s %s", (unsigned)getuid(),
		argc > 2 ? argv[2] : "-", argc > 3 ? argv[3] : "-");

	return send(CHILD_CHANNEL, words, (size_t)length, MSG_NOSIGNAL) == length ? 0 : 1;
}

static void
start(struct child *child)
{
	struct diag diag;
	char word[8] = "";

	assert_int_equal(child_start(child, CHILD_SERVE, NULL, &diag), 0);
	struct pollfd polled = {.fd = child->channel, .events = POLLIN};
	assert_int_equal(poll(&polled, 1, PATIENCE * 1000), 1);
	assert_int_equal(recv(child->channel, word, sizeof(word), 0), 5);
	assert_string_equal(word, "ready");
}

/* Wait for the end. Returns what wait() says. */
static int
reap(struct child *child)
{
	int status;

	for (int i = 0; i < PATIENCE * 100; i++) {
		if (child_reap(child, &status))
			return status;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("the child does not end");
	return -1;
}

static void
serve_runs_with_the_channel_until_main_hangs_up(void **state)
{
	double before = clock_seconds();
	struct child child;
	int status;

	(void)state;
	start(&child);
	assert_true(child.started >= before && child.started <= clock_seconds());
	assert_false(child_reap(&child, &status));
	child_hang_up(&child);
	assert_int_equal(child.channel, -1);
	child_hang_up(&child);
	status = reap(&child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), STATUS);
	assert_int_equal(child.pid, 0);
}

/* Serve is that user, and could look into the key process before that has hidden itself. */
static void
keys_are_left_to_become_the_user_by_themselves(void **state)
{
	const struct process_user user = {.uid = 65534, .gid = 65533};
	char words[64] = "", expected[64];
	struct child child;
	struct diag diag;

	(void)state;
	assert_int_equal(child_start(&child, CHILD_KEYS, &user, &diag), 0);
	struct pollfd polled = {.fd = child.channel, .events = POLLIN};
	assert_int_equal(poll(&polled, 1, PATIENCE * 1000), 1);
	assert_true(recv(child.channel, words, sizeof(words) - 1, 0) > 0);
	(void)snprintf(expected, sizeof(expected), "%u 65534 65533", (unsigned)getuid());
	assert_string_equal(words, expected);
	child_hang_up(&child);
	assert_int_equal(reap(&child), 0);
}

static void
a_killed_serve_is_reaped_and_its_channel_closed(void **state)
{
	struct child child;
	int status;

	(void)state;
	start(&child);
	child_kill(&child);
	status = reap(&child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(child.channel, -1);
	assert_false(child_reap(&child, &status));
}

static void
nobody_is_neither_killed_nor_reaped(void **state)
{
	struct child none = {.channel = -1};
	int status;

	(void)state;
	child_kill(&none);
	assert_false(child_reap(&none, &status));
	child_hang_up(&none);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serve_runs_with_the_channel_until_main_hangs_up),
		cmocka_unit_test(keys_are_left_to_become_the_user_by_themselves),
		cmocka_unit_test(a_killed_serve_is_reaped_and_its_channel_closed),
		cmocka_unit_test(nobody_is_neither_killed_nor_reaped),
	};

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve();
	if (argc > 1 && strcmp(argv[1], "keys") == 0)
		return keys(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
