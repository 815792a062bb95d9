/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h - tests that lower the limit of descriptors.
 */
#ifndef TESTS_UNIT_DESCRIPTORS_H
#define TESTS_UNIT_DESCRIPTORS_H

#include <stdlib.h>

#include "tests/unit/unit.h"

/* Leave the test out under valgrind, which keeps the limit for itself (RUNS_IN_VALGRIND, from tests/valgrind.sh). */
static inline void
need_limit_of_descriptors(void)
{
	if (!getenv("RUNS_IN_VALGRIND"))
		return;
	print_message("left out: valgrind keeps the limit of descriptors for itself\n");
	skip();
}

#endif
