/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/message.h"
#include "tunnel/protocol.h"

static int channel[2];
static struct message message;
static struct diag diag;

static int
setup(void **state)
{
	(void)state;
	return message_pair(channel, &diag);
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(channel[0]);
	(void)close(channel[1]);
	return 0;
}

static void
what_is_said_is_heard_without_what_was_left_of_others(void **state)
{
	(void)state;
	assert_int_equal(protocol_say(channel[0], PROTOCOL_REFUSED, "no room\n", &diag), 0);
	assert_int_equal(message_receive(channel[1], &message, &diag), MESSAGE_DONE);
	assert_int_equal(message.type, PROTOCOL_REFUSED);
	assert_int_equal(message.number, 0);
	assert_int_equal(message.fd_count, 0);
	assert_string_equal(message.text, "no room\n");
}

static void
words_that_are_too_many_are_cut(void **state)
{
	static char words[2 * MESSAGE_TEXT_LIMIT];

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	assert_int_equal(protocol_say(channel[0], PROTOCOL_REFUSED, words, &diag), 0);
	assert_int_equal(message_receive(channel[1], &message, &diag), MESSAGE_DONE);
	assert_int_equal(message.length, MESSAGE_TEXT_LIMIT);
	assert_memory_equal(message.text, words, MESSAGE_TEXT_LIMIT);
}

static void
an_end_that_is_gone_is_told(void **state)
{
	(void)state;
	(void)close(channel[1]);
	channel[1] = -1;
	assert_int_equal(protocol_say(channel[0], PROTOCOL_DRAIN, "", &diag), -1);
	assert_string_equal(diag.text, "the other process is gone");
}

/* Takes all messages, but only after a while. */
static void *
take_late(void *count)
{
	static struct message taken;
	struct diag words;
	size_t *left = count;

	(void)poll(NULL, 0, 50);
	while (*left > 0) {
		struct pollfd polled = {.fd = channel[1], .events = POLLIN};

		if (poll(&polled, 1, 5000) != 1 ||
			message_receive(channel[1], &taken, &words) != MESSAGE_DONE)
			break;
		(*left)--;
	}
	return NULL;
}

static void
a_full_channel_is_waited_for(void **state)
{
	pthread_t thread;
	size_t sent = 0;

	(void)state;
	message.type = PROTOCOL_DRAIN;
	message.length = MESSAGE_TEXT_LIMIT;
	message.fd_count = 0;
	while (message_send(channel[0], &message, &diag) == MESSAGE_DONE)
		sent++;
	sent++;
	assert_int_equal(pthread_create(&thread, NULL, take_late, &sent), 0);
	assert_int_equal(protocol_send(channel[0], &message, &diag), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sent, 0);
}

static void
settings_of_the_log_survive_as_a_number(void **state)
{
	const struct log_settings sent = {
		.level = LOG_LEVEL_DEBUG,
		.format = LOG_FORMAT_JSON,
		.sink = LOG_SINK_SYSLOG,
		.fd = 7,
	};
	struct log_settings got = protocol_log_settings(protocol_log_number(&sent));

	(void)state;
	assert_int_equal(got.level, sent.level);
	assert_int_equal(got.format, sent.format);
	assert_int_equal(got.sink, sent.sink);
	assert_int_equal(got.fd, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_said_is_heard_without_what_was_left_of_others),
		TEST(words_that_are_too_many_are_cut),
		TEST(an_end_that_is_gone_is_told),
		TEST(a_full_channel_is_waited_for),
		cmocka_unit_test(settings_of_the_log_survive_as_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
