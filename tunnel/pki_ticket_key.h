/* SPDX-License-Identifier: MIT */
/*
 * pki_ticket_key.h - make the secret from which session tickets are made, or a new one in its place.
 *
 * It takes a file's place in one step and only if that was such a secret, so that no other key is lost.
 */
#ifndef TUNNEL_PKI_TICKET_KEY_H
#define TUNNEL_PKI_TICKET_KEY_H

#include "common/defs.h"

struct diag;
struct pki_arguments;

/*
 * Do what @arguments ask for, and tell it on standard output. Returns the exit status of tunnel/command.h:
 * EXIT_ENDED, or EXIT_FAILED with words.
 */
MUST_USE int pki_ticket_key(const struct pki_arguments *arguments, struct diag *diag);

#endif
