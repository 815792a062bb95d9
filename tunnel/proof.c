/* SPDX-License-Identifier: MIT */
#include "tunnel/proof.h"

#include <string.h>

#include "tunnel/resolved.h"

static bool
is_text(const struct assignment *assignment, const char *text)
{
	return assignment && strcmp(assignment->text, text) == 0;
}

bool
proof_is_asked(const struct picks *picks, enum side side)
{
	return !is_text(picks_get(picks, "verify", side), "no");
}

bool
proof_by_psk(const struct picks *picks, enum side side)
{
	return picks_get(picks, "psk", side) && proof_is_asked(picks, side);
}

bool
proof_is_shown(const struct picks *picks, enum side side)
{
	const struct assignment *cert = picks_get(picks, "cert", side);

	return cert ? !is_text(cert, "none") || cert->again : !proof_by_psk(picks, side);
}

bool
proof_by_chain(const struct picks *picks, enum side side)
{
	const struct assignment *ca = picks_get(picks, "ca", side);
	bool by_other = proof_by_psk(picks, side) || picks_get(picks, "pin", side);

	return ca ? !is_text(ca, "none") || !by_other : !proof_by_psk(picks, side);
}

bool
proof_by_certificate(const struct picks *picks, enum side side)
{
	bool by_pin =
		is_text(picks_get(picks, "ca", side), "none") && picks_get(picks, "pin", side);

	if (!proof_by_psk(picks, side))
		return true;
	if (side == SIDE_ACCEPT && !proof_is_shown(picks, side))
		return false;
	return by_pin || proof_by_chain(picks, side);
}
