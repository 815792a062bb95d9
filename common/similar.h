/* SPDX-License-Identifier: MIT */
/*
 * similar.h - how far one word is from another, for "did you mean".
 */
#ifndef COMMON_SIMILAR_H
#define COMMON_SIMILAR_H

#include <stdbool.h>
#include <stddef.h>

enum { SIMILAR_LIMIT = 64 }; /* bytes of a word that can be compared */

/*
 * Count the letters that must be inserted, removed, replaced or swapped with their neighbour to turn
 * @a into @b. SIMILAR_LIMIT when either is longer than that.
 */
size_t similar_distance(const char *a, const char *b);

/* Is @distance so small that somebody who wrote @word may have meant the other? */
bool similar_is_near(const char *word, size_t distance);

#endif
