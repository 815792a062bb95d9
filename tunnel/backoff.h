/* SPDX-License-Identifier: MIT */
/*
 * backoff.h - how long to wait before something that ended too early is started again.
 *
 * The first time there is no wait at all; each further failure in a row doubles it. What lived for a
 * minute has not failed in a row. Pure arithmetic: the caller has the clock.
 */
#ifndef TUNNEL_BACKOFF_H
#define TUNNEL_BACKOFF_H

/* All zero is the beginning. */
struct backoff {
	unsigned failures; /* in a row */
};

/* Something that lived for @lived seconds has ended. Returns the seconds to wait, 0 to 30. */
double backoff_next(struct backoff *backoff, double lived);

#endif
