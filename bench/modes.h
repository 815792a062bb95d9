/* SPDX-License-Identifier: MIT */
/*
 * modes.h - the loads that there are.
 */
#ifndef BENCH_MODES_H
#define BENCH_MODES_H

struct mode;

extern const struct mode bulk_mode;	/* --bytes or --seconds, --direction */
extern const struct mode connect_mode;	/* --connections loops, --count or --seconds */
extern const struct mode rate_mode;	/* --rate arrivals a second */
extern const struct mode pingpong_mode; /* --connections, --count or --seconds */
extern const struct mode message_mode;	/* --connections, --interval */
extern const struct mode hold_mode;	/* --connections */

#endif
