/* SPDX-License-Identifier: MIT */
/*
 * logtarget.h - where main writes its log: standard error, syslog, or a file that it opens.
 *
 * Serve is passed the descriptor, since it opens nothing itself.
 */
#ifndef TUNNEL_LOGTARGET_H
#define TUNNEL_LOGTARGET_H

#include <stdbool.h>

#include "common/defs.h"
#include "common/log.h"

struct config;
struct diag;

struct logtarget {
	struct log_settings settings;
	int fd;		/* the sink's; -1: none was opened */
	bool elsewhere; /* not standard error */
};

/* Open what @config names into @target. Returns 0, or -1 with words. */
MUST_USE int logtarget_open(
	struct logtarget *target, const struct config *config, struct diag *diag);

/* Make @next the log of this process in place of @present, which takes it over and closes its own. */
void logtarget_replace(struct logtarget *present, struct logtarget *next);

/* Close a target that is no log of this process. */
void logtarget_close(struct logtarget *target);

/* Log to standard error again, and close what was opened. */
void logtarget_end(struct logtarget *present);

#endif
