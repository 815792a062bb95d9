/* SPDX-License-Identifier: MIT */
/*
 * files.h - the contents of files, by the path that the configuration names.
 *
 * Whoever may open files reads them all into one of these; whoever may not gets it handed over and
 * looks them up. Contents may be keys: they are wiped when freed.
 */
#ifndef COMMON_FILES_H
#define COMMON_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

enum { FILES_LIMIT = 16 << 20 }; /* bytes in one entry */

struct file {
	char *path;
	uint8_t *data; /* NUL behind the end, so that text can be used as a C string */
	size_t size;
};

/* The entries stand in the order of their paths, whenever each was added. */
struct files {
	struct file *entries;
	size_t count, room;
};

/* Release everything in @files, which may be all zero, and make it empty. */
void files_release(struct files *files);

/* Find @path as it was added. NULL when it is not there. The result is good until something is added. */
const struct file *files_find(const struct files *files, const char *path);

/* The same, but with words when it is not there. */
MUST_USE const struct file *files_get(
	const struct files *files, const char *path, struct diag *diag);

/* Add a copy of @data under @path. Returns 0, or -1 with words (memory, FILES_LIMIT, added before). */
MUST_USE int files_add(
	struct files *files, const char *path, const void *data, size_t size, struct diag *diag);

/* The same, but what was added under @path before is wiped and replaced. */
MUST_USE int files_put(
	struct files *files, const char *path, const void *data, size_t size, struct diag *diag);

/* Wipe and forget what is under @path, if anything is. */
void files_remove(struct files *files, const char *path);

/* Read the regular file @path (through links) and add it. Does nothing if it is there already. */
MUST_USE int files_read(struct files *files, const char *path, struct diag *diag);

/*
 * Read every regular file in directory @path whose name does not begin with a dot, in the order of
 * their names, and add their contents, one after the other, each ended by a newline, as one entry @path.
 */
MUST_USE int files_read_directory(struct files *files, const char *path, struct diag *diag);

/*
 * The same as files_read() for a private key, which is refused when others can read or write it, when
 * its group can write it, or when its group can read it and its owner is not root. The words name the
 * chmod that helps. Judged on the opened file, so on the target of a link, and never on a name twice.
 * What was added under @path before is judged nevertheless, and replaced by what was judged.
 */
MUST_USE int files_read_private(struct files *files, const char *path, struct diag *diag);

/* Write @size bytes to the new file @path with @mode, never over an existing one; synced. */
MUST_USE int files_create(
	const char *path, unsigned mode, const void *data, size_t size, struct diag *diag);

#endif
