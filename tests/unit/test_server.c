/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/log.h"
#include "common/message.h"
#include "common/sealed.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/loopback.h"
#include "tunnel/generation.h"
#include "tunnel/protocol.h"
#include "tunnel/server.h"

enum { PATIENCE = 10 /* seconds */, WORKERS = 4 };

/* The server runs in a thread; the test is main, the clients and the backend, which speaks no TLS. */
struct fixture {
	int channel[2];
	pthread_t thread;
	pid_t id; /* of the thread */
	bool running, result;
	struct sockaddr_in front, back;
	int front_listener, backend_listener, client, backend;
	struct message message;
};

static struct fixture fixture;

static void *
serve(void *unused)
{
	(void)unused;
	fixture.id = gettid();
	fixture.result = server_run(fixture.channel[1]);
	return NULL;
}

static int
setup(void **state)
{
	struct diag diag;

	(void)state;
	log_configure(&(struct log_settings){.level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO});
	fixture = (struct fixture){.client = -1, .backend = -1};
	assert_int_equal(message_pair(fixture.channel, &diag), 0);
	fixture.front_listener = loopback_listen(SOCK_NONBLOCK, &fixture.front);
	fixture.backend_listener = loopback_listen(0, &fixture.back);
	assert_int_equal(pthread_create(&fixture.thread, NULL, serve, NULL), 0);
	fixture.running = true;
	return 0;
}

/* Wait for the server's end, and return what it says of it. */
static bool
result(void)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	assert_int_equal(pthread_timedjoin_np(fixture.thread, NULL, &until), 0);
	fixture.running = false;
	return fixture.result;
}

/* The backend goes; until then the end of its connection lingers for up to two seconds. */
static void
hang_up(void)
{
	if (fixture.backend >= 0)
		(void)close(fixture.backend);
	fixture.backend = -1;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(fixture.channel[0]);
	hang_up();
	(void)close(fixture.backend_listener);
	if (fixture.running)
		(void)result();
	(void)close(fixture.front_listener);
	if (fixture.client >= 0)
		(void)close(fixture.client);
	return 0;
}

static void
send_fds(enum protocol_kind kind, const int *fds, size_t count, uint64_t number)
{
	struct message *message = &fixture.message;
	struct diag diag;

	message->type = kind;
	message->number = number;
	message->length = 0;
	message->fd_count = count;
	memcpy(message->fds, fds, count * sizeof(*fds));
	assert_int_equal(protocol_send(fixture.channel[0], message, &diag), 0);
}

static void
say(enum protocol_kind kind)
{
	struct diag diag;

	assert_int_equal(protocol_say(fixture.channel[0], kind, "", &diag), 0);
}

/* The next message of the server, which must be of @kind. Returns its words. */
static const char *
hear(enum protocol_kind kind)
{
	struct pollfd polled = {.fd = fixture.channel[0], .events = POLLIN};
	struct diag diag;

	assert_int_equal(poll(&polled, 1, PATIENCE * 1000), 1);
	assert_int_equal(
		message_receive(fixture.channel[0], &fixture.message, &diag), MESSAGE_DONE);
	if (fixture.message.type != kind)
		fail_msg("%u: %s", fixture.message.type, fixture.message.text);
	return fixture.message.text;
}

/* Offer a generation with one service, whose text has @program and @service besides what it needs. */
static void
offer(uint32_t workers, const char *program, const char *service)
{
	char name[] = "test.conf", data[512];
	struct generation generation = {.workers = workers};
	struct generation_listener listener = {.sockets = 1};
	struct config_text text = {.name = name, .data = data};
	struct diag diag;
	uint8_t *bytes;
	size_t size;

	text.size = (size_t)snprintf(data, sizeof(data),
		"%s[e]\nmode = encrypt\naccept = 127.0.0.1:%u\nconnect = 127.0.0.1:%u\n"
		"cert = none\nverify = no\n%s",
		program, ntohs(fixture.front.sin_port), ntohs(fixture.back.sin_port), service);
	assert_int_equal(config_texts_add(&generation.texts, &text, &diag), 0);
	assert_int_equal(generation_add(&generation, &listener, &diag), 0);
	assert_int_equal(generation_encode(&generation, &bytes, &size, &diag), 0);
	int sealed = sealed_new(bytes, size, &diag);
	assert_true(sealed >= 0);
	send_fds(PROTOCOL_GENERATION, &sealed, 1, 0);
	(void)close(sealed);
	generation_wipe(bytes, size);
	generation_release(&generation);
}

