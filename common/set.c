/* SPDX-License-Identifier: MIT */
#include "common/set.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct member {
	size_t size;
	const void *bytes;
	unsigned char copy[];
};

static int
compare(const void *a, const void *b)
{
	const struct member *left = a, *right = b;

	if (left->size != right->size)
		return left->size < right->size ? -1 : 1;
	return left->size > 0 ? memcmp(left->bytes, right->bytes, left->size) : 0;
}

static struct member *
member_new(const void *bytes, size_t size)
{
	struct member *member = malloc(sizeof(*member) + size);

	if (!member)
		return NULL;
	*member = (struct member){.size = size, .bytes = member->copy};
	if (size > 0)
		memcpy(member->copy, bytes, size);
	return member;
}

bool
set_has(const struct set *set, const void *bytes, size_t size)
{
	const struct member sought = {.size = size, .bytes = bytes};

	return tfind(&sought, &set->root, compare) != NULL;
}

int
set_add(struct set *set, const void *bytes, size_t size)
{
	if (set_has(set, bytes, size))
		return 0;
	struct member *member = member_new(bytes, size);
	if (member && tsearch(member, &set->root, compare))
		return 0;
	free(member);
	return -1;
}

void
set_release(struct set *set)
{
	tdestroy(set->root, free);
	set->root = NULL;
}
