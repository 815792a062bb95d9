/* SPDX-License-Identifier: MIT */
#include "tunnel/session.h"

#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "tunnel/credentials.h"
#include "tunnel/tls_words.h"

/* The name for the SNI: the configured one, or that of the peer unless it is an address. */
static const char *
server_name(const struct tls_config *config, const char *peer_name)
{
	unsigned char ip[16];

	if (config->server_name_is_none)
		return NULL;
	if (config->server_name)
		return config->server_name;
	if (!peer_name || address_ip_bytes(peer_name, ip) > 0)
		return NULL;
	return peer_name;
}

static unsigned
session_flags(enum side side)
{
	const unsigned both = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS;

	if (side == SIDE_ACCEPT)
		return both | GNUTLS_SERVER;
	return both | GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT | GNUTLS_KEY_SHARE_TOP;
}

static gnutls_certificate_request_t
certificate_request(enum verify verify)
{
	switch (verify) {
	case VERIFY_NO:
		return GNUTLS_CERT_IGNORE;
	case VERIFY_OPTIONAL:
		return GNUTLS_CERT_REQUEST;
	case VERIFY_YES:
		break;
	}
	return GNUTLS_CERT_REQUIRE;
}

int
session_new(struct credentials *credentials, const char *name, gnutls_session_t *session,
	struct diag *diag)
{
	const char *sni = NULL;
	int error = gnutls_init(session, session_flags(credentials->side));

	if (error) {
		*session = NULL;
		return diag_set(diag, "TLS session: %s", tls_words(error).text);
	}
	if (credentials->side == SIDE_ACCEPT) {
		gnutls_certificate_server_set_request(
			*session, certificate_request(credentials->config->verify));
	} else {
		sni = server_name(credentials->config, name);
	}
	error = gnutls_priority_set(*session, credentials->priority);
	if (!error)
		error = gnutls_credentials_set(
			*session, GNUTLS_CRD_CERTIFICATE, credentials->certificate);
	if (!error && sni)
		error = gnutls_server_name_set(*session, GNUTLS_NAME_DNS, sni, strlen(sni));
	if (!error)
		return 0;
	gnutls_deinit(*session);
	*session = NULL;
	return diag_set(diag, "TLS session: %s", tls_words(error).text);
}
