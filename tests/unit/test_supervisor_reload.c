/* SPDX-License-Identifier: MIT */
/* What a supervisor that runs does on SIGHUP and SIGUSR1. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/stage.h"
#include "tunnel/protocol.h"

static void
a_hup_replaces_the_generation_once_it_is_accepted(void **state)
{
	(void)state;
	ino_t socket = stage_get_ready("");
	stage_configure("", "back");
	stage_signal(SIGHUP);
	stage_expect_words("reloading");
	assert_true(stage_hear_generation("/back\n") != socket);
	assert_true(stage_is_open("front"));
	assert_true(stage_is_silent());
	stage_accept_reload();
	stage_expect_words("listening");
	stage_expect_words("verify: \"no\"");
	stage_expect_words("reloaded");
	assert_false(stage_is_open("front"));
	assert_true(stage_is_open("back"));
	assert_int_equal(kill(stage.serve, SIGKILL), 0);
	(void)stage_hear_start("/back\n");
	stage_end_well();
}

static void
a_listener_that_did_not_change_is_the_same_socket_after_a_hup(void **state)
{
	(void)state;
	ino_t socket = stage_get_ready("");
	stage_configure("log-level = debug\n", "front");
	stage_signal(SIGHUP);
	assert_int_equal(stage_hear_generation("log-level = debug\n"), socket);
	stage_accept_reload();
	stage_expect_words("reloaded");
	assert_true(stage_is_open("front"));
	stage_end_well();
}

static mode_t
mode_of_front(void)
{
	struct stat status;

	assert_int_equal(stat(scratch_path("front"), &status), 0);
	return status.st_mode & 07777;
}

static void
a_listener_that_stays_has_its_new_mode_once_it_is_accepted(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	assert_int_equal(mode_of_front(), 0600);
	stage_configure("socket-mode = 0660\n", "front");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("socket-mode");
	assert_int_equal(mode_of_front(), 0600);
	stage_accept_reload();
	assert_int_equal(mode_of_front(), 0660);
	stage_end_well();
}

static void
a_hup_for_a_bad_configuration_changes_nothing(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_configure("log-level = loud\nlog-format = prose\n", "back");
	stage_signal(SIGHUP);
	stage_expect_words("conf:2: log-level: ");
	stage_expect_words("conf:3: log-format: ");
	stage_expect_words("reload failed: everything stays as it was");
	assert_true(stage_is_silent());
	assert_true(stage_is_open("front"));
	assert_false(stage_is_open("back"));
	stage_end_well();
}

static void
a_reload_that_serve_refuses_changes_nothing(void **state)
{
	(void)state;
	ino_t socket = stage_get_ready("");
	stage_configure("", "back");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/back\n");
	stage_tell_number(PROTOCOL_REFUSED, 0, "not this");
	stage_expect_words("not this");
	stage_expect_words("reload failed: everything stays as it was");
	assert_true(stage_is_open("front"));
	assert_false(stage_is_open("back"));
	assert_int_equal(kill(stage.serve, SIGKILL), 0);
	assert_int_equal(stage_hear_start("/front\n"), socket);
	stage_end_well();
}

static void
a_serve_that_dies_of_a_reload_comes_back_with_what_it_had(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_configure("", "back");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/back\n");
	stage_tell_number(PUPPET_EXIT, 3, "");
	stage_expect_words("reload failed: everything stays as it was");
	(void)stage_hear_start("/front\n");
	stage_accept();
	assert_null(strstr(stage.heard, "reloaded"));
	stage_end_well();
}

static void
a_hup_waits_for_the_answer_that_serve_owes(void **state)
{
	(void)state;
	(void)stage_begin("");
	stage_configure("", "back");
	stage_signal(SIGHUP);
	stage_expect_words("reloading");
	assert_true(stage_is_silent());
	stage_accept();
	(void)stage_hear_generation("/back\n");
	stage_configure("", "front");
	stage_signal(SIGHUP);
	stage_expect_words("reloading");
	stage_tell_number(PROTOCOL_REFUSED, 0, "no");
	(void)stage_hear_generation("/front\n");
	stage_end_well();
}

/* A reload from "front" to "back", up to the COMMIT, which is not answered. */
static void
reload_and_hold(void)
{
	(void)stage_get_ready("");
	stage_tell(PUPPET_HOLD);
	stage_configure("", "back");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/back\n");
	stage_accept_reload();
	stage_expect_words("reloading");
}

static void
it_is_reloaded_when_all_of_serve_runs_what_was_committed(void **state)
{
	(void)state;
	reload_and_hold();
	assert_true(stage_is_silent());
	stage_expect_nothing_of("reloaded");
	stage_tell(PROTOCOL_COMMITTED);
	stage_expect_words("reloaded");
	stage_end_well();
}

