/* SPDX-License-Identifier: MIT */
#include "common/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"

static const char loopback[] = "127.0.0.1";

enum { NAME_LIMIT = 253, LABEL_LIMIT = 63 }; /* RFC 1035 section 2.3.4 */

static const char shape[] = "expected HOST:PORT, [IPV6]:PORT, *:PORT, unix:/PATH or unix:@NAME";

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

/* Lower-case ASCII alone: what a locale thinks does not matter to DNS. */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does the last label of @host have digits only, so that resolvers would take it for an address? */
static bool
looks_numeric(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot ? dot + 1 : host;

	return strspn(label, "0123456789") == strlen(label) ||
		(label[0] == '0' && label[1] == 'x' &&
			strspn(label + 2, "0123456789abcdef") == strlen(label + 2));
}

/* Is every label of @host between 1 and 63 characters long, and does none begin or end in '-'? */
static bool
labels_are_good(const char *host)
{
	for (;;) {
		size_t length = strcspn(host, ".");

		if (length == 0 || length > LABEL_LIMIT || host[0] == '-' ||
			host[length - 1] == '-')
			return false;
		if (!host[length])
			return true;
		host += length + 1;
	}
}

static int
parse_name(struct address *address, const char *host, size_t length, struct diag *diag)
{
	if (length > NAME_LIMIT)
		return diag_set(diag, "the host name is longer than %d characters", NAME_LIMIT);
	for (size_t i = 0; i < length; i++) {
		char c = lower(host[i]);

		if (!is_name_char(c) && c != '.')
			return diag_set(
				diag, "the host name has a character that names cannot have");
		address->host[i] = c;
	}
	address->host[length] = '\0';
	if (address->host[length - 1] == '.')
		return diag_set(diag, "the host name ends in a dot: leave it out");
	if (looks_numeric(address->host))
		return diag_set(diag, "the host looks like an IPv4 address and is none");
	if (!labels_are_good(address->host)) {
		return diag_set(diag,
			"the host name has an empty or too long part, or one with \"-\" "
			"at its edge");
	}
	if (strcmp(address->host, "unix") == 0)
		return diag_set(diag, "a UNIX socket is unix:/PATH, in small letters");
	address->kind = ADDRESS_NAME;
	return 0;
}

/* Take @host of @length bytes as an address of @family and keep its canonical form. */
static bool
take_ip(struct address *address, int family, const char *host, size_t length)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr binary; /* large enough for both */

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, host, length);
	copy[length] = '\0';
	if (inet_pton(family, copy, &binary) != 1)
		return false;
	address->kind = ADDRESS_IP;
	return inet_ntop(family, &binary, address->host, sizeof(address->host)) != NULL;
}

static int
parse_port(struct address *address, const char *text, struct diag *diag)
{
	unsigned port = 0;
	size_t length = strspn(text, "0123456789");

	if (length == 0 || length > 5 || text[length])
		return diag_set(diag, "the port must be a number from 1 to 65535");
	for (size_t i = 0; i < length; i++)
		port = port * 10 + (unsigned)(text[i] - '0');
	if (port == 0 || port > UINT16_MAX)
		return diag_set(diag, "the port must be a number from 1 to 65535");
	address->port = (uint16_t)port;
	return 0;
}

/* Copy @path with every run of '/' as one, so that equal paths have equal texts. */
static int
parse_path(struct address *address, const char *path, struct diag *diag)
{
	size_t length = 0, limit = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	for (const char *at = path; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return diag_set(
				diag, "the name of a UNIX socket cannot have control characters");
		if (path[0] == '/' && at[0] == '/' && at[1] == '/')
			continue;
		if (length >= limit + (path[0] == '@'))
			return diag_set(
				diag, "the name of a UNIX socket is longer than %zu bytes", limit);
		address->host[length++] = *at;
	}
	address->host[length] = '\0';
	address->kind = ADDRESS_UNIX;
	if (length < 2 || address->host[length - 1] == '/')
		return diag_set(diag, "the name of the UNIX socket is missing: %s", shape);
	return 0;
}

static int
parse_unix(struct address *address, const char *path, struct diag *diag)
{
	if (path[0] != '/' && path[0] != '@')
		return diag_set(diag, "a UNIX socket is unix:/PATH, from the root, or unix:@NAME");
	return parse_path(address, path, diag);
}

/* "0.0.0.0", "::" and "::ffff:0.0.0.0": to connect there means this machine, which nobody expects. */
static bool
is_unspecified(const struct address *address)
{
	return strcmp(address->host, "0.0.0.0") == 0 || strcmp(address->host, "::") == 0 ||
		strcmp(address->host, "::ffff:0.0.0.0") == 0;
}

