/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/defs.h"
#include "tests/unit/stage.h"
#include "tunnel/protocol.h"

enum { NOBODY = 65534 };

static void
a_bad_configuration_ends_it_with_words_and_starts_nothing(void **state)
{
	(void)state;
	stage_configure("log-level = loud\n", "front");
	stage_start();
	assert_int_equal(stage_result(), 1);
	stage_expect_words("conf:2: log-level: \"loud\" ");
	assert_true(stage_is_silent());
	assert_false(stage_is_open("front"));
}

static void
a_file_that_is_missing_ends_it_with_words(void **state)
{
	(void)state;
	stage_start();
	assert_int_equal(stage_result(), 1);
	stage_expect_words("/conf\"");
	stage_expect_words("No such file");
	assert_true(stage_is_silent());
}

static void
an_address_that_is_taken_ends_it_with_the_line_of_it(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/front", scratch.directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	stage_configure("", "front");
	stage_start();
	assert_int_equal(stage_result(), 1);
	stage_expect_words("conf:4: service e: accept: ");
	assert_true(stage_is_silent());
	assert_true(stage_is_open("front"));
	(void)close(fd);
}

static void
a_user_is_only_for_root(void **state)
{
	(void)state;
	if (geteuid() == 0)
		stage.user = NOBODY;
	stage_configure("user = root\n", "front");
	stage_start();
	assert_int_equal(stage_result(), 1);
	stage_expect_words("conf:2: user: ");
	stage_expect_words("only a program started by root can become another user");
	assert_true(stage_is_silent());
}

static void
serve_gets_everything_and_runs_it_only_when_it_has_accepted(void **state)
{
	(void)state;
	(void)stage_begin("");
	assert_true(stage_is_silent());
	stage_expect_words("sallyport ");
	stage_expect_words(", 1 worker");
	stage_expect_words("listening");
	stage_expect_words("conf:7: service e: verify: ");
	assert_null(strstr(stage.heard, "ready"));
	stage_accept();
	stage_expect_words("ready");
	stage_end_well();
	stage_expect_words("ending: ");
	stage_expect_words("ended");
}

static void
a_first_generation_that_serve_refuses_is_the_end(void **state)
{
	(void)state;
	(void)stage_begin("");
	stage_tell_number(PROTOCOL_REFUSED, 0, "no, and\nno again\n");
	assert_int_equal(stage_result(), 1);
	stage_expect_words("no, and\n");
	stage_expect_words("no again\n");
	stage_expect_words("ended with a failure");
	stage_expect_gone(stage.serve);
	assert_true(stage_is_silent());
}

static void
a_serve_that_dies_before_it_was_ready_is_the_end(void **state)
{
	(void)state;
	(void)stage_begin("");
	stage_tell_number(PUPPET_EXIT, 7, "");
	assert_int_equal(stage_result(), 1);
	stage_expect_words("the serving process exited with 7\n");
	assert_true(stage_is_silent());
}

static void
what_is_wrong_before_it_is_ready_stands_on_the_terminal_too(void **state)
{
	char program[SCRATCH_PATH + 16];

	(void)state;
	(void)snprintf(program, sizeof(program), "log-target = %s\n", stage.log);
	(void)stage_begin(program);
	stage_tell_number(PROTOCOL_REFUSED, 0, "not like this");
	assert_int_equal(stage_result(), 1);
	stage_expect_words("not like this\n");
	assert_null(strstr(stage.heard, "listening"));
	assert_int_equal(access(stage.log, F_OK), 0);
}

static void
a_serve_that_dies_is_started_again_with_what_it_had(void **state)
{
	(void)state;
	ino_t socket = stage_get_ready("");
	stage_configure("log-level = loud\n", "back");
	assert_int_equal(kill(stage.serve, SIGKILL), 0);
	stage_expect_words("the serving process was killed by signal 9");
	stage_expect_words("; it is started again in 0.00 s, and the listeners stay open");
	assert_true(stage_is_open("front"));
	assert_int_equal(stage_hear_start("/front\n"), socket);
	stage_accept();
	stage_end_well();
}

static void
a_serve_that_dies_again_and_again_is_waited_with(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_tell_number(PUPPET_EXIT, 3, "");
	(void)stage_hear_start("");
	double before = clock_seconds();
	stage_tell_number(PUPPET_EXIT, 3, "");
	stage_expect_words("exited with 3; it is started again in 0.00 s");
	stage_expect_words("exited with 3; it is started again in 0.25 s");
	assert_true(stage_is_open("front"));
	(void)stage_hear_start("");
	assert_true(clock_seconds() - before >= 0.25);
	stage_end_well();
}

static void
a_generation_that_only_a_later_serve_refuses_is_tried_again(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_tell_number(PUPPET_EXIT, 3, "");
	(void)stage_hear_start("");
	stage_tell_number(PROTOCOL_REFUSED, 0, "not now");
	stage_expect_words("not now");
	stage_expect_words("started again");
	(void)stage_hear_start("");
	stage_end_well();
}

static void
a_serve_that_babbles_is_killed_and_started_again(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_tell(PUPPET_BABBLE);
	stage_expect_words("the serving process does not listen: ");
	stage_expect_words("was killed by signal 9");
	(void)stage_hear_start("");
	stage_end_well();
}

static void
a_term_and_an_interrupt_drain_and_close_the_listeners(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		(void)stage_get_ready("");
		assert_true(stage_is_open("front"));
		stage_signal(signals[i]);
		(void)stage_hear(PROTOCOL_DRAIN);
		assert_false(stage_is_open("front"));
		assert_true(stage_is_silent());
		stage_tell_number(PUPPET_EXIT, 0, "");
		assert_int_equal(stage_result(), 0);
		(void)close(stage.link);
		(void)close(stage.words);
	}
	stage.link = stage.words = -1;
}

