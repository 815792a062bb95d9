/* SPDX-License-Identifier: MIT */
#include "tests/unit/stage.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/sealed.h"
#include "tunnel/child.h"
#include "tunnel/generation.h"
#include "tunnel/origin.h"
#include "tunnel/protocol.h"
#include "tunnel/supervisor.h"

struct stage stage;

/* Main sees the end of its channel; the new one stays silent. The test gets @message back. */
static int
leave(const struct message *message)
{
	int pair[2];
	struct diag diag;

	if (message_pair(pair, &diag) < 0 || dup2(pair[0], CHILD_CHANNEL) < 0)
		return 1;
	return protocol_send(STDIN_FILENO, message, &diag) < 0 ? 1 : -1;
}

/* Do what the test tells of @message, or pass it on to main. -1, or the exit status. */
static int
obey(struct message *message, bool *holds)
{
	struct diag diag;

	if (message_receive(STDIN_FILENO, message, &diag) != MESSAGE_DONE)
		return 1;
	if (message->type == PUPPET_EXIT)
		return (int)message->number;
	if (message->type == PUPPET_LEAVE)
		return leave(message);
	if (message->type == PUPPET_HANG)
		(void)poll(NULL, 0, 10 * STAGE_PATIENCE * 1000);
	else if (message->type == PUPPET_HOLD)
		*holds = true;
	else if (message->type == PUPPET_BABBLE)
		(void)send(CHILD_CHANNEL, "?", 1, MSG_NOSIGNAL);
	else if (protocol_send(CHILD_CHANNEL, message, &diag) < 0)
		return 1;
	return -1;
}

/* Pass on to the test what main says. The same. */
static int
report(struct message *message, bool holds)
{
	struct diag diag;

	if (message_receive(CHILD_CHANNEL, message, &diag) != MESSAGE_DONE)
		return 1;
	if (message->type == PROTOCOL_COMMIT && !holds &&
		protocol_say(CHILD_CHANNEL, PROTOCOL_COMMITTED, "", &diag) < 0)
		return 1;
	if (protocol_send(STDIN_FILENO, message, &diag) < 0)
		return 1;
	message_release(message);
	return -1;
}

int
stage_serve(void)
{
	static struct message message = {.type = PUPPET_STARTED};
	struct pollfd polled[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = CHILD_CHANNEL, .events = POLLIN},
	};
	struct diag diag;
	bool holds = false;
	int status = -1;

	message.number = (uint64_t)getpid();
	if (protocol_send(STDIN_FILENO, &message, &diag) < 0)
		return 1;
	while (status < 0 && poll(polled, 2, 10 * STAGE_PATIENCE * 1000) > 0) {
		if (polled[0].revents)
			status = obey(&message, &holds);
		if (status < 0 && polled[1].revents)
			status = report(&message, holds);
	}
	return status < 0 ? 1 : status;
}

int
stage_setup(void **state)
{
	stage = (struct stage){.link = -1, .words = -1, .user = geteuid()};
	if (scratch_setup(state) < 0 || chmod(scratch.directory, 0755) < 0)
		return -1;
	scratch_place(stage.config, "conf");
	scratch_place(stage.log, "log");
	return 0;
}

int
stage_teardown(void **state)
{
	static const char *const names[] = {"conf", "log", "log.1", "front", "back"};

	(void)state;
	if (stage.pid > 0) {
		(void)kill(stage.pid, SIGKILL);
		(void)waitpid(stage.pid, NULL, 0);
	}
	message_release(&stage.message);
	(void)close(stage.link);
	(void)close(stage.words);
	return scratch_remove(names, ARRAY_SIZE(names));
}

void
stage_configure(const char *program, const char *accept)
{
	FILE *file = fopen(stage.config, "w");

	assert_non_null(file);
	assert_true(fprintf(file,
			    "workers = 1\n%s[e]\nmode = encrypt\naccept = unix:%s/%s\n"
			    "connect = 127.0.0.1:9\ncert = none\nverify = no\n",
			    program, scratch.directory, accept) > 0);
	assert_int_equal(fclose(file), 0);
}

