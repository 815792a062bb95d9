/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/message.h"
#include "tests/unit/descriptors.h"

/* Both ends, and a message for each direction: they are too large for the stack of a test. */
struct fixture {
	int fds[2];
	struct message sent, received;
	struct diag diag;
	int open_before;
};

static int
count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture)
		return -1;
	fixture->open_before = count_fds();
	return message_pair(fixture->fds, &fixture->diag);
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 2; i++) {
		if (fixture->fds[i] >= 0)
			close(fixture->fds[i]);
	}
	int leaked = count_fds() - fixture->open_before;
	free(fixture);
	return leaked;
}

static void
expect_error(struct fixture *f, const char *words)
{
	assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_ERROR);
	if (!strstr(f->diag.text, words))
		fail_msg("%s", f->diag.text);
	assert_int_equal(f->received.fd_count, 0);
}

static void
a_message_arrives_as_it_was_sent(void **state)
{
	static const size_t lengths[] = {0, 1, 1000, MESSAGE_TEXT_LIMIT};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		f->sent.type = 7;
		f->sent.number = UINT64_MAX;
		f->sent.length = lengths[i];
		memset(f->sent.text, 'x', lengths[i]);
		memset(f->received.text, 'y', sizeof(f->received.text));
		assert_int_equal(message_send(f->fds[0], &f->sent, &f->diag), MESSAGE_DONE);
		assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_DONE);
		assert_int_equal(f->received.type, 7);
		assert_true(f->received.number == UINT64_MAX);
		assert_int_equal(f->received.length, lengths[i]);
		assert_int_equal(strlen(f->received.text), lengths[i]);
		assert_int_equal(f->received.fd_count, 0);
	}
}

static void
as_many_descriptors_arrive_as_were_sent_close_on_exec(void **state)
{
	struct fixture *f = *state;
	int pipe_fds[2];
	char byte = 0;

	assert_int_equal(pipe(pipe_fds), 0);
	f->sent.fd_count = MESSAGE_FDS_LIMIT;
	for (size_t i = 0; i < MESSAGE_FDS_LIMIT; i++)
		f->sent.fds[i] = pipe_fds[1];
	assert_int_equal(message_send(f->fds[0], &f->sent, &f->diag), MESSAGE_DONE);
	close(pipe_fds[1]);
	assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_DONE);
	assert_int_equal(f->received.fd_count, MESSAGE_FDS_LIMIT);
	for (size_t i = 0; i < MESSAGE_FDS_LIMIT; i++)
		assert_true(fcntl(f->received.fds[i], F_GETFD) & FD_CLOEXEC);
	int taken = message_take(&f->received, 63);
	assert_true(taken >= 0);
	assert_int_equal(message_take(&f->received, 63), -1);
	assert_int_equal(message_take(&f->received, 64), -1);
	message_release(&f->received);
	assert_int_equal(write(taken, "a", 1), 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	close(taken);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0); /* all others are closed */
	close(pipe_fds[0]);
}

static void
nothing_there_no_room_and_nobody_there_are_told_apart(void **state)
{
	struct fixture *f = *state;
	enum message_result result;
	int sent = 0;

	assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_AGAIN);
	f->sent.length = MESSAGE_TEXT_LIMIT;
	while ((result = message_send(f->fds[0], &f->sent, &f->diag)) == MESSAGE_DONE)
		sent++;
	assert_int_equal(result, MESSAGE_AGAIN);
	close(f->fds[0]);
	f->fds[0] = -1;
	for (; sent > 0; sent--)
		assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_DONE);
	assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_END);
	assert_int_equal(message_send(f->fds[1], &f->sent, &f->diag), MESSAGE_END);
}

static void
an_end_that_died_with_unread_messages_is_an_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(message_send(f->fds[1], &f->sent, &f->diag), MESSAGE_DONE);
	close(f->fds[0]);
	f->fds[0] = -1;
	assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_END);
}

