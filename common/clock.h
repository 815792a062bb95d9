/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the seconds that pass, whatever is done to the time of day.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

/* Seconds since some fixed moment before the program began. */
double clock_seconds(void);

#endif
