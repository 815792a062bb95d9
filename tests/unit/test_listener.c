/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/log.h"
#include "tunnel/admission.h"
#include "tunnel/group.h"
#include "tunnel/listener.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"

enum { CLIENTS = 100 };

/* A loop with a door, and what tunnel_start()'s double was given. */
static struct {
	struct pool_budget budget;
	struct loop loop;
	struct admission admission;
	struct listener_door door;
	struct endpoint endpoint;
	struct service_config config;
	struct service first, second;
	int started[CLIENTS];
	struct service *started_for[CLIENTS];
	size_t count;
	int clients[CLIENTS];
	size_t client_count;
	int quiet;
} world;

static void
fake_start(struct loop *loop, struct group *group, int fd, const struct endpoint *client)
{
	assert_true(client->length > 0);
	assert_true(world.count < CLIENTS);
	world.started_for[world.count] = group_main(group);
	world.started[world.count++] = fd;
	loop->tunnel_count++;
}

/* The latest tunnel ends. */
static void
end_tunnel(void)
{
	close(world.started[--world.count]);
	world.loop.tunnel_count--;
	listener_door_wake(&world.door);
}

static int
listening_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	static unsigned number;

	world.endpoint = (struct endpoint){.local = {.sun_family = AF_UNIX}};
	int length = snprintf(world.endpoint.local.sun_path + 1, 60, "sallyport-test-%d-%u",
		(int)getpid(), number++);
	world.endpoint.length =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
	assert_int_equal(bind(fd, &world.endpoint.any, world.endpoint.length), 0);
	assert_int_equal(listen(fd, CLIENTS), 0);
	return fd;
}

static void
clients_connect(size_t count)
{
	while (count-- > 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, &world.endpoint.any, world.endpoint.length), 0);
		world.clients[world.client_count++] = fd;
	}
}

static void
turn_once(void)
{
	ev_run(world.loop.ev, EVRUN_NOWAIT);
}

/* Let the door have one listener of @address at @fd, or none if that is -1. */
static void
replace(const char *address, int fd, struct service *service, const struct listener_rule *rule)
{
	struct listener_rule everybody = {.judged = false};
	struct list wanted;

	list_init(&wanted);
	if (fd >= 0) {
		struct group *group = group_new(&service, 1);
		assert_non_null(group);
		assert_int_equal(
			listener_add(&wanted, address, fd, group, rule ? rule : &everybody), 0);
		group_unref(group);
	}
	listener_door_replace(&world.door, &wanted);
	assert_true(list_is_empty(&wanted));
}

static int
setup(void **state)
{
	struct log_settings log = {.level = LOG_LEVEL_DEBUG};
	static char name[] = "test";
	struct diag diag;

	(void)state;
	memset(&world, 0, sizeof(world));
	world.quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log.fd = world.quiet;
	log_configure(&log);
	world.budget.limit = 1 << 20;
	world.config.name = name;
	world.first = (struct service){.config = &world.config, .references = 1};
	world.second = (struct service){.config = &world.config, .references = 1};
	world.admission.limit = CLIENTS;
	assert_int_equal(loop_init(&world.loop, &world.budget, &diag), 0);
	listener_door_init(&world.door, &world.loop, &world.admission, fake_start);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	while (world.count > 0)
		end_tunnel();
	for (size_t i = 0; i < world.client_count; i++)
		close(world.clients[i]);
	listener_door_close(&world.door);
	assert_int_equal(world.admission.tunnels, 0);
	assert_int_equal(world.first.references, 1);
	assert_int_equal(world.second.references, 1);
	loop_release(&world.loop);
	close(world.quiet);
	return 0;
}

static void
a_turn_accepts_many_but_not_all(void **state)
{
	(void)state;
	replace("a", listening_socket(), &world.first, NULL);
	clients_connect(70);
	turn_once();
	assert_in_range(world.count, 16, 64);
	turn_once();
	turn_once();
	turn_once();
	assert_int_equal(world.count, 70);
}

static void
a_full_program_accepts_nothing_until_a_tunnel_ends(void **state)
{
	(void)state;
	world.admission.limit = 3;
	replace("a", listening_socket(), &world.first, NULL);
	clients_connect(5);
	turn_once();
	assert_int_equal(world.count, 3);
	assert_true(world.door.shut);
	turn_once();
	turn_once();
	assert_int_equal(world.count, 3);
	end_tunnel();
	turn_once();
	assert_int_equal(world.count, 3);
	assert_true(world.door.shut);
}

