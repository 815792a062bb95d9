/* SPDX-License-Identifier: MIT */
/*
 * sealed.h - bytes in a memory file that nobody can change any more, to be handed to another process.
 *
 * The bytes may be secret: the file has no name, its memory goes back to the kernel when the last
 * descriptor is closed, and a copy made by the reader is wiped when freed.
 */
#ifndef COMMON_SEALED_H
#define COMMON_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

struct diag;

/* Put @size bytes of @data into a sealed file. Returns a descriptor the caller owns, or -1 with words. */
MUST_USE int sealed_new(const void *data, size_t size, struct diag *diag);

/*
 * Copy what is in @fd, which must be sealed and have at most @limit bytes, to @data and @size, with a NUL
 * behind the end. The caller frees the result with sealed_free(). Returns 0, or -1 with words. Borrows @fd.
 */
MUST_USE int sealed_read(int fd, size_t limit, uint8_t **data, size_t *size, struct diag *diag);

/* Have the sealed files @a and @b the same bytes? Not, if that cannot be found out. Borrows both. */
MUST_USE bool sealed_is_same(int a, int b);

/* Wipe and free what sealed_read() gave. sealed_free(NULL, 0) does nothing. */
void sealed_free(uint8_t *data, size_t size);

#endif
