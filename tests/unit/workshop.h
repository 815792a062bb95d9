/* SPDX-License-Identifier: MIT */
/*
 * workshop.h - sub-commands of pki, run on what is in the directory of a test (scratch.h).
 *
 * What they print is in `capture` (capture.h) afterwards, with the words of their diag as standard error.
 */
#ifndef TESTS_UNIT_WORKSHOP_H
#define TESTS_UNIT_WORKSHOP_H

struct diag;
struct pki_arguments;
struct pki_pair;

/* Write @pair as STEM.crt and STEM.key. */
void workshop_save(const char *stem, const struct pki_pair *pair);

/* Run @run with @arguments. Returns its exit status. */
int workshop_run(int (*run)(const struct pki_arguments *arguments, struct diag *diag),
	const struct pki_arguments *arguments);

#endif