static int
parse_bracketed(struct address *address, const char *text, struct diag *diag)
{
	const char *end = strchr(text, ']');

	if (!end || end[1] != ':')
		return diag_set(diag, "an IPv6 address is written [ADDRESS]:PORT");
	if (memchr(text, '%', (size_t)(end - text)))
		return diag_set(diag, "IPv6 addresses with a zone (\"%%\") are not supported");
	if (!take_ip(address, AF_INET6, text + 1, (size_t)(end - text - 1)))
		return diag_set(diag, "what is in the brackets is no IPv6 address");
	return parse_port(address, end + 2, diag);
}

static int
parse_plain(struct address *address, const char *text, struct diag *diag)
{
	const char *colon = strchr(text, ':');

	if (!colon)
		return diag_set(diag, "the port is missing: %s", shape);
	if (strchr(colon + 1, ':'))
		return diag_set(
			diag, "more than one \":\": an IPv6 address is written [ADDRESS]:PORT");
	if (colon == text)
		return diag_set(diag, "the host is missing: %s", shape);
	if (parse_port(address, colon + 1, diag))
		return -1;
	if (colon == text + 1 && text[0] == '*') {
		address->kind = ADDRESS_ANY;
		memcpy(address->host, "*", 2);
		return 0;
	}
	if (take_ip(address, AF_INET, text, (size_t)(colon - text)))
		return 0;
	return parse_name(address, text, (size_t)(colon - text), diag);
}

/* To listen on, localhost is one address, whatever it resolves to. */
static void
settle_localhost(struct address *address)
{
	if (address->kind != ADDRESS_NAME || strcmp(address->host, "localhost") != 0)
		return;
	address->kind = ADDRESS_IP;
	memcpy(address->host, loopback, sizeof(loopback));
}

/* What is an address, but not one to listen on, or not one to connect to. */
static int
check_use(const struct address *address, bool listening, struct diag *diag)
{
	if (listening && address->kind == ADDRESS_NAME) {
		return diag_set(diag,
			"listening needs an IP address, localhost, \"*\" or a UNIX socket, not "
			"another name: write the address that it has");
	}
	if (!listening && (address->kind == ADDRESS_ANY || is_unspecified(address)))
		return diag_set(
			diag, "\"%s\" can be listened on, but not connected to", address->host);
	return 0;
}

int
address_parse(struct address *address, const char *text, bool listening, struct diag *diag)
{
	struct address parsed = {0};
	int failed;

	if (strncmp(text, "unix:", 5) == 0)
		failed = parse_unix(&parsed, text + 5, diag);
	else if (text[0] == '[')
		failed = parse_bracketed(&parsed, text, diag);
	else
		failed = parse_plain(&parsed, text, diag);
	if (failed)
		return -1;
	if (listening)
		settle_localhost(&parsed);
	if (check_use(&parsed, listening, diag))
		return -1;
	*address = parsed;
	return 0;
}

unsigned
address_ip_bytes(const char *text, unsigned char bytes[16])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

void
address_print(const struct address *address, struct text *text)
{
	if (address->kind == ADDRESS_UNIX)
		text_format(text, "unix:%s", address->host);
	else if (strchr(address->host, ':'))
		text_format(text, "[%s]:%u", address->host, (unsigned)address->port);
	else
		text_format(text, "%s:%u", address->host, (unsigned)address->port);
}

static void
unix_endpoint(const char *name, struct endpoint *endpoint)
{
	size_t length = strlen(name), start = offsetof(struct sockaddr_un, sun_path);

	endpoint->local.sun_family = AF_UNIX;
	if (name[0] == '@') {
		/* An abstract name begins with a NUL and ends where the length says. */
		memcpy(endpoint->local.sun_path + 1, name + 1, length - 1);
		endpoint->length = (socklen_t)(start + length);
	} else {
		memcpy(endpoint->local.sun_path, name, length + 1);
		endpoint->length = (socklen_t)(start + length + 1);
	}
}

void
address_endpoint(const struct address *address, struct endpoint *endpoint)
{
	const char *host = address->kind == ADDRESS_ANY ? "::" : address->host;
	int done = 1;

	assert(address->kind != ADDRESS_NAME);
	memset(endpoint, 0, sizeof(*endpoint));
	if (address->kind == ADDRESS_UNIX) {
		unix_endpoint(address->host, endpoint);
	} else if (strchr(host, ':')) {
		endpoint->length = sizeof(endpoint->v6);
		endpoint->v6.sin6_family = AF_INET6;
		endpoint->v6.sin6_port = htons(address->port);
		done = inet_pton(AF_INET6, host, &endpoint->v6.sin6_addr);
	} else {
		endpoint->length = sizeof(endpoint->v4);
		endpoint->v4.sin_family = AF_INET;
		endpoint->v4.sin_port = htons(address->port);
		done = inet_pton(AF_INET, host, &endpoint->v4.sin_addr);
	}
	assert(done == 1);
}