static void
what_is_no_whole_message_is_refused_in_words(void **state)
{
	struct fixture *f = *state;
	/* As message.c lays it out: mark, type, number, length. */
	struct {
		uint32_t mark, type;
		uint64_t number, length;
		char text[MESSAGE_TEXT_LIMIT + 1];
	} *wire = calloc(1, sizeof(*wire));

	assert_non_null(wire);
	assert_int_equal(send(f->fds[0], "short", 5, 0), 5);
	expect_error(f, "none of ours");
	assert_int_equal(send(f->fds[0], wire, 24, 0), 24);
	expect_error(f, "none of ours");
	wire->mark = 0x53504d31;
	wire->length = UINT64_MAX;
	assert_int_equal(send(f->fds[0], wire, 24 + 10, 0), 24 + 10);
	expect_error(f, "not as long as it says");
	wire->length = 9;
	assert_int_equal(send(f->fds[0], wire, 24 + 10, 0), 24 + 10);
	expect_error(f, "not as long as it says");
	wire->length = MESSAGE_TEXT_LIMIT + 1;
	assert_int_equal(
		send(f->fds[0], wire, 24 + MESSAGE_TEXT_LIMIT + 1, 0), 24 + MESSAGE_TEXT_LIMIT + 1);
	expect_error(f, "too long");
	wire->length = 10;
	assert_int_equal(send(f->fds[0], wire, 24 + 10, 0), 24 + 10);
	assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_DONE);
	free(wire);
}

/* Send @count copies of a descriptor with one byte, as a hostile process could. */
static void
send_raw_fds(int fd, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * 253)];
	} control = {0};
	struct iovec part = {(char[]){"x"}, 1};
	struct msghdr wire = {.msg_iov = &part, .msg_iovlen = 1};

	wire.msg_control = control.bytes;
	wire.msg_controllen = CMSG_SPACE(sizeof(int) * count);
	struct cmsghdr *message = CMSG_FIRSTHDR(&wire);
	message->cmsg_level = SOL_SOCKET;
	message->cmsg_type = SCM_RIGHTS;
	message->cmsg_len = CMSG_LEN(sizeof(int) * count);
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(message) + i * sizeof(int), &fd, sizeof(int));
	assert_int_equal(sendmsg(fd, &wire, 0), 1);
}

static void
descriptors_that_come_with_garbage_are_closed(void **state)
{
	struct fixture *f = *state;
	int before = count_fds();

	send_raw_fds(f->fds[0], 253);
	expect_error(f, "none of ours");
	assert_int_equal(count_fds(), before);
	send_raw_fds(f->fds[0], 3);
	expect_error(f, "none of ours");
	assert_int_equal(count_fds(), before);
}

static void
descriptors_that_this_process_may_not_open_are_lost_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, low;

	need_limit_of_descriptors();
	int before = count_fds(), next = dup(f->fds[0]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)next + 2;
	close(next);
	f->sent.fd_count = 10;
	for (size_t i = 0; i < 10; i++)
		f->sent.fds[i] = f->fds[0];
	assert_int_equal(message_send(f->fds[0], &f->sent, &f->diag), MESSAGE_DONE);
	f->sent.length = 3;
	assert_int_equal(message_send(f->fds[0], &f->sent, &f->diag), MESSAGE_DONE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (size_t length = 0; length <= 3; length += 3) {
		assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_DONE);
		assert_true(f->received.lost);
		assert_int_equal(f->received.length, length);
		assert_int_equal(f->received.fd_count, 2);
		message_release(&f->received);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	f->sent.fd_count = 2;
	assert_int_equal(message_send(f->fds[0], &f->sent, &f->diag), MESSAGE_DONE);
	assert_int_equal(message_receive(f->fds[1], &f->received, &f->diag), MESSAGE_DONE);
	assert_false(f->received.lost);
	message_release(&f->received);
	assert_int_equal(count_fds(), before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_arrives_as_it_was_sent),
		TEST(as_many_descriptors_arrive_as_were_sent_close_on_exec),
		TEST(nothing_there_no_room_and_nobody_there_are_told_apart),
		TEST(an_end_that_died_with_unread_messages_is_an_end),
		TEST(what_is_no_whole_message_is_refused_in_words),
		TEST(descriptors_that_come_with_garbage_are_closed),
		TEST(descriptors_that_this_process_may_not_open_are_lost_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
