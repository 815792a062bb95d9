/* SPDX-License-Identifier: MIT */
/*
 * proof.h - what the peers of one side prove themselves by, as far as the picked values say.
 *
 *	verify = no		nothing
 *	psk			a pre-shared key; certificates too, if this end has what they need:
 *	ca			a chain up to a CA, with the right name and purpose
 *	ca = none, pin		a public key
 */
#ifndef TUNNEL_PROOF_H
#define TUNNEL_PROOF_H

#include <stdbool.h>

#include "tunnel/config.h"

struct picks;

/* Must peers on @side prove anything? */
bool proof_is_asked(const struct picks *picks, enum side side);

/* May they do so by a pre-shared key? */
bool proof_by_psk(const struct picks *picks, enum side side);

/* ... by a chain? Yes too where there has to be a `ca`, and is none. */
bool proof_by_chain(const struct picks *picks, enum side side);

/* ... by a certificate of any kind? Yes too where nothing is asked. */
bool proof_by_certificate(const struct picks *picks, enum side side);

/* Is there a certificate for this end to show? Yes too where none was picked that has to be. */
bool proof_is_shown(const struct picks *picks, enum side side);

#endif
