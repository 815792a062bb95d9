/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/list.h"
#include "common/log.h"
#include "common/pool.h"
#include "common/socket.h"
#include "tests/unit/loopback.h"
#include "tunnel/admission.h"
#include "tunnel/listener.h"
#include "tunnel/group.h"
#include "tunnel/place.h"
#include "tunnel/service.h"
#include "tunnel/worker.h"

enum { PATIENCE = 10 /* seconds */ };

/* A worker with plaintext on both sides; the test is its clients and its backend. */
struct fixture {
	struct pool_budget budget;
	struct admission admission;
	struct places places;
	struct worker_common common;
	struct address target;
	struct service_config config;
	struct service service;
	struct worker *worker;
	struct sockaddr_in front;
	int backend_listener, client, backend;
};

static struct fixture fixture;

/* Have the worker listen on a new socket, on @name as far as it knows. */
static void
listen_on(const char *name, struct sockaddr_in *address)
{
	static const struct listener_rule everybody;
	struct service *service = &fixture.service;
	struct group *group = group_new(&service, 1);
	struct list listeners;
	int fd = loopback_listen(SOCK_NONBLOCK, address);

	assert_non_null(group);

	list_init(&listeners);
	assert_int_equal(listener_add(&listeners, name, fd, group, &everybody), 0);
	group_unref(group);
	worker_listen(fixture.worker, &listeners);
	assert_true(list_is_empty(&listeners));
}

static int
setup(void **state)
{
	struct sockaddr_in address;
	struct diag diag;

	(void)state;
	log_configure(&(struct log_settings){.level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO});
	fixture = (struct fixture){
		.budget.limit = 16 << 20, .admission.limit = 100, .client = -1, .backend = -1};
	fixture.common = (struct worker_common){
		.budget = &fixture.budget,
		.admission = &fixture.admission,
		.places = &fixture.places,
		.news = eventfd(0, EFD_CLOEXEC),
	};
	fixture.backend_listener = loopback_listen(0, &address);
	fixture.target = (struct address){.kind = ADDRESS_IP, .host = "127.0.0.1"};
	fixture.target.port = ntohs(address.sin_port);
	fixture.config = (struct service_config){
		.name = "test",
		.mode = MODE_ENCRYPT,
		.connect = &fixture.target,
		.connect_count = 1,
		.connect_timeout = PATIENCE,
	};
	fixture.service = (struct service){.config = &fixture.config, .references = 1};
	fixture.worker = worker_new(&fixture.common, 0, &diag);
	assert_non_null(fixture.worker);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* A test that has failed may have left a tunnel, for which the thread would wait. */
	if (fixture.worker)
		worker_abort(fixture.worker, "the test is over");
	worker_free(fixture.worker);
	assert_int_equal(fixture.service.references, 1);
	assert_int_equal(fixture.budget.used, 0);
	(void)close(fixture.common.news);
	(void)close(fixture.backend_listener);
	if (fixture.client >= 0)
		(void)close(fixture.client);
	if (fixture.backend >= 0)
		(void)close(fixture.backend);
	return 0;
}

/* Connect to @address. -1 if that is refused, or the listener is closed meanwhile. */
static int
call(const struct sockaddr_in *address)
{
	int fd = loopback_connect(address);

	assert_true(fd >= 0 || errno == ECONNREFUSED || errno == ECONNRESET);
	return fd;
}

static void
open_tunnel(void)
{
	fixture.client = call(&fixture.front);
	assert_true(fixture.client >= 0);
	fixture.backend = accept(fixture.backend_listener, NULL, NULL);
	assert_true(fixture.backend >= 0);
}

static void
carry(int from, int to, const char *word)
{
	char bytes[16] = "";
	size_t length = strlen(word);

	assert_int_equal(send(from, word, length, 0), (ssize_t)length);
	assert_int_equal(recv(to, bytes, length, MSG_WAITALL), (ssize_t)length);
	assert_string_equal(bytes, word);
}

/* Until nobody listens at @address. Whoever still got in leaves no tunnel behind. */
static void
wait_until_refused(const struct sockaddr_in *address)
{
	for (int i = 0; i < PATIENCE * 100; i++) {
		int fd = call(address);
		if (fd < 0)
			return;
		socket_reset(fd);
		(void)poll(NULL, 0, 10);
	}
	fail_msg("it still listens");
}

/* Returns how many there were. */
static uint64_t
wait_for_news(void)
{
	struct pollfd polled = {.fd = fixture.common.news, .events = POLLIN};
	uint64_t news = 0;

	assert_int_equal(poll(&polled, 1, PATIENCE * 1000), 1);
	assert_int_equal(read(fixture.common.news, &news, sizeof(news)), sizeof(news));
	return news;
}

static void
wait_until_current(void)
{
	while (!worker_is_current(fixture.worker))
		(void)wait_for_news();
}

static void
wait_for_end(void)
{
	while (!worker_has_ended(fixture.worker))
		(void)wait_for_news();
}

