/* SPDX-License-Identifier: MIT */
/*
 * asked_name.h - the server name that a client asks for, as GnuTLS has read it.
 *
 * A service was chosen by the name in the first ClientHello, which we read ourselves. GnuTLS reads it
 * too, and a second one if it asked for one (RFC 8446 section 4.1.4): all must say the same, or a client
 * could be judged by the rules of one service under the name of another.
 */
#ifndef TUNNEL_ASKED_NAME_H
#define TUNNEL_ASKED_NAME_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "common/defs.h"

/* Did the client of @session ask for @name, in lower case, or for none if that is ""? */
MUST_USE bool asked_name_is(gnutls_session_t session, const char *name);

#endif
