/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/text.h"
#include "tests/unit/loopback.h"
#include "tests/unit/name_files.h"
#include "tests/unit/timed.h"
#include "tunnel/dial.h"
#include "tunnel/dialer.h"
#include "tunnel/dns.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/transport.h"

enum { TARGETS = 40 };

/* A plaintext service that connects to real sockets on the loopback. */
struct scene {
	struct pool_budget budget;
	struct loop loop;
	struct name_files files;
	struct address targets[TARGETS];
	struct service_config config;
	struct service service;
	size_t descriptors; /* that were open at the beginning */

	struct dial_waiter waiter;
	unsigned told;
	struct transport *transport;
	struct endpoint endpoint;
	struct diag diag;
	bool timed_out;
};

static size_t
count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	(void)closedir(directory);
	return count;
}

static void
on_done(struct dial_waiter *waiter, const struct dial_result *result)
{
	struct scene *scene = container_of(waiter, struct scene, waiter);

	assert_true((result->transport == NULL) == (result->diag != NULL));
	scene->told++;
	scene->transport = result->transport;
	scene->endpoint = result->endpoint;
	scene->timed_out = result->timed_out;
	if (result->diag)
		scene->diag = *result->diag;
	ev_break(scene->loop.ev, EVBREAK_ONE);
}

static int
open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	/* Nobody answers at port 9 of the loopback. */
	struct dns_settings settings = {
		.resolv_conf = scene->files.resolv_conf, .port = 9, .hosts_of_environment = true};
	struct diag diag;

	name_files_make(&scene->files, "198.51.100.7 far\n::1 both\n127.0.0.1 both\n");

	scene->budget.limit = 1 << 20;
	assert_int_equal(loop_init(&scene->loop, &scene->budget, &diag), 0);
	scene->loop.dialer = dialer_new_with(&scene->loop, &settings, &diag);
	assert_non_null(scene->loop.dialer);
	scene->config = (struct service_config){.name = "test",
		.connect = scene->targets,
		.connect_timeout = 10.,
		.keepalive = 60.};
	scene->service = (struct service){.config = &scene->config, .references = 1};
	scene->waiter.done = on_done;
	scene->descriptors = count_descriptors();
	*state = scene;
	return 0;
}

static int
close_scene(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(scene->service.references, 1);
	dialer_free(scene->loop.dialer);
	loop_release(&scene->loop);
	name_files_remove(&scene->files);
	free(scene);
	return 0;
}

static void
add_target(struct scene *scene, const char *text)
{
	struct address *address = &scene->targets[scene->config.connect_count++];
	struct diag diag;

	assert_int_equal(address_parse(address, text, false, &diag), 0);
}

static void
add_port(struct scene *scene, const struct sockaddr_in *address)
{
	scene->targets[scene->config.connect_count++] = (struct address){
		.kind = ADDRESS_IP, .host = "127.0.0.1", .port = ntohs(address->sin_port)};
}

/* Add a target that is bound, and nobody listens. Returns the socket. */
static int
add_refusing(struct scene *scene)
{
	struct sockaddr_in address;
	int fd = loopback_bind(0, &address);

	add_port(scene, &address);
	return fd;
}

static int
add_good(struct scene *scene)
{
	struct sockaddr_in address;
	int fd = loopback_listen(0, &address);

	add_port(scene, &address);
	return fd;
}

static void
add_hole(struct scene *scene, struct loopback_hole *hole)
{
	struct sockaddr_in address;

	loopback_hole_open(hole, &address);
	add_port(scene, &address);
}

static struct endpoint
target(const struct scene *scene, size_t index)
{
	struct endpoint endpoint;

	address_endpoint(&scene->targets[index], &endpoint);
	return endpoint;
}

static void
assert_reached(const struct scene *scene, size_t index)
{
	struct endpoint endpoint = target(scene, index);

	assert_non_null(scene->transport);
	assert_true(endpoint_is_equal(&scene->endpoint, &endpoint));
}

static void
run(struct scene *scene, double seconds)
{
	(void)timed_run(scene->loop.ev, seconds);
}