static void
what_it_listens_on_is_served(void **state)
{
	(void)state;
	listen_on("a", &fixture.front);
	open_tunnel();
	carry(fixture.client, fixture.backend, "ask");
	carry(fixture.backend, fixture.client, "answer");
	assert_false(worker_has_ended(fixture.worker));
	worker_abort(fixture.worker, "the test is over");
}

static void
a_drained_worker_refuses_new_clients_and_ends_with_its_last_tunnel(void **state)
{
	(void)state;
	listen_on("a", &fixture.front);
	open_tunnel();
	worker_drain(fixture.worker);
	wait_until_refused(&fixture.front);
	carry(fixture.client, fixture.backend, "ask");
	carry(fixture.backend, fixture.client, "answer");
	assert_false(worker_has_ended(fixture.worker));
	assert_int_equal(shutdown(fixture.client, SHUT_WR), 0);
	assert_int_equal(shutdown(fixture.backend, SHUT_WR), 0);
	wait_for_end();
	assert_int_equal(worker_aborted(fixture.worker), 0);
}

static void
a_drained_worker_without_tunnels_ends(void **state)
{
	(void)state;
	listen_on("a", &fixture.front);
	worker_drain(fixture.worker);
	wait_for_end();
	assert_int_equal(call(&fixture.front), -1);
}

static void
an_abort_resets_the_tunnels_and_counts_them(void **state)
{
	char byte;

	(void)state;
	listen_on("a", &fixture.front);
	open_tunnel();
	carry(fixture.client, fixture.backend, "ask");
	worker_abort(fixture.worker, "the test says so");
	wait_for_end();
	assert_int_equal(recv(fixture.client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(recv(fixture.backend, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(worker_aborted(fixture.worker), 1);
	assert_int_equal(fixture.admission.tunnels, 0);
}

static void
later_listeners_replace_earlier_ones(void **state)
{
	struct sockaddr_in former;

	(void)state;
	listen_on("a", &former);
	listen_on("b", &fixture.front);
	open_tunnel();
	carry(fixture.client, fixture.backend, "ask");
	wait_until_refused(&former);
	worker_abort(fixture.worker, "the test is over");
}

static void
it_tells_once_when_it_has_taken_its_listeners(void **state)
{
	struct pollfd polled = {.fd = fixture.common.news, .events = POLLIN};
	struct sockaddr_in former;

	(void)state;
	assert_true(worker_is_current(fixture.worker));
	assert_int_equal(poll(&polled, 1, 50), 0);
	listen_on("a", &former);
	assert_int_equal(wait_for_news(), 1);
	assert_true(worker_is_current(fixture.worker));
	/* Once it has, nobody is served any more by what it replaces. */
	for (int i = 0; i < 200; i++) {
		listen_on(i % 2 ? "a" : "b", &fixture.front);
		wait_until_current();
		assert_int_equal(call(&former), -1);
		former = fixture.front;
	}
	worker_drain(fixture.worker);
	wait_for_end();
}

static void
nothing_but_listeners_and_its_end_is_news(void **state)
{
	(void)state;
	listen_on("a", &fixture.front);
	open_tunnel();
	assert_int_equal(wait_for_news(), 1);
	worker_drain(fixture.worker);
	wait_until_refused(&fixture.front);
	struct pollfd polled = {.fd = fixture.common.news, .events = POLLIN};
	assert_int_equal(poll(&polled, 1, 50), 0);
	worker_abort(fixture.worker, "the test is over");
	assert_int_equal(wait_for_news(), 1);
	assert_true(worker_has_ended(fixture.worker));
}

static void
a_worker_that_drains_takes_listeners_and_drops_them(void **state)
{
	struct sockaddr_in late;

	(void)state;
	listen_on("a", &fixture.front);
	open_tunnel();
	worker_drain(fixture.worker);
	wait_until_refused(&fixture.front);
	listen_on("b", &late);
	wait_until_current();
	assert_int_equal(call(&late), -1);
	worker_abort(fixture.worker, "the test is over");
}

static void
listeners_that_come_while_it_drains_are_closed(void **state)
{
	(void)state;
	worker_drain(fixture.worker);
	wait_for_end();
	listen_on("a", &fixture.front);
	worker_free(fixture.worker);
	fixture.worker = NULL;
	assert_int_equal(call(&fixture.front), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_listens_on_is_served),
		TEST(a_drained_worker_refuses_new_clients_and_ends_with_its_last_tunnel),
		TEST(a_drained_worker_without_tunnels_ends),
		TEST(an_abort_resets_the_tunnels_and_counts_them),
		TEST(later_listeners_replace_earlier_ones),
		TEST(it_tells_once_when_it_has_taken_its_listeners),
		TEST(nothing_but_listeners_and_its_end_is_news),
		TEST(a_worker_that_drains_takes_listeners_and_drops_them),
		TEST(listeners_that_come_while_it_drains_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
