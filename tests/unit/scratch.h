/* SPDX-License-Identifier: MIT */
/*
 * scratch.h - a directory of its own for each test, and the files in it by their names.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stddef.h>

enum { SCRATCH_PATH = 96 };

struct scratch {
	char directory[SCRATCH_PATH / 2]; /* complete, below /tmp */
};

extern struct scratch scratch;

/* Make the directory, for cmocka. */
int scratch_setup(void **state);

/* Remove it with everything in it, for cmocka. */
int scratch_teardown(void **state);

/* The same for tests that run in it. */
int scratch_enter(void **state);
int scratch_leave(void **state);

/* Remove it with those of the @count files @names that are there. Returns -1 if there is anything else. */
int scratch_remove(const char *const *names, size_t count);

/* The complete path of @name in it; good until the eighth call from now. */
const char *scratch_path(const char *name);

/* Store that in @path, for longer. */
void scratch_place(char path[SCRATCH_PATH], const char *name);

/* Write @data to the file @name, of mode 0644. */
void scratch_write(const char *name, const void *data, size_t size);

/* Read the whole file @name, of less than @room bytes, and end it with NUL. Returns its size. */
size_t scratch_read(const char *name, char *data, size_t room);

/* How many files are in it. */
unsigned scratch_count(void);

/* Let no file of this process grow beyond @bytes, which go to words that are captured too. */
void scratch_limit(unsigned bytes);

/* End that. */
void scratch_unlimit(void);

#endif