bool
address_is_equal(const struct address *a, const struct address *b)
{
	return a->kind == b->kind && a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool
address_is_local(const struct address *address)
{
	struct endpoint endpoint;

	if (address->kind == ADDRESS_NAME)
		return strcmp(address->host, "localhost") == 0;
	if (address->kind == ADDRESS_ANY)
		return false;
	address_endpoint(address, &endpoint);
	return endpoint_is_local(&endpoint);
}

/* The IPv4 form of an IPv4-mapped @endpoint, else a copy. */
static struct endpoint
unmapped(const struct endpoint *endpoint)
{
	struct endpoint v4 = {.length = sizeof(v4.v4)};

	if (endpoint->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&endpoint->v6.sin6_addr))
		return *endpoint;
	v4.v4.sin_family = AF_INET;
	v4.v4.sin_port = endpoint->v6.sin6_port;
	memcpy(&v4.v4.sin_addr, &endpoint->v6.sin6_addr.s6_addr[12], sizeof(v4.v4.sin_addr));
	return v4;
}

bool
endpoint_is_local(const struct endpoint *endpoint)
{
	struct endpoint plain = unmapped(endpoint);

	switch (plain.any.sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(plain.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&plain.v6.sin6_addr);
	default:
		return false;
	}
}

/*
 * The name of a UNIX @endpoint and its length; an abstract one begins with a NUL. The kernel ends a
 * path by the length, by a NUL, or by both.
 */
static const char *
unix_name(const struct endpoint *endpoint, size_t *length)
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	const char *name = endpoint->local.sun_path;
	size_t room = endpoint->length > start ? endpoint->length - start : 0;

	if (room > sizeof(endpoint->local.sun_path))
		room = sizeof(endpoint->local.sun_path);
	*length = room > 0 && name[0] ? strnlen(name, room) : room;
	return name;
}

bool
endpoint_is_equal(const struct endpoint *a, const struct endpoint *b)
{
	struct endpoint x = unmapped(a), y = unmapped(b);
	size_t x_length, y_length;

	if (x.any.sa_family != y.any.sa_family)
		return false;
	switch (x.any.sa_family) {
	case AF_INET:
		return x.v4.sin_port == y.v4.sin_port &&
			x.v4.sin_addr.s_addr == y.v4.sin_addr.s_addr;
	case AF_INET6:
		return x.v6.sin6_port == y.v6.sin6_port &&
			x.v6.sin6_scope_id == y.v6.sin6_scope_id &&
			IN6_ARE_ADDR_EQUAL(&x.v6.sin6_addr, &y.v6.sin6_addr);
	case AF_UNIX: {
		const char *x_name = unix_name(&x, &x_length), *y_name = unix_name(&y, &y_length);

		/* Nothing tells two unnamed sockets apart, or that they are the same. */
		return x_length > 0 && x_length == y_length &&
			memcmp(x_name, y_name, x_length) == 0;
	}
	default:
		return false;
	}
}

struct packed_endpoint *
endpoint_pack(const struct endpoint *endpoint)
{
	/* The kernel tells the length of a UNIX name even where it had no room for it. */
	socklen_t room = sizeof(endpoint->local);
	socklen_t length = endpoint->length < room ? endpoint->length : room;
	struct packed_endpoint *packed = malloc(sizeof(*packed) + length);

	if (!packed)
		return NULL;
	packed->length = length;
	memcpy(packed->bytes, &endpoint->local, length);
	return packed;
}

struct endpoint
endpoint_unpack(const struct packed_endpoint *packed)
{
	struct endpoint endpoint = {.length = packed->length};

	memcpy(&endpoint.local, packed->bytes, packed->length);
	return endpoint;
}

static void
print_unix(const struct endpoint *endpoint, struct text *text)
{
	size_t length;
	const char *name = unix_name(endpoint, &length);

	text_add(text, "unix:");
	if (length > 0 && !name[0]) {
		text_add_char(text, '@');
		name++;
		length--;
	}
	text_escape(text, name, length);
}

void
endpoint_print(const struct endpoint *endpoint, struct text *text)
{
	struct endpoint plain = unmapped(endpoint);
	char host[INET6_ADDRSTRLEN] = "";

	switch (plain.any.sa_family) {
	case AF_UNIX:
		print_unix(&plain, text);
		break;
	case AF_INET:
		(void)inet_ntop(AF_INET, &plain.v4.sin_addr, host, sizeof(host));
		text_format(text, "%s:%u", host, (unsigned)ntohs(plain.v4.sin_port));
		break;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &plain.v6.sin6_addr, host, sizeof(host));
		text_format(text, "[%s]:%u", host, (unsigned)ntohs(plain.v6.sin6_port));
		break;
	default:
		text_add(text, "unknown");
		break;
	}
}
