/* SPDX-License-Identifier: MIT */
/*
 * priority.h - versions, ciphers, groups and the profile of one TLS side, as GnuTLS takes them.
 */
#ifndef TUNNEL_PRIORITY_H
#define TUNNEL_PRIORITY_H

#include <gnutls/gnutls.h>

#include "common/defs.h"

struct diag;
struct tls_config;

/*
 * Make @priorities of what @config says, with only its versions, and store in @verify_flags the profile
 * as verification has to be told it, since that does not look into the priorities. The caller frees
 * @priorities with gnutls_priority_deinit(). Returns 0, or -1 with words.
 */
MUST_USE int priority_load(const struct tls_config *config, gnutls_priority_t *priorities,
	unsigned *verify_flags, struct diag *diag);

#endif
