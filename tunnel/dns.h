/* SPDX-License-Identifier: MIT */
/*
 * dns.h - ask the system's name service for the addresses of a name, without waiting for it.
 *
 * First /etc/hosts, then the servers of /etc/resolv.conf, A and AAAA at once, with its search list.
 * "localhost" and what is under it is never asked of a server: unless hosts says otherwise it is ::1
 * and 127.0.0.1 (RFC 6761 section 6.3). A resolv.conf that has changed is taken up by the next
 * question; those that are being asked finish with the old servers. Each server has 1.5 seconds, then
 * each once more 3. Nothing is remembered here. The only file that knows c-ares.
 */
#ifndef TUNNEL_DNS_H
#define TUNNEL_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/defs.h"

struct diag;
struct dns;
struct dns_channel;
struct loop;

enum { DNS_ADDRESSES = 32 }; /* in one answer, at most */

/* All zero is what the program uses; the rest is for tests. */
struct dns_settings {
	const char *resolv_conf;   /* instead of /etc/resolv.conf; copied */
	uint16_t port;		   /* of the servers, instead of 53 */
	bool hosts_of_environment; /* $CARES_HOSTS instead of /etc/hosts */
};

enum dns_outcome {
	DNS_FOUND,
	DNS_NOT_FOUND, /* the name does not exist, or has no address: that is an answer */
	DNS_FAILED,    /* nobody could say */
};

struct dns_answer {
	enum dns_outcome outcome;
	const struct endpoint *endpoints; /* port 0, the best first (RFC 6724) */
	size_t count;
	double ttl;	   /* seconds, the least of all; 0 for what hosts says */
	const char *words; /* unless found */
};

/* Who asks. */
struct dns_question {
	/* Called once, possibly before dns_ask() returns. It must call nothing of dns_*. */
	void (*answered)(struct dns_question *question, const struct dns_answer *answer);
	struct dns_channel *channel; /* private */
};

/* Make one for @loop, which it borrows. The caller frees it with dns_free(). NULL with words. */
MUST_USE struct dns *dns_new(
	struct loop *loop, const struct dns_settings *settings, struct diag *diag);

/* Free it; open questions are forgotten, not answered. dns_free(NULL) does nothing. */
void dns_free(struct dns *dns);

/* Ask for @name. Borrows @question until it is answered. */
void dns_ask(struct dns *dns, const char *name, struct dns_question *question);

#endif
