/* SPDX-License-Identifier: MIT */
/*
 * workshop.h - a directory of its own for each test, and sub-commands of pki run on what is in it.
 *
 * What they print is in `capture` (capture.h) afterwards, with the words of their diag as standard error.
 */
#ifndef TESTS_UNIT_WORKSHOP_H
#define TESTS_UNIT_WORKSHOP_H

#include <stddef.h>

struct diag;
struct pki_arguments;
struct pki_pair;

enum { WORKSHOP_PATH = 96 };

struct workshop {
	char directory[WORKSHOP_PATH / 2]; /* complete */
};

extern struct workshop workshop;

/* Make the directory, for cmocka. */
int workshop_setup(void **state);

/* Remove it with everything in it, for cmocka. */
int workshop_teardown(void **state);

/* The complete path of @name in it; good until the eighth call from now. */
const char *workshop_path(const char *name);

/* Write @data to the file @name, of mode 0644. */
void workshop_write(const char *name, const void *data, size_t size);

/* Read the whole file @name, of less than @room bytes, and end it with NUL. Returns its size. */
size_t workshop_read(const char *name, char *data, size_t room);

/* Write @pair as STEM.crt and STEM.key. */
void workshop_save(const char *stem, const struct pki_pair *pair);

/* How many files are in it. */
unsigned workshop_count(void);

/* Run @run with @arguments. Returns its exit status. */
int workshop_run(int (*run)(const struct pki_arguments *arguments, struct diag *diag),
	const struct pki_arguments *arguments);

/* Fail the test unless @words are in @text. */
void workshop_expect(const char *text, const char *words);

#endif
