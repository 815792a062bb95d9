/* SPDX-License-Identifier: MIT */
#include "tunnel/dns.h"

#include <ares.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/list.h"
#include "tunnel/loop.h"

enum { SERVER_TIMEOUT = 1500 /* ms */, TRIES = 2 };

static const double check_period = 1.0;

/* What c-ares's own words would leave unclear to an operator. */
static const struct {
	int status;
	const char *words;
} statuses[] = {
	{ARES_ENOTFOUND, "no such name"},
	{ARES_ENODATA, "the name has no address"},
	{ARES_ETIMEOUT, "the DNS servers do not answer"},
	{ARES_ECONNREFUSED, "no DNS server can be reached, or all of them fail"},
	{ARES_EBADNAME, "that is not a valid name"},
	{ARES_ENOMEM, "out of memory"},
};

/* What a file looked like when it was read; all zero: it was not there. */
struct signature {
	struct timespec modified;
	ino_t inode;
	off_t size;
};

/* One reading of resolv.conf. */
struct dns_channel {
	struct list link;
	struct dns *dns;
	ares_channel ares;
	struct list sockets;
	struct ev_timer timer;
	size_t pending; /* questions */
	bool retired;	/* goes with its last question */
};

struct dns_socket {
	struct list link;
	struct dns_channel *channel;
	struct ev_io io;
};

struct dns {
	struct loop *loop;
	struct dns_settings settings;
	char *resolv_conf;
	struct list channels;
	struct dns_channel *current;
	struct dns_channel *local; /* looks into hosts only */
	struct signature signature;
	double checked;
};

static struct signature
signature_of(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return (struct signature){0};
	return (struct signature){
		.modified = status.st_mtim, .inode = status.st_ino, .size = status.st_size};
}

static bool
signature_is_equal(const struct signature *a, const struct signature *b)
{
	return a->modified.tv_sec == b->modified.tv_sec &&
		a->modified.tv_nsec == b->modified.tv_nsec && a->inode == b->inode &&
		a->size == b->size;
}

static const char *
words_of(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].words;
	}
	return ares_strerror(status);
}

/* ares_destroy() takes the sockets off the list, through on_socket_state(). */
static void
channel_free(struct dns_channel *channel)
{
	if (channel->ares)
		ares_destroy(channel->ares);
	ev_timer_stop(channel->dns->loop->ev, &channel->timer);
	list_remove(&channel->link);
	free(channel);
}

/* After every call of c-ares, but never inside of one: set the timer, or end a retired channel. */
static void
channel_update(struct dns_channel *channel)
{
	struct ev_loop *ev = channel->dns->loop->ev;
	struct timeval left;

	if (channel->retired && channel->pending == 0) {
		channel_free(channel);
		return;
	}
	ev_timer_stop(ev, &channel->timer);
	if (!ares_timeout(channel->ares, NULL, &left))
		return;
	/* A little more, so that c-ares's clock has got there too. */
	ev_timer_set(
		&channel->timer, (double)left.tv_sec + (double)left.tv_usec * 1e-6 + 0.001, 0.);
	ev_timer_start(ev, &channel->timer);
}

static void
on_timer(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	struct dns_channel *channel = container_of(timer, struct dns_channel, timer);

	(void)ev;
	(void)events;
	ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	channel_update(channel);
}

static void
on_socket_ready(struct ev_loop *ev, struct ev_io *io, int events)
{
	struct dns_channel *channel = container_of(io, struct dns_socket, io)->channel;
	int fd = io->fd;

	(void)ev;
	ares_process_fd(channel->ares, events & EV_READ ? fd : ARES_SOCKET_BAD,
		events & EV_WRITE ? fd : ARES_SOCKET_BAD);
	channel_update(channel);
}

static struct dns_socket *
find_socket(struct dns_channel *channel, int fd)
{
	struct list *link;

	list_for_each (link, &channel->sockets) {
		struct dns_socket *socket = container_of(link, struct dns_socket, link);

		if (socket->io.fd == fd)
			return socket;
	}
	return NULL;
}