static void
a_serve_that_aborted_tunnels_makes_it_a_failure(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_DRAIN);
	stage_tell_number(PUPPET_EXIT, 1, "");
	assert_int_equal(stage_result(), 1);
	stage_expect_words("ended with a failure");
}

static void
a_second_term_aborts_and_a_third_kills(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_DRAIN);
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_ABORT);
	stage_expect_words("ending at once: tunnels are aborted");
	double before = clock_seconds();
	stage_signal(SIGTERM);
	assert_int_equal(stage_result(), 1);
	assert_true(clock_seconds() - before < 8);
	stage_expect_gone(stage.serve);
}

static void
a_second_term_lets_a_serve_end_that_is_about_to(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_DRAIN);
	stage_tell(PUPPET_LEAVE);
	(void)stage_hear(PUPPET_LEAVE);
	stage_signal(SIGTERM);
	stage_expect_words("ending at once: ");
	stage_tell_number(PUPPET_EXIT, 0, "");
	assert_int_equal(stage_result(), 0);
}

static void
a_serve_that_hangs_when_told_to_abort_is_killed_in_ten_seconds(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_tell(PUPPET_HANG);
	stage_signal(SIGTERM);
	stage_expect_words("ending: ");
	double before = clock_seconds();
	stage_signal(SIGTERM);
	assert_int_equal(stage_result(), 1);
	assert_true(clock_seconds() - before >= 9.9);
	assert_true(clock_seconds() - before < STAGE_PATIENCE);
	stage_expect_gone(stage.serve);
}

static void
a_term_while_there_is_no_serve_is_a_good_end(void **state)
{
	static const char *const waits[] = {" 0.00 s", " 0.25 s", " 0.50 s", " 1.00 s", " 2.00 s"};

	(void)state;
	(void)stage_get_ready("");
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		if (i > 0)
			(void)stage_hear_start("");
		stage_tell_number(PUPPET_EXIT, 3, "");
		stage_expect_words(waits[i]);
	}
	stage_signal(SIGTERM);
	assert_int_equal(stage_result(), 0);
	assert_true(stage_is_silent());
}

/* Up to the first COMMIT, which is not answered. */
static void
start_and_hold(void)
{
	(void)stage_begin("");
	stage_tell(PUPPET_HOLD);
	stage_accept();
}

static void
it_is_ready_when_all_of_serve_runs_what_was_committed(void **state)
{
	(void)state;
	start_and_hold();
	assert_true(stage_is_silent());
	stage_expect_nothing_of("ready");
	stage_tell(PROTOCOL_COMMITTED);
	stage_expect_words("ready");
	stage_end_well();
}

static void
a_serve_that_dies_before_all_of_it_runs_is_started_again(void **state)
{
	(void)state;
	start_and_hold();
	assert_int_equal(kill(stage.serve, SIGKILL), 0);
	stage_expect_words("it is started again in 0.00 s");
	(void)stage_hear_start("/front\n");
	stage_expect_nothing_of("ready");
	stage_accept();
	stage_expect_words("ready");
	stage_end_well();
}

static void
what_runs_after_a_term_is_not_told(void **state)
{
	(void)state;
	start_and_hold();
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_DRAIN);
	stage_tell(PROTOCOL_COMMITTED);
	assert_true(stage_is_silent());
	stage_tell_number(PUPPET_EXIT, 0, "");
	assert_int_equal(stage_result(), 0);
	assert_null(strstr(stage.heard, "ready"));
}

static void
an_acceptance_after_a_term_commits_nothing(void **state)
{
	(void)state;
	(void)stage_begin("");
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_DRAIN);
	stage_tell(PROTOCOL_ACCEPTED);
	assert_true(stage_is_silent());
	stage_signal(SIGHUP);
	stage_tell_number(PUPPET_EXIT, 0, "");
	assert_int_equal(stage_result(), 0);
	assert_null(strstr(stage.heard, "ready"));
	assert_null(strstr(stage.heard, "reloading"));
	assert_true(stage_is_silent());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bad_configuration_ends_it_with_words_and_starts_nothing),
		TEST(a_file_that_is_missing_ends_it_with_words),
		TEST(an_address_that_is_taken_ends_it_with_the_line_of_it),
		TEST(a_user_is_only_for_root),
		TEST(serve_gets_everything_and_runs_it_only_when_it_has_accepted),
		TEST(a_first_generation_that_serve_refuses_is_the_end),
		TEST(a_serve_that_dies_before_it_was_ready_is_the_end),
		TEST(what_is_wrong_before_it_is_ready_stands_on_the_terminal_too),
		TEST(a_serve_that_dies_is_started_again_with_what_it_had),
		TEST(a_serve_that_dies_again_and_again_is_waited_with),
		TEST(a_generation_that_only_a_later_serve_refuses_is_tried_again),
		TEST(a_serve_that_babbles_is_killed_and_started_again),
		TEST(a_term_and_an_interrupt_drain_and_close_the_listeners),
		TEST(a_serve_that_aborted_tunnels_makes_it_a_failure),
		TEST(a_second_term_aborts_and_a_third_kills),
		TEST(a_second_term_lets_a_serve_end_that_is_about_to),
		TEST(a_serve_that_hangs_when_told_to_abort_is_killed_in_ten_seconds),
		TEST(a_term_while_there_is_no_serve_is_a_good_end),
		TEST(it_is_ready_when_all_of_serve_runs_what_was_committed),
		TEST(a_serve_that_dies_before_all_of_it_runs_is_started_again),
		TEST(what_runs_after_a_term_is_not_told),
		TEST(an_acceptance_after_a_term_commits_nothing),
	};

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return stage_serve();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
