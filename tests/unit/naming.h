/* SPDX-License-Identifier: MIT */
/*
 * naming.h - two DNS servers on an event loop and the files that name the first, for tests of who asks them.
 *
 * The hosts file has one name, "listed", at 198.51.100.7.
 */
#ifndef TESTS_UNIT_NAMING_H
#define TESTS_UNIT_NAMING_H

#include "common/address.h"
#include "tests/unit/name_files.h"
#include "tests/unit/name_server.h"
#include "tunnel/dns.h"
#include "tunnel/loop.h"

struct naming {
	struct pool_budget budget;
	struct loop loop;
	struct name_server first, second; /* which say 192.0.2.1 and 192.0.2.2 */
	struct name_files files;
};

/* The one there is. */
extern struct naming naming;

/* Start it all. Returns what makes somebody ask there; its resolv_conf is that of `naming`. */
struct dns_settings naming_start(void);

/* End it, after who asked has been freed. */
void naming_stop(void);

/* Is @endpoint the address @ip, with port 0? */
bool naming_is(const struct endpoint *endpoint, const char *ip);

/* Is that one of the @count @endpoints? */
bool naming_has(const struct endpoint *endpoints, size_t count, const char *ip);

#endif
