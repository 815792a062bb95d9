/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/socket.h"
#include "common/text.h"

static const struct socket_options plain = {.mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1};

static struct address
address_of(const char *text)
{
	struct address address;
	struct diag diag;

	if (address_parse(&address, text, true, &diag))
		fail_msg("%s: %s", text, diag.text);
	return address;
}

static struct endpoint
name_of(int fd)
{
	struct endpoint endpoint = {.length = sizeof(endpoint.local)};

	assert_int_equal(getsockname(fd, &endpoint.any, &endpoint.length), 0);
	return endpoint;
}

/* A TCP address of this machine whose port is free. */
static struct address
free_address(const char *host)
{
	char text[ADDRESS_TEXT_SIZE];
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	(void)snprintf(text, sizeof(text), "%s:%u", host, ntohs(name_of(fd).v4.sin_port));
	close(fd);
	return address_of(text);
}

static int
listen_on(const struct address *address, enum socket_share share)
{
	struct socket_options options = plain;
	struct diag diag;

	options.share = share;
	int fd = socket_listen(address, &options, &diag);
	if (fd < 0)
		fail_msg("%s", diag.text);
	return fd;
}

static void
expect_refusal(
	const struct address *address, const struct socket_options *options, const char *words)
{
	struct diag diag = {""};

	assert_int_equal(socket_listen(address, options, &diag), -1);
	if (!strstr(diag.text, words))
		fail_msg("%s", diag.text);
}

static void
wait_for(int fd, short events)
{
	struct pollfd asked = {.fd = fd, .events = events};

	assert_int_equal(poll(&asked, 1, 5000), 1);
}

static int
dial(const struct endpoint *endpoint)
{
	struct diag diag;
	bool connected;
	int fd = socket_connect(endpoint, 0, &connected, &diag);

	if (fd < 0)
		fail_msg("%s", diag.text);
	if (!connected)
		wait_for(fd, POLLOUT);
	return fd;
}

/* Connected sockets over @listener. */
static void
connect_pair(int listener, int pair[2])
{
	struct endpoint there = name_of(listener), peer;

	pair[0] = dial(&there);
	assert_int_equal(socket_error(pair[0], &there), 0);
	wait_for(listener, POLLIN);
	pair[1] = socket_accept(listener, &peer);
	assert_true(pair[1] >= 0);
}

static void
expect_flags(int fd)
{
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

static void
every_socket_is_nonblocking_and_close_on_exec(void **state)
{
	struct address address = free_address("127.0.0.1");
	int listener = listen_on(&address, SOCKET_ALONE), pair[2];

	(void)state;
	connect_pair(listener, pair);
	expect_flags(listener);
	expect_flags(pair[0]);
	expect_flags(pair[1]);
	close(listener);
	close(pair[0]);
	close(pair[1]);
}

static void
a_second_instance_is_refused_in_words(void **state)
{
	struct address address = free_address("127.0.0.1"), any = address;
	int first = listen_on(&address, SOCKET_FIRST);
	int further = listen_on(&address, SOCKET_FURTHER);
	struct socket_options options = plain;
	char words[128];

	(void)state;
	(void)snprintf(words, sizeof(words),
		"listen on 127.0.0.1:%u: the address is in use, perhaps by another instance",
		address.port);
	options.share = SOCKET_FIRST;
	expect_refusal(&address, &options, words);
	options.share = SOCKET_ALONE;
	expect_refusal(&address, &options, words);
	any.kind = ADDRESS_ANY;
	memcpy(any.host, "*", 2);
	expect_refusal(&any, &options, "is in use");
	close(first);
	expect_refusal(&address, &options, words);
	close(further);
	first = listen_on(&address, SOCKET_ALONE);
	close(first);
}

static void
what_is_accepted_is_prepared_already(void **state)
{
	struct address address = free_address("127.0.0.1");
	struct socket_options options = plain;
	struct diag diag;
	int pair[2], seconds = 0;
	socklen_t length = sizeof(seconds);

	(void)state;
	options.keepalive = 77;
	int listener = socket_listen(&address, &options, &diag);
	connect_pair(listener, pair);
	assert_int_equal(getsockopt(pair[1], IPPROTO_TCP, TCP_KEEPIDLE, &seconds, &length), 0);
	assert_int_equal(seconds, 77);
	close(pair[0]);
	close(pair[1]);
	close(listener);
}

static void
first_and_further_sockets_share_the_connections(void **state)
{
	enum { SOCKETS = 3, CONNECTIONS = 90 };
	struct address address = free_address("127.0.0.1");
	int listeners[SOCKETS], clients[CONNECTIONS], accepted = 0;

	(void)state;
	for (int i = 0; i < SOCKETS; i++)
		listeners[i] = listen_on(&address, i == 0 ? SOCKET_FIRST : SOCKET_FURTHER);
	struct endpoint there = name_of(listeners[0]), peer;
	for (int i = 0; i < CONNECTIONS; i++) {
		clients[i] = dial(&there);
		assert_int_equal(socket_error(clients[i], &there), 0);
	}
	for (int i = 0; i < SOCKETS; i++) {
		int mine = 0;

		for (int fd; (fd = socket_accept(listeners[i], &peer)) >= 0; mine++)
			close(fd);
		assert_true(mine > 0);
		accepted += mine;
		close(listeners[i]);
	}
	assert_int_equal(accepted, CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++)
		close(clients[i]);
}

static void
the_address_any_takes_ipv4_and_ipv6_and_the_ipv6_address_takes_its_own(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "[::1]"};
	struct address any = free_address("*"), v6 = any;
	int listener = listen_on(&any, SOCKET_ALONE);
	char text[64];

	(void)state;
	if (name_of(listener).any.sa_family != AF_INET6)
		skip(); /* this machine has no IPv6 */
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		(void)snprintf(text, sizeof(text), "%s:%u", hosts[i], any.port);
		struct address address = address_of(text);
		struct endpoint there;

		address_endpoint(&address, &there);
		int fd = dial(&there);
		assert_int_equal(socket_error(fd, &there), 0);
		close(fd);
	}
	close(listener);
	(void)snprintf(text, sizeof(text), "[::]:%u", any.port);
	v6 = address_of(text);
	listener = listen_on(&v6, SOCKET_ALONE);
	assert_int_equal(option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	close(listener);
}

