/* SPDX-License-Identifier: MIT */
/*
 * pki_store.h - the directory of an authority: DIR/STEM.crt and DIR/STEM.key for each pair.
 *
 * The authority itself has the stem "ca". Nothing is ever overwritten, and a pair is there with both
 * files or with none.
 */
#ifndef TUNNEL_PKI_STORE_H
#define TUNNEL_PKI_STORE_H

#include <stdbool.h>

#include "common/defs.h"

struct diag;
struct pki_pair;

/*
 * Make @directory with mode 0700 unless it is there. @made says whether it was made by this call.
 * Returns 0, or -1 with words.
 */
MUST_USE int pki_store_make(const char *directory, bool *made, struct diag *diag);

/* Refuse, with words, a @stem of which @directory has a file already. Returns 0 or -1. */
MUST_USE int pki_store_check_free(const char *directory, const char *stem, struct diag *diag);

/*
 * Write the key (0600) and the certificate (0644) of @pair. Returns 0, or -1 with words and with
 * neither file left behind.
 */
MUST_USE int pki_store_save(
	const char *directory, const char *stem, const struct pki_pair *pair, struct diag *diag);

/* Read the authority of @directory into @authority. Returns 0, or -1 with words. */
MUST_USE int pki_store_load_authority(
	const char *directory, struct pki_pair *authority, struct diag *diag);

#endif