static struct dial *
start(struct scene *scene)
{
	struct dial *dial = dial_start(&scene->loop, &scene->service, &scene->waiter);

	assert_non_null(dial);
	return dial;
}

/* Dial, and return how long it took. */
static double
dial(struct scene *scene)
{
	double begin = clock_seconds();

	scene->told = 0;
	(void)start(scene);
	assert_int_equal(scene->told, 0);
	run(scene, 20.);
	assert_int_equal(scene->told, 1);
	return clock_seconds() - begin;
}

static void
hang_up(struct scene *scene)
{
	assert_null(scene->transport->stream.waker);
	transport_free(scene->transport);
	scene->transport = NULL;
}

static void
the_waiter_is_told_from_the_loop_even_if_it_was_at_once(void **state)
{
	struct scene *scene = *state;
	struct endpoint endpoint;
	char text[64];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(text, sizeof(text), "unix:@test_dial.%d", (int)getpid());
	add_target(scene, text);
	endpoint = target(scene, 0);
	assert_int_equal(bind(fd, &endpoint.any, endpoint.length), 0);
	assert_int_equal(listen(fd, 1), 0);
	(void)dial(scene);
	assert_reached(scene, 0);
	hang_up(scene);
	(void)close(fd);
}

static void
a_refusing_address_is_followed_at_once_and_goes_last_from_then_on(void **state)
{
	struct scene *scene = *state;
	int refusing = add_refusing(scene), good = add_good(scene);

	assert_true(dial(scene) < 0.2);
	assert_reached(scene, 1);
	hang_up(scene);
	assert_int_equal(listen(refusing, 8), 0);
	(void)dial(scene);
	assert_reached(scene, 1);
	hang_up(scene);
	(void)close(good);
	(void)dial(scene); /* and last is not never */
	assert_reached(scene, 0);
	hang_up(scene);
	(void)close(refusing);
}

static void
a_black_hole_costs_a_quarter_of_a_second_and_no_descriptor(void **state)
{
	struct scene *scene = *state;
	struct loopback_hole hole;

	add_hole(scene, &hole);
	int good = add_good(scene);
	double seconds = dial(scene);
	assert_reached(scene, 1);
	assert_true(seconds > 0.2 && seconds < 0.5);
	assert_int_equal(count_descriptors(), scene->descriptors + 4 + 1);
	hang_up(scene);
	loopback_hole_close(&hole);
	(void)close(good);
}

static void
when_all_refuse_there_is_a_clause_for_each(void **state)
{
	struct scene *scene = *state;
	int first = add_refusing(scene), second = add_refusing(scene);
	char words[256];

	(void)dial(scene);
	(void)snprintf(words, sizeof(words),
		"connect to 127.0.0.1:%d: Connection refused; "
		"connect to 127.0.0.1:%d: Connection refused",
		scene->targets[0].port, scene->targets[1].port);
	assert_string_equal(scene->diag.text, words);
	assert_false(scene->timed_out);
	struct endpoint last = target(scene, 1);
	assert_true(endpoint_is_equal(&scene->endpoint, &last));
	(void)close(first);
	(void)close(second);
}

static void
words_are_cut_and_say_so(void **state)
{
	struct scene *scene = *state;
	int fds[TARGETS];

	for (int i = 0; i < TARGETS; i++)
		fds[i] = add_refusing(scene);
	(void)dial(scene);
	assert_int_equal(strlen(scene->diag.text), DIAG_SIZE - 1);
	assert_string_equal(scene->diag.text + DIAG_SIZE - 1 - 3, "...");
	for (int i = 0; i < TARGETS; i++)
		(void)close(fds[i]);
}

static void
connect_timeout_ends_it_with_words(void **state)
{
	struct scene *scene = *state;
	struct loopback_hole hole;

	add_hole(scene, &hole);
	scene->config.connect_timeout = 0.4;
	struct endpoint endpoint = target(scene, 0);
	double seconds = dial(scene);
	assert_null(scene->transport);
	assert_true(seconds > 0.35 && seconds < 1.);
	assert_true(scene->timed_out);
	assert_non_null(strstr(scene->diag.text, "no answer within the connect-timeout of 0.4 s"));
	assert_true(dialer_is_failing(scene->loop.dialer, &endpoint));
	assert_int_equal(count_descriptors(), scene->descriptors + 3);
	loopback_hole_close(&hole);
}

