/* SPDX-License-Identifier: MIT */
/*
 * name_server.h - a DNS server for tests, on the event loop of the test itself.
 *
 * It gives every name the same addresses, or the same trouble, and counts what it was asked.
 */
#ifndef TESTS_UNIT_NAME_SERVER_H
#define TESTS_UNIT_NAME_SERVER_H

#include <ev.h>
#include <stdint.h>

struct name_server {
	struct ev_loop *ev;
	struct ev_io io;
	enum { SERVER_ANSWERS, SERVER_FAILS, SERVER_DENIES, SERVER_EMPTY, SERVER_SILENT } mood;
	uint8_t v4[4], v6[16]; /* all zero: none of that family */
	uint32_t ttl;
	unsigned asked; /* questions */
};

/* Start it on @host (an IPv4 address) and *@port; 0 chooses one and stores it. */
void name_server_start(
	struct name_server *server, struct ev_loop *ev, const char *host, uint16_t *port);

void name_server_stop(struct name_server *server);

#endif
