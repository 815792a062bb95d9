/* SPDX-License-Identifier: MIT */
/*
 * report.h - the one line that is logged when a tunnel has ended.
 */
#ifndef TUNNEL_REPORT_H
#define TUNNEL_REPORT_H

#include "common/diag.h"

struct tunnel;

/* How a tunnel ended. */
enum ending_kind {
	ENDING_CLOSED,	/* both ways, cleanly */
	ENDING_ABORTED, /* broken while it carried bytes */
	ENDING_REFUSED, /* the client's handshake or identity */
	ENDING_FAILED,	/* the backend could not be reached, or its identity not be believed */
	ENDING_PROBE,	/* the client left before it sent anything */
};

/* Which side ended it. */
enum ending_side { ENDED_BY_CLIENT, ENDED_BY_BACKEND, ENDED_BY_US };

struct ending {
	enum ending_kind kind;
	enum ending_side by;
	struct diag reason; /* empty for ENDING_CLOSED and ENDING_PROBE */
};

/* Count and log the end of @tunnel, whose streams still exist. */
void report_end(const struct tunnel *tunnel, const struct ending *ending);

#endif