static void
a_hup_waits_until_all_of_serve_runs_what_was_committed(void **state)
{
	(void)state;
	reload_and_hold();
	stage_configure("", "front");
	stage_signal(SIGHUP);
	stage_expect_words("reloading");
	assert_true(stage_is_silent());
	stage_expect_nothing_of("reloaded");
	stage_tell(PROTOCOL_COMMITTED);
	(void)stage_hear_generation("/front\n");
	stage_expect_words("reloaded");
	stage_end_well();
}

static void
a_serve_that_dies_before_all_of_it_runs_comes_back_with_what_was_committed(void **state)
{
	(void)state;
	reload_and_hold();
	stage_configure("", "front");
	stage_signal(SIGHUP);
	stage_expect_words("reloading");
	stage_tell_number(PUPPET_EXIT, 3, "");
	stage_expect_words("it is started again in 0.00 s");
	(void)stage_hear_start("/back\n");
	stage_accept();
	stage_expect_words("ready");
	(void)stage_hear_generation("/front\n");
	assert_null(strstr(stage.heard, "reload failed"));
	assert_null(strstr(stage.heard, "reloaded"));
	stage_end_well();
}

static void
a_term_before_all_of_serve_runs_what_was_committed_ends_it_well(void **state)
{
	(void)state;
	reload_and_hold();
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_DRAIN);
	stage_tell(PROTOCOL_COMMITTED);
	assert_true(stage_is_silent());
	stage_tell_number(PUPPET_EXIT, 0, "");
	assert_int_equal(stage_result(), 0);
	assert_null(strstr(stage.heard, "reload failed"));
	assert_null(strstr(stage.heard, "reloaded"));
}

static void
what_serve_says_to_have_committed_unasked_counts_for_nothing(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_tell(PROTOCOL_COMMITTED);
	stage_configure("", "back");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/back\n");
	stage_tell(PROTOCOL_COMMITTED);
	assert_true(stage_is_silent());
	assert_true(stage_is_open("front"));
	stage_expect_nothing_of("ready");
	stage_expect_nothing_of("reloaded");
	stage_tell_number(PROTOCOL_REFUSED, 0, "not this");
	stage_expect_words("reload failed: everything stays as it was");
	assert_true(stage_is_open("front"));
	stage_end_well();
}

static void
what_serve_has_begun_with_is_not_changed_by_a_hup(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_configure("", "front");
	FILE *file = fopen(stage.config, "r+");
	assert_non_null(file);
	assert_true(fputs("workers = 2\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	stage_signal(SIGHUP);
	stage_expect_words("workers: the new number counts from the next start of the program");
	(void)stage_hear_generation("workers = 2\n"); /* and it is for one worker still */
	stage_end_well();
}

static void
a_usr1_opens_the_log_again(void **state)
{
	char program[SCRATCH_PATH + 16], moved[SCRATCH_PATH + 2];

	(void)state;
	(void)snprintf(program, sizeof(program), "log-target = %s\n", stage.log);
	(void)snprintf(moved, sizeof(moved), "%s.1", stage.log);
	(void)stage_begin(program);
	assert_int_equal(rename(stage.log, moved), 0);
	stage_signal(SIGUSR1);
	(void)stage_hear(PROTOCOL_LOG);
	assert_int_equal(stage.message.fd_count, 1);
	struct stat sent, opened;
	assert_int_equal(fstat(stage.message.fds[0], &sent), 0);
	assert_int_equal(stat(stage.log, &opened), 0);
	assert_int_equal(sent.st_ino, opened.st_ino);
	stage_end_well();
	assert_int_equal(stat(stage.log, &opened), 0);
	assert_true(opened.st_size > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hup_replaces_the_generation_once_it_is_accepted),
		TEST(a_listener_that_did_not_change_is_the_same_socket_after_a_hup),
		TEST(a_listener_that_stays_has_its_new_mode_once_it_is_accepted),
		TEST(a_hup_for_a_bad_configuration_changes_nothing),
		TEST(a_reload_that_serve_refuses_changes_nothing),
		TEST(a_serve_that_dies_of_a_reload_comes_back_with_what_it_had),
		TEST(a_hup_waits_for_the_answer_that_serve_owes),
		TEST(it_is_reloaded_when_all_of_serve_runs_what_was_committed),
		TEST(a_hup_waits_until_all_of_serve_runs_what_was_committed),
		TEST(a_serve_that_dies_before_all_of_it_runs_comes_back_with_what_was_committed),
		TEST(a_term_before_all_of_serve_runs_what_was_committed_ends_it_well),
		TEST(what_serve_says_to_have_committed_unasked_counts_for_nothing),
		TEST(what_serve_has_begun_with_is_not_changed_by_a_hup),
		TEST(a_usr1_opens_the_log_again),
	};

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return stage_serve();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
