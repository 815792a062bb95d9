/* SPDX-License-Identifier: MIT */
/*
 * pki_revoke.h - revoke a certificate of an authority, or make its revocation list anew.
 *
 * A list is good for some days only, after which no peer believes it and so nobody that it is about may
 * pass: whoever uses lists runs this often enough.
 */
#ifndef TUNNEL_PKI_REVOKE_H
#define TUNNEL_PKI_REVOKE_H

#include "common/defs.h"

struct diag;
struct pki_arguments;

/*
 * Do what @arguments ask for, and tell it on standard output. Returns the exit status of tunnel/command.h:
 * EXIT_ENDED, or EXIT_FAILED with words.
 */
MUST_USE int pki_revoke(const struct pki_arguments *arguments, struct diag *diag);

#endif
