/* SPDX-License-Identifier: MIT */
/*
 * priority.h - versions, ciphers, groups and the profile of one TLS side, as GnuTLS takes them.
 */
#ifndef TUNNEL_PRIORITY_H
#define TUNNEL_PRIORITY_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "common/defs.h"

struct diag;
struct text;
struct tls_config;

/* The name of the group that no quantum computer breaks; not every GnuTLS has it. */
#define PRIORITY_POST_QUANTUM "X25519-MLKEM768"

/* Has this GnuTLS that group? Asked at run time: the library may be newer than the headers. */
bool priority_has_post_quantum(void);

/* Write the names of the groups of the default order, first choice first, as this GnuTLS has them. */
void priority_print_groups(struct text *groups);

/*
 * Write the priority string of @config: with only its versions, in the default order the post-quantum group
 * first if there is one, and raw public keys behind certificates where keys are pinned without authorities.
 */
void priority_print(const struct tls_config *config, bool post_quantum, struct text *text);

/*
 * Make @priorities of what @config says; with pre-shared keys, with (EC)DHE before all other key exchanges and
 * without any that has none. Store in @verify_flags the profile as verification has to be told it, since
 * that does not look into the priorities. The caller frees @priorities with gnutls_priority_deinit().
 * Returns 0, or -1 with words.
 */
MUST_USE int priority_load(const struct tls_config *config, gnutls_priority_t *priorities,
	unsigned *verify_flags, struct diag *diag);

#endif
