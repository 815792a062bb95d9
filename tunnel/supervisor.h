/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h - the role of main: it prepares generations, keeps the sockets, and sees to it that
 * serve runs.
 *
 *	SIGTERM, SIGINT	drain; a second one aborts, a third one kills serve
 *	SIGHUP		reload: the next generation replaces the present one, or nothing changes
 *	SIGUSR1		open the log's file again
 *
 * It never touches a byte that a peer sent, and no signal but these means anything to serve.
 */
#ifndef TUNNEL_SUPERVISOR_H
#define TUNNEL_SUPERVISOR_H

#include <stdbool.h>

#include "common/defs.h"

struct origin;

/*
 * Run the services of @origin until a signal ends them. Errors are told on standard error or in the
 * log. Returns true if everything ended as asked, with no tunnel aborted.
 */
MUST_USE bool supervisor_run(const struct origin *origin);

#endif