static struct dns_socket *
add_socket(struct dns_channel *channel, int fd)
{
	struct dns_socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return NULL;
	socket->channel = channel;
	ev_io_init(&socket->io, on_socket_ready, fd, EV_NONE);
	list_append(&channel->sockets, &socket->link);
	return socket;
}

/* c-ares says what it waits for; neither means that it is about to close the socket. */
static void
on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
	struct dns_channel *channel = data;
	struct ev_loop *ev = channel->dns->loop->ev;
	int events = (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0);
	struct dns_socket *socket = find_socket(channel, fd);

	if (!socket && events)
		socket = add_socket(channel, fd);
	if (!socket)
		return; /* without memory the question ends by its timeout */
	ev_io_stop(ev, &socket->io);
	ev_io_set(&socket->io, fd, events);
	if (events) {
		ev_io_start(ev, &socket->io);
		return;
	}
	list_remove(&socket->link);
	free(socket);
}

/* Copy up to DNS_ADDRESSES addresses of @result to @endpoints, and find the least time to live. */
static void
collect(const struct ares_addrinfo *result, struct endpoint *endpoints, struct dns_answer *answer)
{
	int ttl = INT32_MAX;

	for (struct ares_addrinfo_cname *name = result->cnames; name; name = name->next)
		ttl = name->ttl < ttl ? name->ttl : ttl;
	for (struct ares_addrinfo_node *node = result->nodes; node; node = node->ai_next) {
		struct endpoint *endpoint = &endpoints[answer->count];

		if (answer->count == DNS_ADDRESSES || node->ai_addrlen > sizeof(endpoint->v6))
			continue;
		*endpoint = (struct endpoint){.length = node->ai_addrlen};
		memcpy(&endpoint->any, node->ai_addr, node->ai_addrlen);
		answer->count++;
		ttl = node->ai_ttl < ttl ? node->ai_ttl : ttl;
	}
	answer->endpoints = endpoints;
	answer->ttl = ttl > 0 ? ttl : 0;
}

/* What localhost is unless hosts knows better (RFC 6761 section 6.3). */
static void
answer_loopback(struct endpoint *endpoints, struct dns_answer *answer)
{
	endpoints[0] = (struct endpoint){.length = sizeof(endpoints->v6)};
	endpoints[0].v6.sin6_family = AF_INET6;
	endpoints[0].v6.sin6_addr = in6addr_loopback;
	endpoints[1] = (struct endpoint){.length = sizeof(endpoints->v4)};
	endpoints[1].v4.sin_family = AF_INET;
	endpoints[1].v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	answer->endpoints = endpoints;
	answer->count = 2;
}

