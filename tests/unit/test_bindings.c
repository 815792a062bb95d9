/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/loopback.h"
#include "tunnel/bindings.h"

/* A double of socket_listen() that hands out pipes' ends, and can fail. */
static struct {
	int calls;
	int fail_at; /* the call that fails; 0: none */
	enum socket_share shares[16];
} fake;

static int
fake_listen(const struct address *address, const struct socket_options *options, struct diag *diag)
{
	(void)address;
	fake.shares[fake.calls++] = options->share;
	if (fake.calls == fake.fail_at)
		return diag_set(diag, "in use");
	return dup(STDERR_FILENO);
}

static bool
is_open(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0;
}

static void
setup(void)
{
	memset(&fake, 0, sizeof(fake));
}

static int
add(struct bindings *next, const struct bindings *present, const char *text, unsigned workers)
{
	struct socket_options options = {.mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1};
	struct address address;
	struct diag diag;

	assert_int_equal(address_parse(&address, text, true, &diag), 0);
	next->listen = next->listen ? next->listen : fake_listen;
	return bindings_add(next, present, &address, &options, workers, &diag);
}

static void
the_first_socket_asks_whether_the_address_is_free_and_the_others_follow(void **state)
{
	struct bindings none = {0}, next = {0};

	(void)state;
	setup();
	assert_int_equal(add(&next, &none, "127.0.0.1:1", 3), 0);
	assert_int_equal(fake.calls, 3);
	assert_int_equal(fake.shares[0], SOCKET_FIRST);
	assert_int_equal(fake.shares[1], SOCKET_FURTHER);
	assert_int_equal(fake.shares[2], SOCKET_FURTHER);
	bindings_cancel(&next);
}

static void
a_unix_socket_is_made_once_for_all_workers(void **state)
{
	struct bindings none = {0}, next = {0};

	(void)state;
	setup();
	assert_int_equal(add(&next, &none, "unix:@x", 3), 0);
	assert_int_equal(next.entries[0].fd_count, 1);
	bindings_cancel(&next);
}

static void
what_did_not_change_keeps_its_sockets_and_the_rest_is_closed(void **state)
{
	struct bindings present = {0}, next = {0}, none = {0};

	(void)state;
	setup();
	assert_int_equal(add(&present, &none, "127.0.0.1:1", 2), 0);
	assert_int_equal(add(&present, &none, "127.0.0.1:2", 2), 0);
	int kept = present.entries[0].fds[1], gone = present.entries[1].fds[1];

	assert_int_equal(add(&next, &present, "127.0.0.1:3", 2), 0);
	assert_int_equal(add(&next, &present, "127.0.0.1:1", 2), 0);
	assert_int_equal(fake.calls, 6);
	assert_true(is_open(gone));
	bindings_replace(&present, &next);
	assert_int_equal(present.count, 2);
	assert_int_equal(present.entries[1].fds[1], kept);
	assert_true(is_open(kept));
	assert_false(is_open(gone));
	assert_null(next.entries);
	bindings_release(&present);
	assert_false(is_open(kept));
}

static void
a_cancelled_set_leaves_the_present_one_untouched(void **state)
{
	struct bindings present = {0}, next = {0}, none = {0};

	(void)state;
	setup();
	assert_int_equal(add(&present, &none, "127.0.0.1:1", 1), 0);
	assert_int_equal(add(&next, &present, "127.0.0.1:1", 1), 0);
	assert_int_equal(add(&next, &present, "127.0.0.1:2", 1), 0);
	int kept = present.entries[0].fds[0], gone = next.entries[1].fds[0];

	bindings_cancel(&next);
	assert_true(is_open(kept));
	assert_false(is_open(gone));
	bindings_release(&present);
}

static void
a_failure_closes_the_sockets_of_the_same_address_that_were_made(void **state)
{
	struct bindings present = {0}, next = {0}, none = {0};
	int lowest = dup(STDERR_FILENO);

	(void)state;
	setup();
	close(lowest);
	fake.fail_at = 3;
	assert_int_equal(add(&next, &none, "127.0.0.1:1", 3), -1);
	assert_int_equal(next.count, 0);
	assert_false(is_open(lowest));
	bindings_cancel(&next);
	bindings_release(&present);
}

static void
an_address_is_not_given_twice(void **state)
{
	struct bindings next = {0}, none = {0};

	(void)state;
	setup();
	assert_int_equal(add(&next, &none, "[::1]:1", 1), 0);
	assert_int_equal(add(&next, &none, "[::1]:1", 1), -1);
	assert_int_equal(next.count, 1);
	bindings_cancel(&next);
}