/* Tunnels of other workers end without a word to this one. */
static void
a_shut_door_looks_again_after_a_moment(void **state)
{
	size_t others = 0;

	(void)state;
	world.admission.limit = 1;
	admission_count(&world.admission, &others, 1);
	replace("a", listening_socket(), &world.first, NULL);
	clients_connect(1);
	turn_once();
	assert_int_equal(world.count, 0);
	admission_count(&world.admission, &others, 0);
	while (world.count == 0)
		ev_run(world.loop.ev, EVRUN_ONCE);
}

static void
without_descriptors_it_waits_and_does_not_spin(void **state)
{
	struct rlimit old, none;
	char byte;

	(void)state;
	replace("a", listening_socket(), &world.first, NULL);
	clients_connect(1);
	turn_once();
	clients_connect(1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	int lowest = dup(STDERR_FILENO);
	close(lowest);
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	turn_once();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(world.door.shut);
	turn_once();
	assert_int_equal(world.count, 1);
	if (recv(world.clients[1], &byte, 1, MSG_DONTWAIT) == 0)
		skip(); /* valgrind, which has a limit of its own, accepts and then closes */
	end_tunnel();
	turn_once();
	assert_int_equal(world.count, 1);
	assert_false(world.door.shut);
}

static void
a_kept_listener_keeps_its_socket_and_gets_the_new_service(void **state)
{
	(void)state;
	replace("a", listening_socket(), &world.first, NULL);
	clients_connect(1);
	turn_once();
	replace("a", dup(STDERR_FILENO), &world.second, NULL);
	clients_connect(1);
	turn_once();
	assert_int_equal(world.count, 2);
	assert_ptr_equal(world.started_for[0], &world.first);
	assert_ptr_equal(world.started_for[1], &world.second);
}

static void
a_listener_that_leaves_is_accepted_empty_with_its_own_service(void **state)
{
	(void)state;
	replace("a", listening_socket(), &world.first, NULL);
	clients_connect(64); /* full turns, after which nothing is left */
	struct endpoint old = world.endpoint;
	replace("b", listening_socket(), &world.second, NULL);
	for (int i = 0; i < 5; i++)
		turn_once();
	assert_int_equal(world.count, 64);
	assert_ptr_equal(world.started_for[63], &world.first);

	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, &old.any, old.length), -1);
	close(fd);
	replace(NULL, -1, NULL, NULL);
	assert_true(listener_door_is_empty(&world.door));
}

static void
a_full_program_keeps_a_leaving_listener_until_it_is_empty(void **state)
{
	(void)state;
	world.admission.limit = 1;
	replace("a", listening_socket(), &world.first, NULL);
	clients_connect(2);
	replace(NULL, -1, NULL, NULL);
	turn_once();
	assert_int_equal(world.count, 1);
	assert_false(listener_door_is_empty(&world.door));
	end_tunnel();
	turn_once();
	assert_int_equal(world.count, 1);
	end_tunnel();
	turn_once();
	assert_true(listener_door_is_empty(&world.door));
}

static void
only_the_named_users_may_connect_where_they_are_judged(void **state)
{
	struct listener_rule others = {.judged = true, .user_count = 1, .users = {getuid() + 1}};
	struct listener_rule own = {.judged = true, .user_count = 2, .users = {1, getuid()}};
	char byte;

	(void)state;
	replace("a", listening_socket(), &world.first, &others);
	clients_connect(1);
	turn_once();
	assert_int_equal(world.count, 0);
	assert_int_equal(world.first.counters.refused, 1);
	assert_int_equal(recv(world.clients[0], &byte, 1, 0), 0);
	replace("a", dup(STDERR_FILENO), &world.first, &own);
	clients_connect(1);
	turn_once();
	assert_int_equal(world.count, 1);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_turn_accepts_many_but_not_all),
		TEST(a_full_program_accepts_nothing_until_a_tunnel_ends),
		TEST(a_shut_door_looks_again_after_a_moment),
		TEST(without_descriptors_it_waits_and_does_not_spin),
		TEST(a_kept_listener_keeps_its_socket_and_gets_the_new_service),
		TEST(a_listener_that_leaves_is_accepted_empty_with_its_own_service),
		TEST(a_full_program_keeps_a_leaving_listener_until_it_is_empty),
		TEST(only_the_named_users_may_connect_where_they_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