/* Is that an answer, though without addresses? */
static bool
is_denial(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

static void
on_result(void *data, int status, int timeouts, struct ares_addrinfo *result)
{
	struct dns_question *question = data;
	struct endpoint endpoints[DNS_ADDRESSES];
	struct dns_answer answer = {.words = words_of(status)};

	(void)timeouts;
	question->channel->pending--;
	if (status == ARES_SUCCESS && result)
		collect(result, endpoints, &answer);
	if (result)
		ares_freeaddrinfo(result);
	if (status == ARES_EDESTRUCTION)
		return;
	if (answer.count == 0 && question->channel == question->channel->dns->local)
		answer_loopback(endpoints, &answer);
	if (answer.count == 0)
		answer.outcome = is_denial(status) ? DNS_NOT_FOUND : DNS_FAILED;
	question->answered(question, &answer);
}

/* @lookups are c-ares's letters: f for hosts, b for the servers. */
static int
channel_open(struct dns_channel *channel, char *lookups, struct diag *diag)
{
	struct dns *dns = channel->dns;
	struct ares_options options = {
		.timeout = SERVER_TIMEOUT,
		.tries = TRIES,
		.lookups = lookups,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = channel,
		.resolvconf_path = dns->resolv_conf,
		.udp_port = dns->settings.port,
		.tcp_port = dns->settings.port,
	};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB |
		ARES_OPT_RESOLVCONF;

	if (dns->settings.port)
		mask |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
	int status = ares_init_options(&channel->ares, &options, mask);
	if (status == ARES_SUCCESS)
		return 0;
	channel->ares = NULL;
	return diag_set(diag, "%s: the name service cannot be set up: %s", dns->resolv_conf,
		ares_strerror(status));
}

static struct dns_channel *
channel_new(struct dns *dns, char *lookups, struct diag *diag)
{
	struct dns_channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	channel->dns = dns;
	list_init(&channel->sockets);
	list_append(&dns->channels, &channel->link);
	ev_init(&channel->timer, on_timer);
	if (channel_open(channel, lookups, diag)) {
		channel_free(channel);
		return NULL;
	}
	return channel;
}

/* Use a resolv.conf that has changed. While it cannot be used, go on with what was read before. */
static void
refresh(struct dns *dns)
{
	char everything[] = "fb";
	double now = clock_seconds();
	struct dns_channel *old = dns->current, *fresh;
	struct diag diag;

	if (now - dns->checked < check_period)
		return;
	dns->checked = now;
	struct signature signature = signature_of(dns->resolv_conf);
	if (signature_is_equal(&signature, &dns->signature))
		return;
	fresh = channel_new(dns, everything, &diag);
	if (!fresh)
		return;
	dns->signature = signature;
	dns->current = fresh;
	old->retired = true;
	channel_update(old);
}

/* Is @name "localhost" or under it, with or without the final dot? */
static bool
is_local(const char *name)
{
	static const char local[] = "localhost";
	size_t length = strlen(name), wanted = sizeof(local) - 1;

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length < wanted || strncasecmp(name + length - wanted, local, wanted) != 0)
		return false;
	return length == wanted || name[length - wanted - 1] == '.';
}

static void
library_init(void)
{
	(void)ares_library_init(ARES_LIB_INIT_ALL);
}

struct dns *
dns_new(struct loop *loop, const struct dns_settings *settings, struct diag *diag)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT; /* c-ares's counter is not thread-safe */
	char everything[] = "fb", hosts_only[] = "f";
	struct dns *dns = calloc(1, sizeof(*dns));

	if (!dns)
		goto no_memory;
	(void)pthread_once(&once, library_init);
	dns->loop = loop;
	dns->settings = *settings;
	dns->resolv_conf =
		strdup(settings->resolv_conf ? settings->resolv_conf : "/etc/resolv.conf");
	list_init(&dns->channels);
	if (!dns->resolv_conf)
		goto no_memory;
	dns->signature = signature_of(dns->resolv_conf);
	dns->checked = clock_seconds();
	dns->current = channel_new(dns, everything, diag);
	dns->local = dns->current ? channel_new(dns, hosts_only, diag) : NULL;
	if (dns->local)
		return dns;
	dns_free(dns);
	return NULL;
no_memory:
	free(dns);
	diag_set(diag, "out of memory");
	return NULL;
}

void
dns_free(struct dns *dns)
{
	struct list *link, *after;

	if (!dns)
		return;
	list_for_each_safe (link, after, &dns->channels)
		channel_free(container_of(link, struct dns_channel, link));
	free(dns->resolv_conf);
	free(dns);
}

void
dns_ask(struct dns *dns, const char *name, struct dns_question *question)
{
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};
	struct dns_channel *channel;

	refresh(dns);
	channel = is_local(name) ? dns->local : dns->current;
	/* What c-ares does itself for its own spelling of localhost leaks the name (1.18). */
	if (channel == dns->local && strncasecmp(name, "localhost", 9) == 0)
		name = "LOCALHOST";
	if (dns->settings.hosts_of_environment)
		hints.ai_flags |= ARES_AI_ENVHOSTS;
	question->channel = channel;
	channel->pending++;
	ares_getaddrinfo(channel->ares, name, NULL, &hints, on_result, question);
	channel_update(channel);
}
