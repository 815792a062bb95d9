/* SPDX-License-Identifier: MIT */
/*
 * diag.h - an error in words, built from the inside out by prefixes.
 *
 * It lives on the stack of whoever will decide about the error. The function that knows what went
 * wrong sets the words; each caller on the way up may put where it was in front of them:
 *
 *	return diag_set(diag, "open: %s", strerror(errno));
 *	...
 *	return diag_prefix(diag, "service %s", name);
 *
 * gives "service orders: open: No such file or directory". On success a diag stays untouched. Words
 * that do not fit are cut at the end, never overrun.
 */
#ifndef COMMON_DIAG_H
#define COMMON_DIAG_H

#include "common/defs.h"

enum { DIAG_SIZE = 1024 };

struct diag {
	char text[DIAG_SIZE];
};

/* Set the words of @diag. Returns -1, always, so that a caller can return it. */
int diag_set(struct diag *diag, const char *format, ...) PRINTF_LIKE(2, 3);

/* Put words and ": " before those that @diag has. Returns -1, always. */
int diag_prefix(struct diag *diag, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