static void
offer_with_socket(uint32_t workers, const char *program, const char *service)
{
	send_fds(PROTOCOL_SOCKETS, &fixture.front_listener, 1, 0);
	offer(workers, program, service);
}

static void
start(const char *program)
{
	offer_with_socket(1, program, "");
	assert_string_equal(hear(PROTOCOL_ACCEPTED), "");
	say(PROTOCOL_COMMIT);
	assert_string_equal(hear(PROTOCOL_COMMITTED), "");
}

static void
call(void)
{
	fixture.client = loopback_connect(&fixture.front);
	assert_true(fixture.client >= 0);
}

/* A client whose tunnel waits for the backend's handshake. */
static void
open_tunnel(void)
{
	call();
	fixture.backend = accept(fixture.backend_listener, NULL, NULL);
	assert_true(fixture.backend >= 0);
}

static void
expect_client_reset(void)
{
	char byte;

	assert_int_equal(recv(fixture.client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

static void
nothing_runs_before_it_is_committed(void **state)
{
	struct pollfd polled = {.fd = fixture.backend_listener, .events = POLLIN};

	(void)state;
	offer_with_socket(1, "", "");
	assert_string_equal(hear(PROTOCOL_ACCEPTED), "");
	call();
	assert_int_equal(poll(&polled, 1, 50), 0);
	say(PROTOCOL_COMMIT);
	(void)hear(PROTOCOL_COMMITTED);
	fixture.backend = accept(fixture.backend_listener, NULL, NULL);
	assert_true(fixture.backend >= 0);
}

static bool
says_nothing(void)
{
	struct pollfd polled = {.fd = fixture.channel[0], .events = POLLIN};

	return poll(&polled, 1, 50) == 0;
}

static void
nobody_is_served_by_what_was_replaced_once_it_is_committed(void **state)
{
	(void)state;
	offer_with_socket(WORKERS, "", "");
	(void)hear(PROTOCOL_ACCEPTED);
	say(PROTOCOL_COMMIT);
	(void)hear(PROTOCOL_COMMITTED);
	for (int i = 0; i < 100; i++) {
		struct sockaddr_in former = fixture.front;
		(void)close(fixture.front_listener);
		fixture.front_listener = loopback_listen(SOCK_NONBLOCK, &fixture.front);
		offer_with_socket(WORKERS, "", "");
		(void)hear(PROTOCOL_ACCEPTED);
		say(PROTOCOL_COMMIT);
		(void)hear(PROTOCOL_COMMITTED);
		assert_int_equal(loopback_connect(&former), -1);
	}
	assert_true(says_nothing());
}

/* Where a thread says that it is held, and waits until it is let go. */
static int held[2], let_go[2];

static void
hold(int number)
{
	char byte = 0;

	(void)number;
	if (write(held[1], &byte, 1) != 1 || read(let_go[0], &byte, 1) != 1)
		abort();
}

/* Hold the thread @id, and commit something. Does the server say nothing of it meanwhile? */
static bool
is_waited_for(pid_t id)
{
	char byte = 0;

	assert_int_equal(tgkill(getpid(), id, SIGUSR1), 0);
	assert_int_equal(read(held[0], &byte, 1), 1);
	offer_with_socket(WORKERS, "", "");
	(void)hear(PROTOCOL_ACCEPTED);
	say(PROTOCOL_COMMIT);
	bool waits = says_nothing();
	assert_int_equal(write(let_go[1], &byte, 1), 1);
	(void)hear(PROTOCOL_COMMITTED);
	return waits;
}

/* Of the server's threads these are the workers; on a slow machine it may look so of others too. */
static void
every_worker_is_waited_for_before_it_is_committed(void **state)
{
	unsigned count = 0;

	(void)state;
	assert_int_equal(pipe(held), 0);
	assert_int_equal(pipe(let_go), 0);
	assert_true(signal(SIGUSR1, hold) != SIG_ERR);
	offer_with_socket(WORKERS, "", "");
	(void)hear(PROTOCOL_ACCEPTED);
	say(PROTOCOL_COMMIT);
	(void)hear(PROTOCOL_COMMITTED);
	DIR *directory = opendir("/proc/self/task");
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
		if (id > 0 && id != getpid() && id != fixture.id && is_waited_for(id))
			count++;
	}
	(void)closedir(directory);
	assert_true(count >= WORKERS);
	(void)signal(SIGUSR1, SIG_DFL);
	for (int i = 0; i < 2; i++) {
		(void)close(held[i]);
		(void)close(let_go[i]);
	}
}

static void
what_was_not_accepted_is_not_committed(void **state)
{
	(void)state;
	say(PROTOCOL_COMMIT);
	assert_true(says_nothing());
	start("");
	say(PROTOCOL_COMMIT);
	assert_true(says_nothing());
}

static void
a_commit_that_an_end_follows_hinders_nothing(void **state)
{
	(void)state;
	offer_with_socket(WORKERS, "", "");
	(void)hear(PROTOCOL_ACCEPTED);
	say(PROTOCOL_COMMIT);
	say(PROTOCOL_DRAIN);
	assert_true(result());
}

static void
a_drained_server_ends_well_when_its_last_tunnel_has_ended(void **state)
{
	(void)state;
	start("");
	open_tunnel();
	say(PROTOCOL_DRAIN);
	hang_up();
	expect_client_reset();
	assert_true(result());
}

static void
a_bad_generation_is_refused_with_words_and_the_good_one_goes_on(void **state)
{
	(void)state;
	start("");
	offer_with_socket(1, "", "idle-timeout = soon\n");
	assert_non_null(strstr(hear(PROTOCOL_REFUSED), "test.conf:7: service e: idle-timeout: "));
	say(PROTOCOL_COMMIT);
	open_tunnel();
}

static void
a_generation_without_its_sockets_is_refused(void **state)
{
	(void)state;
	offer(1, "", "");
	assert_string_equal(hear(PROTOCOL_REFUSED), "0 listening sockets came instead of 1\n");
}

static void
sockets_of_a_refused_generation_are_not_those_of_the_next(void **state)
{
	(void)state;
	send_fds(PROTOCOL_SOCKETS, &fixture.front_listener, 1, 0);
	send_fds(PROTOCOL_GENERATION, &fixture.front_listener, 0, 0);
	(void)hear(PROTOCOL_REFUSED);
	offer(1, "", "");
	assert_string_equal(hear(PROTOCOL_REFUSED), "0 listening sockets came instead of 1\n");
}

static void
bytes_that_are_missing_or_not_sealed_are_refused(void **state)
{
	(void)state;
	send_fds(PROTOCOL_GENERATION, &fixture.front_listener, 0, 0);
	assert_string_equal(hear(PROTOCOL_REFUSED), "a generation came without its bytes\n");
	send_fds(PROTOCOL_GENERATION, &fixture.front_listener, 1, 0);
	assert_true(strlen(hear(PROTOCOL_REFUSED)) > 1);
}

/* Allow this process, which is the server, too, no more descriptors than it has; returns what it was allowed. */
static struct rlimit
fill_descriptors(void)
{
	struct rlimit old, full;
	int next = dup(fixture.client);

	assert_true(next >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	full = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max};
	(void)close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &full), 0);
	return old;
}