static void
a_port_that_we_hold_ourselves_may_change_its_address(void **state)
{
	struct bindings present = {0}, next = {0}, none = {0};

	(void)state;
	setup();
	assert_int_equal(add(&present, &none, "*:7", 1), 0);
	assert_int_equal(add(&next, &present, "127.0.0.1:7", 1), 0);
	assert_int_equal(add(&next, &present, "127.0.0.1:8", 1), 0);
	assert_int_equal(fake.shares[1], SOCKET_FURTHER);
	assert_int_equal(fake.shares[2], SOCKET_FIRST);
	bindings_replace(&present, &next);
	bindings_release(&present);
}

/* With real sockets: the path of what is let go is removed, unless another socket is there now. */
static void
only_our_own_path_is_removed(void **state)
{
	struct bindings present = {.listen = socket_listen}, next = {0}, none = {0};
	char directory[] = "/tmp/sallyport-test-XXXXXX", path[64], text[80];
	struct stat status;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/s", directory);
	(void)snprintf(text, sizeof(text), "unix:%s", path);
	assert_int_equal(add(&present, &none, text, 2), 0);
	assert_int_equal(stat(path, &status), 0);
	bindings_replace(&present, &next);
	assert_int_equal(stat(path, &status), -1);

	present.listen = socket_listen;
	assert_int_equal(add(&present, &none, text, 2), 0);
	assert_int_equal(unlink(path), 0);
	FILE *other = fopen(path, "w");
	assert_non_null(other);
	assert_int_equal(fclose(other), 0);
	bindings_release(&present);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void
a_kept_path_gets_its_new_mode(void **state)
{
	struct bindings present = {.listen = socket_listen}, next = {.listen = socket_listen};
	struct bindings none = {0};
	struct socket_options options = {.mode = 0660, .owner = (uid_t)-1, .group = (gid_t)-1};
	char directory[] = "/tmp/sallyport-test-XXXXXX", path[64], text[80];
	struct stat status;
	struct diag diag;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/s", directory);
	(void)snprintf(text, sizeof(text), "unix:%s", path);
	assert_int_equal(add(&present, &none, text, 1), 0);
	assert_int_equal(
		bindings_add(&next, &present, &present.entries[0].address, &options, 1, &diag), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	bindings_replace(&present, &next);
	assert_int_equal(bindings_adapt(&present, &diag), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0660);
	bindings_release(&present);
	assert_int_equal(rmdir(directory), 0);
}

static void
a_kept_port_gets_its_new_keepalive(void **state)
{
	struct bindings present = {.listen = socket_listen}, next = {.listen = socket_listen};
	struct bindings none = {0};
	struct socket_options options = {.keepalive = 77};
	struct sockaddr_in free_one;
	char text[32];
	struct diag diag;
	int bound = loopback_bind(0, &free_one), seconds = 0;
	socklen_t length = sizeof(seconds);

	(void)state;
	close(bound);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(free_one.sin_port));
	assert_int_equal(add(&present, &none, text, 2), 0);
	assert_int_equal(
		bindings_add(&next, &present, &present.entries[0].address, &options, 2, &diag), 0);
	bindings_replace(&present, &next);
	assert_int_equal(bindings_adapt(&present, &diag), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(getsockopt(present.entries[0].fds[i], IPPROTO_TCP, TCP_KEEPIDLE,
					 &seconds, &length),
			0);
		assert_int_equal(seconds, 77);
	}
	bindings_release(&present);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_first_socket_asks_whether_the_address_is_free_and_the_others_follow),
		cmocka_unit_test(a_unix_socket_is_made_once_for_all_workers),
		cmocka_unit_test(what_did_not_change_keeps_its_sockets_and_the_rest_is_closed),
		cmocka_unit_test(a_cancelled_set_leaves_the_present_one_untouched),
		cmocka_unit_test(a_failure_closes_the_sockets_of_the_same_address_that_were_made),
		cmocka_unit_test(an_address_is_not_given_twice),
		cmocka_unit_test(a_port_that_we_hold_ourselves_may_change_its_address),
		cmocka_unit_test(only_our_own_path_is_removed),
		cmocka_unit_test(a_kept_path_gets_its_new_mode),
		cmocka_unit_test(a_kept_port_gets_its_new_keepalive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
