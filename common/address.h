/* SPDX-License-Identifier: MIT */
/*
 * address.h - where to listen or to connect to, as text and as a socket address.
 *
 * Texts: "host:port", "192.0.2.1:443", "[2001:db8::1]:443", "*:443" (listening only: one dual-stack
 * socket), "unix:/path", "unix:@abstract". Nothing is resolved here: a host name stays a name.
 */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/defs.h"

struct diag;
struct text;

enum { ADDRESS_TEXT_SIZE = 448 }; /* holds every host and port, escaped path and NUL */

enum address_kind {
	ADDRESS_NAME, /* a host name, to be resolved */
	ADDRESS_IP,
	ADDRESS_ANY,  /* "*": every address of the machine */
	ADDRESS_UNIX, /* a path, or an abstract name */
};

/* What a configured text means. Plain data: copy it freely. */
struct address {
	enum address_kind kind;
	uint16_t port; /* 0 for UNIX */
	/* The name, the IP without brackets, the path, or '@' and the abstract name. */
	char host[256];
};

/* A socket address of any family that we use. Of both IP families the port is @v4.sin_port. */
struct endpoint {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
};

/* An endpoint that is kept for long, in no more memory than it needs; freed with free(). */
struct packed_endpoint {
	socklen_t length;
	unsigned char bytes[];
};

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
	"the port stands elsewhere in IPv6");

/*
 * Parse @text into @address. "*" is refused unless @listening, a host name is refused if
 * @listening (it may mean several addresses) but for localhost, which then is 127.0.0.1; the
 * unspecified addresses are refused unless @listening, port 0 always. Returns 0, or -1 with words
 * that say what was expected.
 */
MUST_USE int address_parse(
	struct address *address, const char *text, bool listening, struct diag *diag);

/* Write @address in the one form that address_parse() takes and that is equal for equal addresses. */
void address_print(const struct address *address, struct text *text);

/*
 * Write the 4 or 16 bytes of the IP address @text, without brackets, to @bytes in network order. Returns
 * how many, or 0 if @text is no IP address.
 */
unsigned address_ip_bytes(const char *text, unsigned char bytes[16]);

/* Make the endpoint of @address, whose kind is ADDRESS_IP, ADDRESS_ANY (then [::]) or ADDRESS_UNIX. */
void address_endpoint(const struct address *address, struct endpoint *endpoint);

/* Are both the same host, as written, and port? */
bool address_is_equal(const struct address *a, const struct address *b);

/*
 * Does @address stay on this machine: 127/8, ::1, their IPv4-mapped forms, UNIX, the name
 * "localhost"? ADDRESS_ANY and other names do not.
 */
bool address_is_local(const struct address *address);

/* The same for what a name resolved to, or a connected peer. */
bool endpoint_is_local(const struct endpoint *endpoint);

/* Are both the same address and port? An IPv4-mapped address is the IPv4 address. */
bool endpoint_is_equal(const struct endpoint *a, const struct endpoint *b);

/* A copy of @endpoint, which the caller frees with free(). NULL without memory. */
MUST_USE struct packed_endpoint *endpoint_pack(const struct endpoint *endpoint);

/* What was packed. */
struct endpoint endpoint_unpack(const struct packed_endpoint *packed);

/*
 * Write "192.0.2.1:443" (for an IPv4-mapped address too), "[2001:db8::1]:443", "unix:/path" (escaped),
 * or "unix:" for an unnamed one.
 */
void endpoint_print(const struct endpoint *endpoint, struct text *text);

#endif
