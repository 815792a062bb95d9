/* SPDX-License-Identifier: MIT */
#include "common/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/text.h"

enum { PROBES = 6, PROBE_PERIOD = 10 /* seconds */ };

static int
new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Close @fd; errno survives for who tells why. */
static void
give_up(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

/*
 * Bind and listen, so that nobody else has the address unless SOCKET_FURTHER. SO_REUSEPORT comes last on
 * a SOCKET_FIRST socket: before, it would let a second instance in. Returns 0, or -1 with errno.
 */
static int
bind_tcp(int fd, const struct endpoint *endpoint, const struct socket_options *options)
{
	enum socket_share share = options->share;

	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return -1;
	if (share == SOCKET_FURTHER && set(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return -1;
	socket_prepare(fd, options->keepalive);
	if (bind(fd, &endpoint->any, endpoint->length) || listen(fd, SOMAXCONN))
		return -1;
	return share == SOCKET_FIRST ? set(fd, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
}

/* Returns a descriptor, or -1 with errno. */
static int
try_tcp(const struct endpoint *endpoint, bool v6_only, const struct socket_options *options)
{
	int fd = new_socket(endpoint->any.sa_family);

	if (fd < 0)
		return -1;
	if (endpoint->any.sa_family == AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only)) {
		give_up(fd);
		return -1;
	}
	if (bind_tcp(fd, endpoint, options)) {
		give_up(fd);
		return -1;
	}
	return fd;
}

static int
explain_bind(int error, struct diag *diag)
{
	switch (error) {
	case EADDRINUSE:
		return diag_set(diag,
			"the address is in use, perhaps by another instance of this "
			"program: stop that, or choose another address");
	case EADDRNOTAVAIL:
		return diag_set(
			diag, "this machine does not have that address: see \"ip address\"");
	case EACCES:
		return diag_set(diag,
			"%s: a port below 1024 or a path in a foreign directory needs "
			"privileges",
			strerror(error));
	case EMFILE:
	case ENFILE:
		return diag_set(diag, "%s: raise the limit of descriptors, see \"ulimit -n\"",
			strerror(error));
	default:
		return diag_set(diag, "%s", strerror(error));
	}
}

static int
listen_tcp(const struct address *address, const struct socket_options *options, struct diag *diag)
{
	struct endpoint endpoint;
	bool any = address->kind == ADDRESS_ANY;

	address_endpoint(address, &endpoint);
	/* An IPv4-mapped address is one of IPv4, which a socket for IPv6 only does not bind. */
	bool v6_only = !any && endpoint.any.sa_family == AF_INET6 &&
		!IN6_IS_ADDR_V4MAPPED(&endpoint.v6.sin6_addr);
	int fd = try_tcp(&endpoint, v6_only, options);
	if (fd < 0 && any && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		endpoint = (struct endpoint){.length = sizeof(endpoint.v4)};
		endpoint.v4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = htons(address->port)};
		fd = try_tcp(&endpoint, false, options);
	}
	return fd < 0 ? explain_bind(errno, diag) : fd;
}

/* Does nobody listen at @endpoint any more? */
static bool
is_stale(const struct endpoint *endpoint)
{
	int fd = new_socket(AF_UNIX);

	if (fd < 0)
		return false;
	bool refused = connect(fd, &endpoint->any, endpoint->length) && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

/* Remove what is in the way of @endpoint, if nobody can miss it. */
static int
clear_path(const struct endpoint *endpoint, struct diag *diag)
{
	const char *path = endpoint->local.sun_path;
	struct stat status;

	if (!path[0])
		return explain_bind(EADDRINUSE, diag);
	if (lstat(path, &status))
		return errno == ENOENT ? 0 : diag_set(diag, "stat: %s", strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return diag_set(
			diag, "the path exists and is not a socket: remove it, or choose another");
	if (!is_stale(endpoint))
		return explain_bind(EADDRINUSE, diag);
	if (unlink(path) && errno != ENOENT)
		return diag_set(diag, "remove the stale socket: %s", strerror(errno));
	return 0;
}

/* The handle is what was checked, not a name. */
int
socket_own(const char *path, const struct socket_options *options, struct diag *diag)
{
	char handle[sizeof("/proc/self/fd/") + 10];
	struct stat status;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), failed = 0;

	if (fd < 0)
		return diag_set(diag, "open: %s", strerror(errno));
	(void)snprintf(handle, sizeof(handle), "/proc/self/fd/%d", fd);
	if (fstat(fd, &status) || !S_ISSOCK(status.st_mode)) {
		failed = diag_set(diag, "the path was changed by somebody else");
	} else if (fchownat(fd, "", options->owner, options->group, AT_EMPTY_PATH)) {
		failed = diag_set(
			diag, "change the owner or group of the socket: %s", strerror(errno));
	} else if (chmod(handle, options->mode)) {
		failed = diag_set(diag, "change the mode of the socket: %s", strerror(errno));
	}
	close(fd);
	return failed;
}

/*
 * Bind @fd. The path has no rights for others from the moment it appears (a socket's own mode is what
 * bind() starts from), and until listen() it refuses everybody.
 */
static int
bind_unix(int fd, const struct endpoint *endpoint, const struct socket_options *options,
	struct diag *diag)
{
	if (fchmod(fd, options->mode & 0700))
		return diag_set(diag, "change the mode of the socket: %s", strerror(errno));
	if (bind(fd, &endpoint->any, endpoint->length)) {
		if (errno != EADDRINUSE)
			return explain_bind(errno, diag);
		if (clear_path(endpoint, diag))
			return -1;
		if (bind(fd, &endpoint->any, endpoint->length))
			return explain_bind(errno, diag);
	}
	if (endpoint->local.sun_path[0] && socket_own(endpoint->local.sun_path, options, diag)) {
		(void)unlink(endpoint->local.sun_path);
		return -1;
	}
	if (listen(fd, SOMAXCONN))
		return explain_bind(errno, diag);
	return 0;
}

static int
listen_unix(const struct address *address, const struct socket_options *options, struct diag *diag)
{
	struct endpoint endpoint;
	int fd = new_socket(AF_UNIX);

	if (fd < 0)
		return diag_set(diag, "socket: %s", strerror(errno));
	address_endpoint(address, &endpoint);
	if (bind_unix(fd, &endpoint, options, diag)) {
		close(fd);
		return -1;
	}
	return fd;
}

int
socket_listen(
	const struct address *address, const struct socket_options *options, struct diag *diag)
{
	char array[ADDRESS_TEXT_SIZE];
	struct text text;
	int fd = -1;

	if (address->kind == ADDRESS_UNIX)
		fd = listen_unix(address, options, diag);
	else if (address->kind == ADDRESS_NAME)
		diag_set(diag, "this needs an IP address, not a name");
	else
		fd = listen_tcp(address, options, diag);
	if (fd >= 0)
		return fd;
	text_init(&text, array, sizeof(array));
	address_print(address, &text);
	return diag_prefix(diag, "listen on %s", array);
}

int
socket_accept(int listener, struct endpoint *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->length = sizeof(peer->local);
	return accept4(listener, &peer->any, &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int
socket_connect(
	const struct endpoint *endpoint, unsigned keepalive, bool *connected, struct diag *diag)
{
	int fd = new_socket(endpoint->any.sa_family);

	if (fd < 0)
		return diag_set(diag, "socket: %s", strerror(errno));
	if (endpoint->any.sa_family != AF_UNIX)
		socket_prepare(fd, keepalive);
	*connected = connect(fd, &endpoint->any, endpoint->length) == 0;
	if (*connected || errno == EINPROGRESS)
		return fd;
	/* Only a UNIX listener says so, when nobody accepts what waits. */
	if (errno == EAGAIN)
		diag_set(diag, "the backlog of the listener is full");
	else
		diag_set(diag, "%s", strerror(errno));
	close(fd);
	return -1;
}

/* Is the socket @fd, connected to @endpoint, a TCP one that is connected to itself? */
static bool
met_itself(int fd, const struct endpoint *endpoint)
{
	struct endpoint here = {.length = sizeof(here.local)}, there = here;

	if (endpoint->any.sa_family == AF_UNIX || getsockname(fd, &here.any, &here.length))
		return false;
	if (here.v4.sin_port != endpoint->v4.sin_port)
		return false;
	return getpeername(fd, &there.any, &there.length) == 0 && endpoint_is_equal(&here, &there);
}

int
socket_error(int fd, const struct endpoint *endpoint)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length))
		return errno;
	return error == 0 && met_itself(fd, endpoint) ? ECONNREFUSED : error;
}

static void
set_abortive(int fd, bool abortive)
{
	struct linger linger = {.l_onoff = abortive, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void
socket_prepare(int fd, unsigned keepalive)
{
	/* None of these fails but on a connection that is broken already, as the next call will say. */
	set_abortive(fd, true);
	(void)set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	(void)set(fd, SOL_SOCKET, SO_KEEPALIVE, keepalive > 0);
	if (keepalive == 0)
		return;
	(void)set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)keepalive);
	(void)set(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_PERIOD);
	(void)set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}

void
socket_close(int fd)
{
	set_abortive(fd, false);
	(void)close(fd);
}

void
socket_reset(int fd)
{
	set_abortive(fd, true);
	(void)close(fd);
}

bool
socket_holds_unsent(int fd)
{
	int unsent = 0;

	return ioctl(fd, SIOCOUTQNSD, &unsent) == 0 && unsent > 0;
}

int
socket_peer_user(int fd, uid_t *user, struct diag *diag)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
		return diag_set(diag, "ask who connected: %s", strerror(errno));
	if (peer.uid == (uid_t)-1)
		return diag_set(diag, "ask who connected: the kernel does not know");
	*user = peer.uid;
	return 0;
}