static void
descriptors_that_do_not_fit_cut_no_tunnel(void **state)
{
	(void)state;
	need_limit_of_descriptors();
	start("");
	open_tunnel();
	struct rlimit old = fill_descriptors();
	send_fds(PROTOCOL_LOG, &fixture.front_listener, 1, 0);
	send_fds(PROTOCOL_SOCKETS, &fixture.front_listener, 1, 0);
	send_fds(PROTOCOL_GENERATION, &fixture.front_listener, 1, 0);
	assert_string_equal(hear(PROTOCOL_REFUSED), "a generation came without its bytes\n");
	send_fds(PROTOCOL_CHANNELS, &fixture.front_listener, 1, 0);
	(void)hear(PROTOCOL_LOST);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	struct pollfd polled = {.fd = fixture.client, .events = POLLIN};
	assert_int_equal(poll(&polled, 1, 50), 0);
	offer_with_socket(1, "", "");
	assert_string_equal(hear(PROTOCOL_ACCEPTED), "");
}

static void
the_number_of_workers_is_for_good(void **state)
{
	(void)state;
	start("");
	offer_with_socket(2, "", "");
	assert_string_equal(
		hear(PROTOCOL_REFUSED), "the number of workers changes only by a restart\n");
	offer_with_socket(1, "", "");
	(void)hear(PROTOCOL_ACCEPTED);
}