static void
an_ipv4_mapped_address_is_listened_on_as_that_of_ipv4(void **state)
{
	struct address mapped = free_address("[::ffff:127.0.0.1]");
	struct endpoint there = {.length = sizeof(there.v4)};
	int listener = listen_on(&mapped, SOCKET_ALONE);

	(void)state;
	there.v4 = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(mapped.port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = dial(&there);
	assert_int_equal(socket_error(fd, &there), 0);
	close(fd);
	close(listener);
}

/* From now on this process gets EAFNOSUPPORT for an IPv6 socket, as from a kernel without it. */
static int
forbid_ipv6(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void
without_ipv6_the_address_any_is_ipv4(void **state)
{
	struct address any = free_address("*");
	int status;

	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		struct diag diag;

		if (forbid_ipv6())
			_exit(77);
		int fd = socket_listen(&any, &plain, &diag);
		_exit(fd < 0 || option(fd, SOL_SOCKET, SO_DOMAIN) != AF_INET);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void
an_address_of_another_machine_is_refused_in_words(void **state)
{
	struct address address = address_of("192.0.2.1:8443");

	(void)state;
	expect_refusal(&address, &plain,
		"listen on 192.0.2.1:8443: this machine does not have that address");
}

/* A path in a directory of the test's own. */
static struct address
path_of(void **state, const char *name)
{
	char text[ADDRESS_TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "unix:%s/%s", (char *)*state, name);
	return address_of(text);
}

static mode_t
mode_of(const char *path)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	return status.st_mode & 07777;
}

static void
a_unix_listener_has_its_mode_whatever_the_umask(void **state)
{
	static const struct {
		mode_t mode, mask;
	} rows[] = {{0600, 0}, {0666, 077}, {0660, 0777}, {0777, 022}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct address address = path_of(state, "sock");
		struct socket_options options = plain;
		struct diag diag;
		mode_t mask = umask(rows[i].mask);

		options.mode = rows[i].mode;
		int fd = socket_listen(&address, &options, &diag);
		umask(mask);
		assert_true(fd >= 0);
		assert_int_equal(mode_of(address.host), rows[i].mode);
		close(fd);
	}
}

static void
a_unix_listener_belongs_to_whom_it_should(void **state)
{
	struct address address = path_of(state, "sock");
	struct socket_options options = {.mode = 0660, .owner = 1234, .group = 2345};
	struct stat status;
	struct diag diag;

	if (geteuid() != 0) {
		expect_refusal(&address, &options, "change the owner or group of the socket");
		assert_int_equal(access(address.host, F_OK), -1);
		return;
	}
	int fd = socket_listen(&address, &options, &diag);
	assert_true(fd >= 0);
	assert_int_equal(stat(address.host, &status), 0);
	assert_int_equal(status.st_uid, 1234);
	assert_int_equal(status.st_gid, 2345);
	assert_int_equal(status.st_mode & 07777, 0660);
	close(fd);
}

static void
a_stale_path_is_removed_and_a_live_one_is_not(void **state)
{
	struct address address = path_of(state, "sock");
	int first = listen_on(&address, SOCKET_ALONE), pair[2];

	expect_refusal(&address, &plain, "sock: the address is in use");
	connect_pair(first, pair);
	close(pair[0]);
	close(pair[1]);
	close(first);
	assert_int_equal(access(address.host, F_OK), 0);
	first = listen_on(&address, SOCKET_ALONE);
	connect_pair(first, pair);
	close(pair[0]);
	close(pair[1]);
	close(first);
}

static void
a_live_path_whose_backlog_is_full_is_not_removed(void **state)
{
	struct address address = path_of(state, "sock");
	struct endpoint there;
	struct diag diag = {""};
	bool connected;
	int fds[2], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address_endpoint(&address, &there);
	assert_int_equal(bind(listener, &there.any, there.length), 0);
	assert_int_equal(listen(listener, 0), 0);
	fds[0] = socket_connect(&there, 0, &connected, &diag);
	assert_true(fds[0] >= 0 && connected);
	fds[1] = socket_connect(&there, 0, &connected, &diag);
	assert_int_equal(fds[1], -1);
	assert_string_equal(diag.text, "the backlog of the listener is full");
	expect_refusal(&address, &plain, "is in use");
	assert_int_equal(access(address.host, F_OK), 0);
	close(fds[0]);
	close(listener);
}

static void
what_is_not_a_socket_is_never_removed(void **state)
{
	struct address address = path_of(state, "file"), link = path_of(state, "link");
	int fd = open(address.host, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	expect_refusal(&address, &plain, "the path exists and is not a socket");
	assert_int_equal(access(address.host, F_OK), 0);
	assert_int_equal(symlink("nowhere", link.host), 0);
	expect_refusal(&link, &plain, "the path exists and is not a socket");
}

static void
an_abstract_name_is_taken_once_and_tells_who_connected(void **state)
{
	char text[64];
	int pair[2];
	struct diag diag;
	uid_t user = (uid_t)-1;

	(void)state;
	(void)snprintf(text, sizeof(text), "unix:@sallyport-test-%ld", (long)getpid());
	struct address address = address_of(text);
	int listener = listen_on(&address, SOCKET_ALONE);
	expect_refusal(&address, &plain, "is in use");
	connect_pair(listener, pair);
	assert_int_equal(socket_peer_user(pair[1], &user, &diag), 0);
	assert_int_equal(user, geteuid());
	close(pair[0]);
	close(pair[1]);
	close(listener);
}

static int
make_directory(void **state)
{
	char *directory = strdup("/tmp/test_socket.XXXXXX");

	*state = directory;
	return !directory || !mkdtemp(directory);
}

static int
remove_directory(void **state)
{
	static const char *const names[] = {"sock", "file", "link"};
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
		(void)unlink(path);
	}
	int failed = rmdir(*state);
	free(*state);
	return failed;
}

#define TEST_WITH_DIRECTORY(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_socket_is_nonblocking_and_close_on_exec),
		cmocka_unit_test(a_second_instance_is_refused_in_words),
		cmocka_unit_test(what_is_accepted_is_prepared_already),
		cmocka_unit_test(first_and_further_sockets_share_the_connections),
		cmocka_unit_test(
			the_address_any_takes_ipv4_and_ipv6_and_the_ipv6_address_takes_its_own),
		cmocka_unit_test(an_ipv4_mapped_address_is_listened_on_as_that_of_ipv4),
		cmocka_unit_test(without_ipv6_the_address_any_is_ipv4),
		cmocka_unit_test(an_address_of_another_machine_is_refused_in_words),
		TEST_WITH_DIRECTORY(a_unix_listener_has_its_mode_whatever_the_umask),
		TEST_WITH_DIRECTORY(a_unix_listener_belongs_to_whom_it_should),
		TEST_WITH_DIRECTORY(a_stale_path_is_removed_and_a_live_one_is_not),
		TEST_WITH_DIRECTORY(a_live_path_whose_backlog_is_full_is_not_removed),
		TEST_WITH_DIRECTORY(what_is_not_a_socket_is_never_removed),
		cmocka_unit_test(an_abstract_name_is_taken_once_and_tells_who_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
