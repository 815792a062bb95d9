/* SPDX-License-Identifier: MIT */
/*
 * validate_side.h - what must hold between the options of one side that speaks TLS.
 */
#ifndef TUNNEL_VALIDATE_SIDE_H
#define TUNNEL_VALIDATE_SIDE_H

#include <stddef.h>

#include "tunnel/config.h"

struct complaints;
struct resolved;

/*
 * Add everything to @complaints that is missing, contradictory or unsafe on @side of service @index of
 * @resolved, whose side is in use; but not what each required option says of itself.
 */
void validate_side(const struct resolved *resolved, size_t index, enum side side,
	struct complaints *complaints);

#endif
