/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/loopback.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE = 10 /* seconds */ };

static int
new_socket(int flags)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

int
loopback_bind(int flags, struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = new_socket(flags);

	*address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &length), 0);
	return fd;
}

int
loopback_listen(int flags, struct sockaddr_in *address)
{
	int fd = loopback_bind(flags, address);

	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

int
loopback_connect(const struct sockaddr_in *address)
{
	int fd = new_socket(0);

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return fd;
	int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

void
loopback_pair(int fds[2])
{
	struct sockaddr_in address;
	int listener = loopback_listen(0, &address);

	fds[0] = loopback_connect(&address);
	assert_true(fds[0] >= 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[1] >= 0);
	(void)close(listener);
}

void
loopback_hole_open(struct loopback_hole *hole, struct sockaddr_in *address)
{
	hole->fd = loopback_bind(SOCK_NONBLOCK, address);
	assert_int_equal(listen(hole->fd, 0), 0);
	for (int i = 0; i < 2; i++) {
		hole->fillers[i] = new_socket(SOCK_NONBLOCK);
		(void)connect(hole->fillers[i], (const struct sockaddr *)address, sizeof(*address));
	}
}

void
loopback_hole_close(struct loopback_hole *hole)
{
	for (int i = 0; i < 2; i++)
		(void)close(hole->fillers[i]);
	(void)close(hole->fd);
}
