/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_failure.h"

#include <stdbool.h>

#include "common/diag.h"
#include "tunnel/tls_state.h"
#include "tunnel/tls_words.h"

/* Is @error what GnuTLS makes of bytes that are no TLS records? */
static bool
is_not_tls(int error)
{
	return error == GNUTLS_E_UNEXPECTED_PACKET || error == GNUTLS_E_UNEXPECTED_PACKET_LENGTH ||
		error == GNUTLS_E_RECORD_OVERFLOW || error == GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
}

enum io
tls_failure(struct tls *tls, const char *what, int error, struct diag *diag)
{
	int level;

	tls->alert = (gnutls_alert_description_t)gnutls_error_to_alert(error, &level);
	if (error == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		diag_set(diag, "%s: the peer sent the alert \"%s\"", what,
			tls_alert_words((int)gnutls_alert_get(tls_session(tls))));
	} else if (error == GNUTLS_E_REHANDSHAKE) {
		diag_set(diag, "%s: the peer asked to renegotiate, which is refused", what);
	} else if (!tls->handshaken && is_not_tls(error)) {
		diag_set(diag, "%s: the peer does not speak TLS (%s)", what, tls_words(error).text);
	} else {
		diag_set(diag, "%s: %s", what, tls_words(error).text);
	}
	return IO_ERROR;
}
