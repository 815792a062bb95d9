/* SPDX-License-Identifier: MIT */
#include "common/message.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/diag.h"

/* What stands before the text. Both ends are the same machine: no byte order, no alignment. */
struct header {
	uint32_t mark, type;
	uint64_t number, length;
};

enum { MARK = 0x53504d31 }; /* both ends are of the same make */

/* Room for the descriptors of one message, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_LIMIT)];
};

int
message_pair(int fds[2], struct diag *diag)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
		return diag_set(diag, "socketpair: %s", strerror(errno));
	return 0;
}

static enum message_result
send_failed(struct diag *diag)
{
	switch (errno) {
	case EAGAIN:
		return MESSAGE_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ECONNREFUSED:
		return MESSAGE_END;
	default:
		diag_set(diag, "send a message to another process: %s", strerror(errno));
		return MESSAGE_ERROR;
	}
}

/* Put the descriptors of @message into @control, which @wire then refers to. */
static void
attach(const struct message *message, union control *control, struct msghdr *wire)
{
	size_t size = sizeof(int) * message->fd_count;

	if (message->fd_count == 0)
		return;
	wire->msg_control = control->bytes;
	wire->msg_controllen = CMSG_SPACE(size);
	struct cmsghdr *part = CMSG_FIRSTHDR(wire);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(part), message->fds, size);
}

enum message_result
message_send(int fd, const struct message *message, struct diag *diag)
{
	struct header header = {.mark = MARK,
		.type = message->type,
		.number = message->number,
		.length = message->length};
	char text[MESSAGE_TEXT_LIMIT];
	struct iovec parts[] = {{&header, sizeof(header)}, {text, message->length}};
	struct msghdr wire = {.msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts)};
	union control control = {0};
	ssize_t sent;

	assert(message->length <= MESSAGE_TEXT_LIMIT && message->fd_count <= MESSAGE_FDS_LIMIT);
	memcpy(text, message->text, message->length); /* an iovec cannot point to what is const */
	attach(message, &control, &wire);
	do
		sent = sendmsg(fd, &wire, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? send_failed(diag) : MESSAGE_DONE;
}

/* Take the descriptors that came with @wire, as many as there can be. */
static void
collect(struct msghdr *wire, struct message *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(wire); part; part = CMSG_NXTHDR(wire, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		assert(count <= MESSAGE_FDS_LIMIT - message->fd_count);
		memcpy(message->fds + message->fd_count, CMSG_DATA(part), count * sizeof(int));
		message->fd_count += count;
	}
}

/* Is what came, @size bytes with @flags, one whole message, but for descriptors that are lost? */
static int
check(const struct header *header, size_t size, int flags, struct diag *diag)
{
	if (flags & MSG_TRUNC)
		return diag_set(diag, "a message of another process is too long");
	if (size < sizeof(*header) || header->mark != MARK)
		return diag_set(diag, "a message of another process is none of ours");
	if (header->length != size - sizeof(*header))
		return diag_set(diag, "a message of another process is not as long as it says");
	return 0;
}

static enum message_result
receive_failed(struct diag *diag)
{
	if (errno == EAGAIN)
		return MESSAGE_AGAIN;
	if (errno == ECONNRESET)
		return MESSAGE_END;
	diag_set(diag, "receive a message of another process: %s", strerror(errno));
	return MESSAGE_ERROR;
}

enum message_result
message_receive(int fd, struct message *message, struct diag *diag)
{
	struct header header = {0};
	struct iovec parts[] = {{&header, sizeof(header)}, {message->text, MESSAGE_TEXT_LIMIT}};
	union control control = {0};
	struct msghdr wire = {.msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts)};
	ssize_t got;

	wire.msg_control = control.bytes;
	wire.msg_controllen = sizeof(control.bytes);
	message->fd_count = 0;
	do
		got = recvmsg(fd, &wire, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return receive_failed(diag);
	collect(&wire, message);
	if (got == 0 && message->fd_count == 0)
		return MESSAGE_END;
	message->lost = wire.msg_flags & MSG_CTRUNC;
	if (check(&header, (size_t)got, wire.msg_flags, diag)) {
		message_release(message);
		return MESSAGE_ERROR;
	}
	message->type = header.type;
	message->number = header.number;
	message->length = (size_t)header.length;
	message->text[message->length] = '\0';
	return MESSAGE_DONE;
}

int
message_take(struct message *message, size_t index)
{
	if (index >= message->fd_count)
		return -1;
	int fd = message->fds[index];
	message->fds[index] = -1;
	return fd;
}

void
message_release(struct message *message)
{
	for (size_t i = 0; i < message->fd_count; i++) {
		if (message->fds[i] >= 0)
			close(message->fds[i]);
	}
	message->fd_count = 0;
}