_Noreturn static void
supervise(int link, int words)
{
	const struct origin origin = {.path = stage.config};

	(void)close(stage.link);
	(void)close(stage.words);
	if (stage.user != geteuid() && setuid(stage.user) < 0)
		_exit(99);
	/* A leak checker traces it; and both are forgotten when the user changes. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		dup2(link, STDIN_FILENO) < 0 || dup2(words, STDERR_FILENO) < 0)
		_exit(99);
	exit(supervisor_run(&origin) ? 0 : 1);
}

void
stage_start(void)
{
	int link[2], words[2];
	struct diag diag;

	assert_int_equal(message_pair(link, &diag), 0);
	assert_int_equal(pipe2(words, O_CLOEXEC), 0);
	stage.link = link[0];
	stage.words = words[0];
	(void)fflush(NULL);
	stage.pid = fork();
	if (stage.pid == 0)
		supervise(link[1], words[1]);
	assert_true(stage.pid > 0);
	(void)close(link[1]);
	(void)close(words[1]);
}

/* Read more of what the supervisor writes. False at its end, or when nothing comes. */
static bool
read_words(void)
{
	struct pollfd polled = {.fd = stage.words, .events = POLLIN};
	size_t room = sizeof(stage.heard) - 1 - stage.length;

	if (poll(&polled, 1, STAGE_PATIENCE * 1000) != 1)
		return false;
	ssize_t got = read(stage.words, stage.heard + stage.length, room);
	if (got > 0)
		stage.length += (size_t)got;
	return got > 0;
}

void
stage_expect_words(const char *words)
{
	const char *found;

	while (!(found = strstr(stage.heard + stage.looked_at, words)))
		if (!read_words())
			fail_msg("\"%s\" is not in:\n%s", words, stage.heard);
	stage.looked_at = (size_t)(found - stage.heard) + strlen(words);
}

void
stage_expect_nothing_of(const char *words)
{
	struct pollfd polled = {.fd = stage.words, .events = POLLIN};

	while (poll(&polled, 1, 0) == 1 && read_words())
		;
	assert_null(strstr(stage.heard + stage.looked_at, words));
}

int
stage_result(void)
{
	int status;

	while (read_words())
		;
	for (int i = 0; i < STAGE_PATIENCE * 100; i++) {
		if (waitpid(stage.pid, &status, WNOHANG) == stage.pid) {
			stage.pid = 0;
			assert_true(WIFEXITED(status));
			return WEXITSTATUS(status);
		}
		(void)poll(NULL, 0, 10);
	}
	fail_msg("the supervisor does not end:\n%s", stage.heard);
	return -1;
}

uint64_t
stage_hear(uint32_t type)
{
	struct pollfd polled = {.fd = stage.link, .events = POLLIN};
	struct message *message = &stage.message;
	struct diag diag;

	message_release(message);
	assert_int_equal(poll(&polled, 1, STAGE_PATIENCE * 1000), 1);
	assert_int_equal(message_receive(stage.link, message, &diag), MESSAGE_DONE);
	if (message->type != type)
		fail_msg("%u came instead of %u:\n%s", message->type, type, stage.heard);
	return message->number;
}

bool
stage_is_silent(void)
{
	struct pollfd polled = {.fd = stage.link, .events = POLLIN};
	struct diag diag;

	return poll(&polled, 1, 50) == 0 ||
		message_receive(stage.link, &stage.message, &diag) == MESSAGE_END;
}

void
stage_tell_number(uint32_t type, uint64_t number, const char *words)
{
	static struct message message;
	struct diag diag;

	message.type = type;
	message.number = number;
	message.length = strlen(words);
	memcpy(message.text, words, message.length + 1);
	assert_int_equal(protocol_send(stage.link, &message, &diag), 0);
}

void
stage_tell(uint32_t type)
{
	stage_tell_number(type, 0, "");
}

void
stage_signal(int number)
{
	assert_int_equal(kill(stage.pid, number), 0);
}

ino_t
stage_hear_generation(const char *words)
{
	struct generation generation = {0};
	struct stat status;
	struct diag diag;
	uint8_t *bytes;
	size_t size;

	(void)stage_hear(PROTOCOL_SOCKETS);
	assert_int_equal(stage.message.fd_count, 1);
	assert_int_equal(fstat(stage.message.fds[0], &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	(void)stage_hear(PROTOCOL_GENERATION);
	assert_int_equal(stage.message.fd_count, 1);
	assert_int_equal(
		sealed_read(stage.message.fds[0], GENERATION_LIMIT, &bytes, &size, &diag), 0);
	assert_int_equal(generation_decode(&generation, bytes, size, &diag), 0);
	sealed_free(bytes, size);
	assert_int_equal(generation.workers, 1);
	assert_true(generation.listener_count >= 1);
	assert_int_equal(generation.texts.count, 1);
	assert_non_null(strstr(generation.texts.entries[0].data, words));
	generation_release(&generation);
	return status.st_ino;
}

ino_t
stage_hear_start(const char *words)
{
	stage.serve = (pid_t)stage_hear(PUPPET_STARTED);
	(void)stage_hear(PROTOCOL_LOG);
	assert_int_equal(stage.message.fd_count, 1);
	return stage_hear_generation(words);
}

void
stage_accept(void)
{
	stage_tell(PROTOCOL_ACCEPTED);
	(void)stage_hear(PROTOCOL_COMMIT);
}

void
stage_accept_reload(void)
{
	stage_tell(PROTOCOL_ACCEPTED);
	(void)stage_hear(PROTOCOL_LOG);
	(void)stage_hear(PROTOCOL_COMMIT);
}

ino_t
stage_begin(const char *program)
{
	stage_configure(program, "front");
	stage_start();
	return stage_hear_start("/front\n");
}

ino_t
stage_get_ready(const char *program)
{
	ino_t socket = stage_begin(program);

	stage_accept();
	stage_expect_words("ready");
	return socket;
}

void
stage_end_well(void)
{
	stage_signal(SIGTERM);
	(void)stage_hear(PROTOCOL_DRAIN);
	stage_tell_number(PUPPET_EXIT, 0, "");
	assert_int_equal(stage_result(), 0);
}

bool
stage_is_open(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(
		address.sun_path, sizeof(address.sun_path), "%s/%s", scratch.directory, name);
	int connected = connect(fd, (struct sockaddr *)&address, sizeof(address));
	(void)close(fd);
	return connected == 0;
}

void
stage_expect_gone(pid_t pid)
{
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}
