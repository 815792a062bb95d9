/* SPDX-License-Identifier: MIT */
/*
 * signer.h - keys of serve that are not there: each signature is asked for in the key process.
 *
 * The asking thread waits for the answer, so it is never one of a loop: a handshake with such a key is
 * lent to a helper thread. There are as many channels as helpers; each is used by one thread at a time.
 * Without any, signatures fail at once, and so do the handshakes that want one.
 */
#ifndef TUNNEL_SIGNER_H
#define TUNNEL_SIGNER_H

#include <gnutls/abstract.h>
#include <stddef.h>

#include "common/defs.h"

struct diag;
struct signer;
struct spki;

enum { SIGNER_CHANNELS = 64 /* at most */ };

/*
 * Make one that has no channels yet. Counted: the caller drops it with signer_unref(). NULL without
 * memory.
 */
MUST_USE struct signer *signer_new(void);

/* Counted, from any thread. signer_unref(NULL) does nothing. */
struct signer *signer_ref(struct signer *signer);
void signer_unref(struct signer *signer);

/*
 * Use the @count channels @fds from now on, and close those before. Takes over @fds; those above the
 * limit are closed.
 */
void signer_connect(struct signer *signer, const int *fds, size_t count);

/*
 * Make the private @key of @public, which signs through @signer, NULL: never. Keeps @signer. The caller
 * frees @key with gnutls_privkey_deinit(). Returns 0, or -1 with words.
 */
MUST_USE int signer_key(
	struct signer *signer, const struct spki *public, gnutls_privkey_t *key, struct diag *diag);

#endif
