/* SPDX-License-Identifier: MIT */
#include "tunnel/der.h"

enum { LENGTH_BYTES = 4, LONG_FORM = 0x80, MULTI_BYTE_TAG = 0x1f };

/* How many bytes tag and length of the first element take, and @length that of its content. 0: malformed. */
static size_t
header_of(const struct der *rest, size_t *length)
{
	if (rest->size < 2 || (rest->at[0] & MULTI_BYTE_TAG) == MULTI_BYTE_TAG)
		return 0;
	*length = rest->at[1];
	if (*length < LONG_FORM)
		return 2;

	size_t bytes = *length - LONG_FORM;
	if (bytes == 0 || bytes > LENGTH_BYTES || rest->size - 2 < bytes || rest->at[2] == 0)
		return 0;
	*length = 0;
	for (size_t i = 0; i < bytes; i++)
		*length = *length << 8 | rest->at[2 + i];
	return *length < LONG_FORM ? 0 : 2 + bytes;
}

bool
der_is(const struct der *rest, enum der_tag tag)
{
	return rest->size > 0 && rest->at[0] == tag;
}

int
der_take_whole(struct der *rest, struct der *element)
{
	size_t length, header = header_of(rest, &length);

	if (header == 0 || rest->size - header < length)
		return -1;
	*element = (struct der){rest->at, header + length};
	rest->at += header + length;
	rest->size -= header + length;
	return 0;
}

int
der_take(struct der *rest, enum der_tag tag, struct der *content)
{
	size_t length, header = header_of(rest, &length);
	struct der element;

	if (!der_is(rest, tag) || der_take_whole(rest, &element))
		return -1;
	*content = (struct der){element.at + header, length};
	return 0;
}
