/* SPDX-License-Identifier: MIT */
/*
 * lending.h - which keys live in the key process, and not in serve.
 *
 * Main and serve decide it alike, from the configuration and the kind of the key that is certified.
 */
#ifndef TUNNEL_LENDING_H
#define TUNNEL_LENDING_H

#include <stdbool.h>

#include "common/defs.h"

struct config;
struct diag;
struct files;
struct identity_config;
struct keyring;
struct spki;

/*
 * Does the key of @identity, whose public half is @public, live in the key process? One in a token always
 * does; the configuration has no token without a key process.
 */
bool lending_is_wanted(const struct config *config, const struct identity_config *identity,
	const struct spki *public);

/*
 * Take all keys that live in the key process out of @files, as identity_read() put them there, and into
 * @keyring, which is empty. Returns 0, or -1 with words that say where it was written.
 */
MUST_USE int lending_collect(struct keyring *keyring, const struct config *config,
	struct files *files, struct diag *diag);

#endif
