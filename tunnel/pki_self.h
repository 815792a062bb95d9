/* SPDX-License-Identifier: MIT */
/*
 * pki_self.h - make an identity without an authority, for a pair of ends that know each other's pins.
 *
 * It also says which lines of the configuration belong to which end.
 */
#ifndef TUNNEL_PKI_SELF_H
#define TUNNEL_PKI_SELF_H

#include "common/defs.h"

struct diag;
struct pki_arguments;

/*
 * Do what @arguments ask for, and tell it on standard output. Returns the exit status of tunnel/command.h:
 * EXIT_ENDED, or EXIT_FAILED with words.
 */
MUST_USE int pki_self(const struct pki_arguments *arguments, struct diag *diag);

#endif