static void
both_families_of_a_name_are_tried(void **state)
{
	struct scene *scene = *state;
	int good = add_good(scene);
	char text[32];

	(void)snprintf(text, sizeof(text), "both:%d", scene->targets[0].port);
	scene->config.connect_count = 0;
	add_target(scene, text);
	(void)dial(scene);
	assert_non_null(scene->transport);
	assert_int_equal(scene->endpoint.any.sa_family, AF_INET);
	hang_up(scene);
	(void)close(good);
}

static void
a_name_that_cannot_be_resolved_says_so_and_the_next_target_is_tried(void **state)
{
	struct scene *scene = *state;

	add_target(scene, "db.example.net:5432");
	(void)dial(scene);
	assert_null(scene->transport);
	assert_string_equal(scene->diag.text,
		"\"db.example.net\" cannot be resolved: "
		"no DNS server can be reached, or all of them fail");
	int good = add_good(scene);
	assert_true(dial(scene) < 0.2);
	assert_reached(scene, 1);
	hang_up(scene);
	(void)close(good);
}

static void
plaintext_does_not_leave_the_machine_unless_that_is_allowed(void **state)
{
	static const char *const targets[] = {"192.0.2.1:5432", "far:5432"};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		scene->config.connect_count = 0;
		add_target(scene, targets[i]);
		assert_true(dial(scene) < 0.2);
		assert_null(scene->transport);
		assert_non_null(strstr(scene->diag.text, "allow-remote-plaintext"));
	}
	/* 0.0.0.0 is not called local, though Linux takes it for this machine. */
	scene->config.connect_count = 0;
	int good = add_good(scene);
	(void)snprintf(scene->targets[0].host, sizeof(scene->targets[0].host), "0.0.0.0");
	(void)dial(scene);
	assert_null(scene->transport);
	scene->config.allow_remote_plaintext = true;
	(void)dial(scene);
	assert_reached(scene, 0);
	hang_up(scene);
	(void)close(good);
}

static void
a_stopped_dial_leaves_nothing_behind(void **state)
{
	struct scene *scene = *state;
	struct loopback_hole hole;

	add_hole(scene, &hole);
	add_target(scene, "db.example.net:5432");
	dial_stop(NULL);
	dial_stop(start(scene)); /* before it has begun */
	for (int i = 0; i < 3; i++) {
		struct dial *stopped = start(scene);

		run(scene, 0.13 * i); /* the second one with the name asked for */
		dial_stop(stopped);
	}
	run(scene, 0.1);
	scene->config.connect_count = 0;
	add_target(scene, "other.example.net:5432");
	struct dial *resolving = start(scene);
	(void)ev_run(scene->loop.ev, EVRUN_NOWAIT);
	dial_stop(resolving);
	run(scene, 0.1);
	assert_int_equal(scene->told, 0);
	assert_int_equal(count_descriptors(), scene->descriptors + 3);
	loopback_hole_close(&hole);
}

static void
without_descriptors_it_fails_with_words(void **state)
{
	struct scene *scene = *state;
	int good = add_good(scene);
	struct rlimit old, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	(void)dial(scene);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(scene->transport);
	assert_non_null(strstr(scene->diag.text, "Too many open files"));
	(void)close(good);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, open_scene, close_scene)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_waiter_is_told_from_the_loop_even_if_it_was_at_once),
		TEST(a_refusing_address_is_followed_at_once_and_goes_last_from_then_on),
		TEST(a_black_hole_costs_a_quarter_of_a_second_and_no_descriptor),
		TEST(when_all_refuse_there_is_a_clause_for_each),
		TEST(words_are_cut_and_say_so),
		TEST(connect_timeout_ends_it_with_words),
		TEST(both_families_of_a_name_are_tried),
		TEST(a_name_that_cannot_be_resolved_says_so_and_the_next_target_is_tried),
		TEST(plaintext_does_not_leave_the_machine_unless_that_is_allowed),
		TEST(a_stopped_dial_leaves_nothing_behind),
		TEST(without_descriptors_it_fails_with_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
