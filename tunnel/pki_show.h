/* SPDX-License-Identifier: MIT */
/*
 * pki_show.h - show the certificates of a file or of a server, and judge those of a server.
 *
 * Everything found goes to standard output, as far as it was found, before anything is judged.
 */
#ifndef TUNNEL_PKI_SHOW_H
#define TUNNEL_PKI_SHOW_H

#include "common/defs.h"

struct diag;
struct pki_arguments;

/*
 * Do what @arguments ask for. Returns the exit status of tunnel/command.h: EXIT_ENDED; EXIT_FAILED with
 * words if something could not be read, or a server's certificate does not verify, or the server
 * refused us; EXIT_USAGE with words for arguments that contradict each other.
 */
MUST_USE int pki_show(const struct pki_arguments *arguments, struct diag *diag);

#endif
