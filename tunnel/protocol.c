/* SPDX-License-Identifier: MIT */
#include "tunnel/protocol.h"

#include <poll.h>
#include <string.h>

#include "common/diag.h"
#include "common/message.h"

enum { PATIENCE = 10000 /* milliseconds */, FIELD_BITS = 8, FIELD_MASK = 0xff };

const char protocol_lost[] = "the main process sent descriptors that could not be opened here; "
			     "raise the limit of open files (LimitNOFILE=, ulimit -n)";

int
protocol_send(int channel, const struct message *message, struct diag *diag)
{
	for (;;) {
		struct pollfd polled = {.fd = channel, .events = POLLOUT};

		switch (message_send(channel, message, diag)) {
		case MESSAGE_DONE:
			return 0;
		case MESSAGE_END:
			return diag_set(diag, "the other process is gone");
		case MESSAGE_ERROR:
			return -1;
		case MESSAGE_AGAIN:
			break;
		}
		if (poll(&polled, 1, PATIENCE) == 0)
			return diag_set(diag, "the other process takes no messages");
	}
}

int
protocol_say(int channel, enum protocol_kind kind, const char *words, struct diag *diag)
{
	struct message message;
	size_t length = strlen(words);

	message.type = kind;
	message.number = 0;
	message.fd_count = 0;
	message.length = length < MESSAGE_TEXT_LIMIT ? length : MESSAGE_TEXT_LIMIT;
	memcpy(message.text, words, message.length);
	message.text[message.length] = '\0';
	return protocol_send(channel, &message, diag);
}

uint64_t
protocol_log_number(const struct log_settings *settings)
{
	return (uint64_t)settings->level | (uint64_t)settings->format << FIELD_BITS |
		(uint64_t)settings->sink << (2 * FIELD_BITS);
}

struct log_settings
protocol_log_settings(uint64_t number)
{
	return (struct log_settings){
		.level = (enum log_level)(number & FIELD_MASK),
		.format = (enum log_format)(number >> FIELD_BITS & FIELD_MASK),
		.sink = (enum log_sink)(number >> (2 * FIELD_BITS) & FIELD_MASK),
		.fd = -1,
	};
}