static void
an_abort_cuts_the_tunnels_and_is_no_good_end(void **state)
{
	(void)state;
	start("");
	open_tunnel();
	say(PROTOCOL_ABORT);
	expect_client_reset();
	hang_up();
	assert_false(result());
}

static void
an_abort_of_nothing_is_a_good_end(void **state)
{
	(void)state;
	start("");
	say(PROTOCOL_ABORT);
	assert_true(result());
}

static void
a_drain_that_takes_too_long_becomes_an_abort(void **state)
{
	(void)state;
	start("drain-timeout = 100ms\n");
	open_tunnel();
	say(PROTOCOL_DRAIN);
	expect_client_reset();
	hang_up();
	assert_false(result());
}

static void
a_main_that_is_gone_ends_the_server_and_is_no_good_end(void **state)
{
	(void)state;
	start("");
	(void)shutdown(fixture.channel[0], SHUT_RDWR);
	assert_false(result());
}

static void
it_logs_to_the_descriptor_that_main_gives(void **state)
{
	struct log_settings settings = {.level = LOG_LEVEL_ERROR};
	char words[512] = "";
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	send_fds(PROTOCOL_LOG, &pipe_fds[1], 1, protocol_log_number(&settings));
	(void)close(pipe_fds[1]);
	say(PROTOCOL_REFUSED);
	assert_true(read(pipe_fds[0], words, sizeof(words) - 1) > 0);
	assert_non_null(strstr(words, "which means nothing"));
	say(PROTOCOL_DRAIN);
	assert_true(result());
	assert_int_equal(read(pipe_fds[0], words, sizeof(words)), 0);
	(void)close(pipe_fds[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_runs_before_it_is_committed),
		TEST(nobody_is_served_by_what_was_replaced_once_it_is_committed),
		TEST(every_worker_is_waited_for_before_it_is_committed),
		TEST(what_was_not_accepted_is_not_committed),
		TEST(a_commit_that_an_end_follows_hinders_nothing),
		TEST(a_drained_server_ends_well_when_its_last_tunnel_has_ended),
		TEST(a_bad_generation_is_refused_with_words_and_the_good_one_goes_on),
		TEST(a_generation_without_its_sockets_is_refused),
		TEST(sockets_of_a_refused_generation_are_not_those_of_the_next),
		TEST(bytes_that_are_missing_or_not_sealed_are_refused),
		TEST(descriptors_that_do_not_fit_cut_no_tunnel),
		TEST(the_number_of_workers_is_for_good),
		TEST(an_abort_cuts_the_tunnels_and_is_no_good_end),
		TEST(an_abort_of_nothing_is_a_good_end),
		TEST(a_drain_that_takes_too_long_becomes_an_abort),
		TEST(a_main_that_is_gone_ends_the_server_and_is_no_good_end),
		TEST(it_logs_to_the_descriptor_that_main_gives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
