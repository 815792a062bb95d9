/* SPDX-License-Identifier: MIT */
/*
 * der.h - walk over DER (ITU-T X.690 section 10), where GnuTLS has no function for a field.
 *
 *	struct der rest = {bytes, size}, list, entry;
 *	if (der_take(&rest, DER_SEQUENCE, &list))
 *		...
 *	while (list.size > 0)
 *		if (der_take(&list, DER_SEQUENCE, &entry))
 *			...
 */
#ifndef TUNNEL_DER_H
#define TUNNEL_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT_0 = 0xa0,
};

/* Bytes of somebody else's that are still to be read. */
struct der {
	const uint8_t *at;
	size_t size;
};

/* Does @rest go on with an element of @tag? */
bool der_is(const struct der *rest, enum der_tag tag);

/*
 * Take the element at the start of @rest, which must be of @tag: @content is what is in it, and @rest goes
 * on behind it. Returns 0, or -1 if there is no such element or it is not whole.
 */
MUST_USE int der_take(struct der *rest, enum der_tag tag, struct der *content);

/* The same with tag and length: @element is all of it, whatever its tag. */
MUST_USE int der_take_whole(struct der *rest, struct der *element);

#endif
