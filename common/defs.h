/* SPDX-License-Identifier: MIT */
/*
 * defs.h - the few macros that every file may use.
 */
#ifndef COMMON_DEFS_H
#define COMMON_DEFS_H

#include <stddef.h>

/* The result must be looked at. */
#define MUST_USE __attribute__((warn_unused_result))

/* A printf-like function: the format is argument @f, its first value argument @v. */
#define PRINTF_LIKE(f, v) __attribute__((format(printf, f, v)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of @type whose field @member is at @pointer. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
