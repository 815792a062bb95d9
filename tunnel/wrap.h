/* SPDX-License-Identifier: MIT */
/*
 * wrap.h - break the texts of the option table into lines, for comments and for mdoc.
 */
#ifndef TUNNEL_WRAP_H
#define TUNNEL_WRAP_H

#include <stdio.h>

/* Write @text in lines that begin with @margin and have at most 79 columns; `marks` become "quotes". */
void wrap_print(const char *text, const char *margin, FILE *out);

/*
 * Write @text as mdoc source: a new line for every sentence, at most 79 columns, and `marks` as literals
 * (mdoc's Ql).
 */
void wrap_print_mdoc(const char *text, FILE *out);

#endif
