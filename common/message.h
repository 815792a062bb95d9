/* SPDX-License-Identifier: MIT */
/*
 * message.h - messages with descriptors between two processes of ours, over a SOCK_SEQPACKET pair.
 *
 * A message is a type, a number, a text of bounded length and some descriptors; what they mean is
 * the users' business. The other end may be compromised: what is not a whole message is refused with
 * words, and no descriptor is leaked. Works on blocking and nonblocking sockets alike.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

enum {
	MESSAGE_TEXT_LIMIT =
		16 << 10,	/* bytes; what may be larger goes as a descriptor (sealed.h) */
	MESSAGE_FDS_LIMIT = 64, /* the kernel takes 253 */
};

enum message_result {
	MESSAGE_DONE,
	MESSAGE_AGAIN, /* nothing there, or no room; try when the socket is ready */
	MESSAGE_END,   /* the other end is gone */
	MESSAGE_ERROR, /* with words */
};

struct message {
	uint32_t type;
	uint64_t number;
	size_t length; /* of the text */
	size_t fd_count;
	bool lost; /* received: not all of its descriptors could be opened here */
	int fds[MESSAGE_FDS_LIMIT];
	char text[MESSAGE_TEXT_LIMIT + 1]; /* NUL behind the end */
};

/* Make a pair of connected, nonblocking, close-on-exec sockets. Returns 0, or -1 with words. */
MUST_USE int message_pair(int fds[2], struct diag *diag);

/* Send @message whole or not at all. Its descriptors stay the caller's. */
MUST_USE enum message_result message_send(int fd, const struct message *message, struct diag *diag);

/*
 * Receive into @message. After MESSAGE_DONE its descriptors, close-on-exec, are the caller's, who may
 * take them with message_take() and closes the others with message_release(). There are none after
 * any other result.
 */
MUST_USE enum message_result message_receive(int fd, struct message *message, struct diag *diag);

/* Take descriptor @index out of @message. The caller owns it. -1 if there is none, or not any more. */
int message_take(struct message *message, size_t index);

/* Close the descriptors that were not taken. */
void message_release(struct message *message);

#endif
