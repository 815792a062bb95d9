/* SPDX-License-Identifier: MIT */
#include "common/similar.h"

#include <string.h>

/* Rows of the table of distances between the beginnings of both words; a swap looks two rows back. */
struct rows {
	size_t before[SIMILAR_LIMIT + 1];
	size_t above[SIMILAR_LIMIT + 1];
	size_t here[SIMILAR_LIMIT + 1];
};

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void
fill_row(struct rows *rows, const char *a, size_t i, const char *b, size_t length)
{
	rows->here[0] = i;
	for (size_t j = 1; j <= length; j++) {
		size_t replaced = rows->above[j - 1] + (a[i - 1] != b[j - 1]);
		size_t changed = smaller(rows->above[j], rows->here[j - 1]) + 1;

		rows->here[j] = smaller(replaced, changed);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			rows->here[j] = smaller(rows->here[j], rows->before[j - 2] + 1);
	}
}

size_t
similar_distance(const char *a, const char *b)
{
	struct rows rows = {0};
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > SIMILAR_LIMIT || b_length > SIMILAR_LIMIT)
		return SIMILAR_LIMIT;
	for (size_t j = 0; j <= b_length; j++)
		rows.here[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		memcpy(rows.before, rows.above, sizeof(rows.before));
		memcpy(rows.above, rows.here, sizeof(rows.above));
		fill_row(&rows, a, i, b, b_length);
	}
	return rows.here[b_length];
}

bool
similar_is_near(const char *word, size_t distance)
{
	return distance <= 1 + strlen(word) / 4;
}
