/* SPDX-License-Identifier: MIT */
/*
 * validate.h - what must hold between the options of a service and between services.
 */
#ifndef TUNNEL_VALIDATE_H
#define TUNNEL_VALIDATE_H

struct complaints;
struct resolved;

/* Add everything to @complaints that is missing, contradictory or unsafe in what @resolved picked. */
void validate(const struct resolved *resolved, struct complaints *complaints);

#endif
