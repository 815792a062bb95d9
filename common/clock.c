/* SPDX-License-Identifier: MIT */
#include "common/clock.h"

#include <time.h>

double
clock_seconds(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}
