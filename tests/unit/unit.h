/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what every unit test includes first: cmocka and what cmocka forgot to include.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
