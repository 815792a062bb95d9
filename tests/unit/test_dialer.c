/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/log.h"
#include "tests/unit/name_files.h"
#include "tests/unit/name_server.h"
#include "tunnel/dialer.h"
#include "tunnel/dns.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"

struct scene {
	struct pool_budget budget;
	struct loop loop;
	struct name_server server;
	struct name_files files;
	struct dialer *dialer;
	int log[2];
};

static int
open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct dns_settings settings = {.resolv_conf = scene->files.resolv_conf};
	struct diag diag;

	scene->budget.limit = 1 << 20;
	assert_int_equal(loop_init(&scene->loop, &scene->budget, &diag), 0);
	name_server_start(&scene->server, scene->loop.ev, "127.0.0.1", &settings.port);
	name_files_make(&scene->files, "");
	scene->dialer = dialer_new_with(&scene->loop, &settings, &diag);
	assert_non_null(scene->dialer);
	assert_int_equal(pipe2(scene->log, O_NONBLOCK | O_CLOEXEC), 0);
	struct log_settings log = {.level = LOG_LEVEL_WARNING, .fd = scene->log[1]};
	log_configure(&log);
	*state = scene;
	return 0;
}

static int
close_scene(void **state)
{
	struct scene *scene = *state;
	struct log_settings log = {.level = LOG_LEVEL_WARNING, .fd = STDERR_FILENO};

	log_configure(&log);
	(void)close(scene->log[0]);
	(void)close(scene->log[1]);
	dialer_free(scene->dialer);
	name_server_stop(&scene->server);
	loop_release(&scene->loop);
	name_files_remove(&scene->files);
	free(scene);
	return 0;
}

static struct endpoint
endpoint_of(uint32_t number)
{
	struct endpoint endpoint = {.length = sizeof(endpoint.v4)};

	endpoint.v4.sin_family = AF_INET;
	endpoint.v4.sin_port = htons(443);
	endpoint.v4.sin_addr.s_addr = htonl(number);
	return endpoint;
}

static bool
is_failing(struct scene *scene, uint32_t number)
{
	struct endpoint endpoint = endpoint_of(number);

	return dialer_is_failing(scene->dialer, &endpoint);
}

static void
note_failure(struct scene *scene, uint32_t number)
{
	struct endpoint endpoint = endpoint_of(number);

	dialer_note_failure(scene->dialer, &endpoint);
}

static void
run(struct scene *scene)
{
	for (int i = 0; i < 50; i++) {
		(void)ev_run(scene->loop.ev, EVRUN_NOWAIT);
		(void)usleep(2000);
	}
}

static void
a_failure_is_remembered_until_it_works(void **state)
{
	struct scene *scene = *state;
	struct endpoint second = endpoint_of(2);

	for (uint32_t i = 1; i <= 3; i++)
		note_failure(scene, i);
	note_failure(scene, 2);
	assert_true(is_failing(scene, 2));
	assert_false(is_failing(scene, 4));
	dialer_note_success(scene->dialer, &second);
	assert_true(is_failing(scene, 1));
	assert_false(is_failing(scene, 2));
	assert_true(is_failing(scene, 3));
}

static void
a_failure_is_forgotten_after_10_s(void **state)
{
	struct scene *scene = *state;

	note_failure(scene, 1);
	(void)usleep(9500 * 1000);
	assert_true(is_failing(scene, 1));
	(void)usleep(600 * 1000);
	assert_false(is_failing(scene, 1));
}

static void
failures_are_bounded_and_the_latest_are_kept(void **state)
{
	struct scene *scene = *state;

	for (uint32_t i = 1; i <= 1000; i++)
		note_failure(scene, i);
	assert_false(is_failing(scene, 1));
	for (uint32_t i = 900; i <= 1000; i++)
		assert_true(is_failing(scene, i));
}

/* Check the names of a service with an address, a name and a path; write what was logged to @line. */
static void
check(struct scene *scene, char *line, size_t size)
{
	static const struct address connect[] = {
		{.kind = ADDRESS_IP, .port = 1, .host = "127.0.0.1"},
		{.kind = ADDRESS_NAME, .port = 1, .host = "db.example.net"},
		{.kind = ADDRESS_UNIX, .host = "/nowhere"},
	};
	struct service_config config = {.name = "orders", .connect = connect, .connect_count = 3};
	struct service service = {.config = &config, .references = 1};

	dialer_check_names(scene->dialer, &service);
	assert_int_equal(service.references, 2);
	run(scene);
	assert_int_equal(service.references, 1);
	ssize_t length = read(scene->log[0], line, size - 1);
	line[length > 0 ? length : 0] = '\0';
}

static void
a_name_that_cannot_be_resolved_is_warned_of(void **state)
{
	struct scene *scene = *state;
	char line[512];

	scene->server.mood = SERVER_DENIES;
	check(scene, line, sizeof(line));
	assert_non_null(strstr(line,
		"service orders: connect: \"db.example.net\" cannot be resolved "
		"now: no such name; it is tried again for each connection"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
a_name_that_can_be_resolved_is_not(void **state)
{
	char line[512];

	check(*state, line, sizeof(line));
	assert_string_equal(line, "");
}

static void
a_check_that_is_not_over_is_forgotten_with_the_dialer(void **state)
{
	struct scene *scene = *state;
	static const struct address connect = {.kind = ADDRESS_NAME, .host = "db.example.net"};
	struct service_config config = {.name = "orders", .connect = &connect, .connect_count = 1};
	struct service service = {.config = &config, .references = 1};

	scene->server.mood = SERVER_SILENT;
	dialer_check_names(scene->dialer, &service);
	dialer_free(scene->dialer);
	scene->dialer = NULL;
	assert_int_equal(service.references, 1);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, open_scene, close_scene)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_failure_is_remembered_until_it_works),
		TEST(a_failure_is_forgotten_after_10_s),
		TEST(failures_are_bounded_and_the_latest_are_kept),
		TEST(a_name_that_cannot_be_resolved_is_warned_of),
		TEST(a_name_that_can_be_resolved_is_not),
		TEST(a_check_that_is_not_over_is_forgotten_with_the_dialer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
