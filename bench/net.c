/* SPDX-License-Identifier: MIT */
#include "bench/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/text.h"

void
net_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int
resolve_name(struct endpoint *endpoint, const struct address *address, struct diag *diag)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char port[8];

	(void)snprintf(port, sizeof(port), "%u", address->port);
	int error = getaddrinfo(address->host, port, &hints, &found);
	if (error)
		return diag_set(diag, "resolve %s: %s", address->host, gai_strerror(error));
	endpoint->length = found->ai_addrlen;
	memcpy(&endpoint->any, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

static int
endpoint_of(struct endpoint *endpoint, const struct address *address, struct diag *diag)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (address->kind == ADDRESS_NAME)
		return resolve_name(endpoint, address, diag);
	address_endpoint(address, endpoint);
	return 0;
}

int
net_resolve(struct endpoint *endpoint, const char *text, struct diag *diag)
{
	struct address address;

	if (address_parse(&address, text, false, diag) < 0)
		return -1;
	return endpoint_of(endpoint, &address, diag);
}

/* Configurations have no port 0, so address_parse() refuses it: it stands in as port 1. */
static int
parse_listening(struct address *address, const char *text, struct diag *diag)
{
	size_t length = strlen(text);
	char stand_in[ADDRESS_TEXT_SIZE];

	if (strncmp(text, "unix:", 5) == 0 || length < 2 || strcmp(text + length - 2, ":0") != 0)
		return address_parse(address, text, true, diag);
	(void)snprintf(stand_in, sizeof(stand_in), "%.*s:1", (int)length - 2, text);
	if (address_parse(address, stand_in, true, diag) < 0)
		return -1;
	address->port = 0;
	return 0;
}

static void
remove_stale(const char *path)
{
	struct stat status;

	if (path[0] != '@' && lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		(void)unlink(path);
}

static int
bind_and_listen(int fd, struct endpoint *endpoint)
{
	int on = 1;

	if (endpoint->any.sa_family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &endpoint->any, endpoint->length) < 0 || listen(fd, SOMAXCONN) < 0)
		return -1;
	endpoint->length = sizeof(endpoint->local); /* the largest of them */
	return getsockname(fd, &endpoint->any, &endpoint->length);
}

int
net_listen(struct endpoint *endpoint, const char *text, struct diag *diag)
{
	struct address address;

	if (parse_listening(&address, text, diag) < 0 || endpoint_of(endpoint, &address, diag) < 0)
		return -1;
	if (address.kind == ADDRESS_UNIX)
		remove_stale(address.host);
	int fd = socket(endpoint->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return diag_set(diag, "%s: socket: %s", text, strerror(errno));
	if (bind_and_listen(fd, endpoint) < 0) {
		(void)diag_set(diag, "%s: cannot listen: %s", text, strerror(errno));
		(void)close(fd);
		return -1;
	}
	return fd;
}

void
net_tell(const struct endpoint *endpoint)
{
	char line[ADDRESS_TEXT_SIZE];
	struct text text;

	text_init(&text, line, sizeof(line));
	endpoint_print(endpoint, &text);
	(void)printf("listening on %s\n", line);
	(void)fflush(stdout);
}

int
net_connect(const struct endpoint *endpoint)
{
	bool local = endpoint->any.sa_family == AF_UNIX;
	int flags = SOCK_STREAM | SOCK_CLOEXEC | (local ? 0 : SOCK_NONBLOCK);
	int fd = socket(endpoint->any.sa_family, flags, 0);

	if (fd < 0)
		return -1;
	net_no_delay(fd);
	if (connect(fd, &endpoint->any, endpoint->length) == 0 || errno == EINPROGRESS) {
		if (local)
			(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		return fd;
	}
	int saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

void
net_no_delay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}
