/* SPDX-License-Identifier: MIT */
/*
 * timed.h - run an event loop for a while, for tests that are all the other events.
 */
#ifndef TESTS_UNIT_TIMED_H
#define TESTS_UNIT_TIMED_H

struct ev_loop;

/* Run @ev for @seconds, or until somebody breaks it. Returns how many seconds that was. */
double timed_run(struct ev_loop *ev, double seconds);

#endif
