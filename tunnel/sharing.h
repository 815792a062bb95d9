/* SPDX-License-Identifier: MIT */
/*
 * sharing.h - which services may accept on one address, and what they must have in common then.
 *
 * Only services that take TLS and say by `sni` which names are theirs can share an address: who is meant
 * shows in the ClientHello. What acts before it came must be the same in all of them.
 */
#ifndef TUNNEL_SHARING_H
#define TUNNEL_SHARING_H

struct complaints;
struct resolved;

/* Add everything to @complaints that is wrong with addresses which several services accept on. */
void sharing_check(const struct resolved *resolved, struct complaints *complaints);

#endif
