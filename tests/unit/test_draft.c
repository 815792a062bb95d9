/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/socket.h"
#include "tunnel/config.h"
#include "tunnel/draft.h"
#include "tunnel/origin.h"

#define SERVICE "[e]\nmode = encrypt\nconnect = 127.0.0.1:9\ncert = none\nverify = no\n"

static char path[] = "/tmp/test_draft.XXXXXX";
static char errors[8192];

static int
setup(void **state)
{
	(void)state;
	memset(path + sizeof(path) - 7, 'X', 6);
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* Read a draft of a file with @text; what is wrong goes to `errors`. */
static int
read_text(struct draft *draft, const char *text)
{
	const struct origin origin = {.path = path};
	FILE *file = fopen(path, "w"), *out = fmemopen(errors, sizeof(errors), "w");

	assert_non_null(file);
	assert_non_null(out);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	errors[0] = '\0';
	int ret = draft_read(draft, &origin, out);
	assert_int_equal(fclose(out), 0);
	return ret;
}

static void
there_is_a_listener_for_every_address_in_order(void **state)
{
	struct draft draft = {0};

	(void)state;
	assert_int_equal(read_text(&draft,
				 SERVICE "accept = 127.0.0.1:1\naccept = unix:/nowhere/s\n"
					 "[f]\nmode = encrypt\nconnect = 127.0.0.1:9\n"
					 "cert = none\nverify = no\naccept = 127.0.0.1:2\n"),
		0);
	const struct generation *generation = &draft.generation;
	assert_int_equal(generation->workers, 1);
	assert_int_equal(generation->texts.count, 1);
	assert_string_equal(generation->texts.entries[0].name, path);
	assert_int_equal(generation->listener_count, 3);
	assert_int_equal(generation->listeners[1].service, 0);
	assert_int_equal(generation->listeners[1].accept, 1);
	assert_int_equal(generation->listeners[2].service, 1);
	assert_int_equal(generation->listeners[2].accept, 0);
	for (size_t i = 0; i < 3; i++)
		assert_false(generation->listeners[i].judged);
	assert_false(draft.changes_user);
	assert_int_equal(draft.user.uid, getuid());
	draft_release(&draft);
	assert_null(draft.config);
	assert_null(draft.generation.listeners);
}

static void
at_an_abstract_name_root_and_our_users_are_let_in(void **state)
{
	struct draft draft = {0};

	(void)state;
	assert_int_equal(
		read_text(&draft,
			"user = 4321\ngroup = 4322\n" SERVICE "accept = unix:@test_draft\n"),
		0);
	const struct generation_listener *listener = &draft.generation.listeners[0];
	assert_true(draft.changes_user);
	assert_int_equal(draft.user.uid, 4321);
	assert_int_equal(draft.user.gid, 4322);
	assert_true(listener->judged);
	assert_int_equal(listener->user_count, 3);
	assert_int_equal(listener->users[0], 0);
	assert_int_equal(listener->users[1], getuid());
	assert_int_equal(listener->users[2], 4321);
	draft_release(&draft);
}

static void
users_that_are_named_are_let_in_and_no_others(void **state)
{
	struct draft draft = {0};

	(void)state;
	assert_int_equal(
		read_text(&draft, SERVICE "accept = unix:@test_draft\nsocket-users = root, 4321\n"),
		0);
	const struct generation_listener *listener = &draft.generation.listeners[0];
	assert_true(listener->judged);
	assert_int_equal(listener->user_count, 2);
	assert_int_equal(listener->users[0], 0);
	assert_int_equal(listener->users[1], 4321);
	draft_release(&draft);
}

static void
too_many_users_are_refused_with_a_remedy(void **state)
{
	char users[2 * GENERATION_USERS + 1] = "", text[1024];
	struct draft draft = {0};

	(void)state;
	for (size_t i = 0; i < GENERATION_USERS; i++)
		(void)snprintf(users + 2 * i, 3, ",1");
	(void)snprintf(text, sizeof(text),
		SERVICE "accept = unix:@test_draft\nsocket-users = 1%s\n", users);
	assert_int_equal(read_text(&draft, text), -1);
	assert_non_null(strstr(errors, ":7: service e: socket-users: "));
	assert_non_null(strstr(errors, "more than 32 users: use a path and its group instead\n"));
	assert_null(draft.config);
}

static void
a_number_without_a_group_needs_one(void **state)
{
	struct draft draft = {0};

	(void)state;
	assert_int_equal(read_text(&draft, "user = 4321\n" SERVICE "accept = 127.0.0.1:1\n"), -1);
	assert_non_null(strstr(errors, ":1: user: \"4321\" is a number without an account"));
	assert_null(draft.config);
	assert_null(draft.generation.texts.entries);
}

static void
what_is_wrong_is_told_and_nothing_is_kept(void **state)
{
	const struct origin nowhere = {.path = "/nowhere/test_draft.conf"};
	struct draft draft = {0};

	(void)state;
	assert_int_equal(
		read_text(&draft, SERVICE "accept = 127.0.0.1:1\nidle-timeout = soon\n"), -1);
	assert_non_null(strstr(errors, ":7: service e: idle-timeout: \"soon\" "));
	assert_null(draft.generation.texts.entries);
	FILE *out = fmemopen(errors, sizeof(errors), "w");
	assert_non_null(out);
	assert_int_equal(draft_read(&draft, &nowhere, out), -1);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(errors, "/nowhere/test_draft.conf"));
}

static void
a_path_has_the_mode_and_the_owners_that_are_configured(void **state)
{
	struct draft draft = {0};
	struct socket_options options;
	struct diag diag;

	(void)state;
	assert_int_equal(read_text(&draft,
				 SERVICE "accept = unix:/nowhere/s\nsocket-mode = 0660\n"
					 "socket-owner = 11\nsocket-group = 12\n"),
		0);
	assert_int_equal(
		draft_socket_options(draft.config, &draft.config->services[0], &options, &diag), 0);
	assert_int_equal(options.mode, 0660);
	assert_int_equal(options.owner, 11);
	assert_int_equal(options.group, 12);
	draft_release(&draft);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_a_listener_for_every_address_in_order),
		TEST(at_an_abstract_name_root_and_our_users_are_let_in),
		TEST(users_that_are_named_are_let_in_and_no_others),
		TEST(too_many_users_are_refused_with_a_remedy),
		TEST(a_number_without_a_group_needs_one),
		TEST(what_is_wrong_is_told_and_nothing_is_kept),
		TEST(a_path_has_the_mode_and_the_owners_that_are_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
