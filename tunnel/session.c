/* SPDX-License-Identifier: MIT */
#include "tunnel/session.h"

#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "tunnel/alpn.h"
#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/priority.h"
#include "tunnel/psk_credentials.h"
#include "tunnel/rawkey.h"
#include "tunnel/tls_words.h"

/*
 * Bytes of all messages of a handshake, ours, too. GnuTLS counts one when it is whole; for those that are not,
 * tls_state.h has a bound.
 */
enum { HANDSHAKE_MAX = 64 << 10 };

enum { SIGNATURE_ALGORITHMS = 13 }; /* an extension, RFC 8446 section 4.2.3 */

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

/* A share of the post-quantum group is large and only few servers have it, so another goes with it. */
static unsigned
key_shares(void)
{
	return priority_has_post_quantum() ? GNUTLS_KEY_SHARE_TOP2 : GNUTLS_KEY_SHARE_TOP;
}

static unsigned
session_flags(const struct credentials *credentials, bool small_records)
{
	unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;

	if (!credentials->secrets.tickets)
		flags |= GNUTLS_NO_TICKETS;
	/* GnuTLS 3.7 would send a ticket of TLS 1.2 in one record, however large it is. */
	if (small_records)
		flags |= GNUTLS_NO_TICKETS_TLS12;
	if (rawkey_is_wanted(credentials->config))
		flags |= GNUTLS_ENABLE_RAWPK;
	if (credentials->side == SIDE_ACCEPT)
		return flags | GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET;
	return flags | GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT | key_shares();
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

/* Returns an error of GnuTLS, or 0. */
static int
set_credentials(gnutls_session_t session, const struct credentials *credentials)
{
	int error =
		gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->certificate);

	if (!error && credentials->secrets.psk)
		error = psk_credentials_set(credentials->secrets.psk, session);
	return error;
}

/* GnuTLS derives the key of the hour from ours, by the lifetime, so that is set before. */
static int
set_accepting(gnutls_session_t session, const struct credentials *credentials)
{
	const struct tls_config *config = credentials->config;
	const gnutls_datum_t key = {
		.data = (unsigned char *)(uintptr_t)credentials->secrets.ticket_key,
		.size = TICKET_KEY_SIZE};

	gnutls_certificate_server_set_request(session, certificate_request(config->verify));
	if (!credentials->secrets.tickets)
		return 0;
	gnutls_db_set_cache_expiration(session, (int)config->ticket_lifetime);
	return gnutls_session_ticket_enable_server(session, &key);
}

static int
set_connecting(gnutls_session_t session, const struct credentials *credentials, const char *name)
{
	const char *sni = server_name(credentials->config, name);

	return sni ? gnutls_server_name_set(session, GNUTLS_NAME_DNS, sni, strlen(sni)) : 0;
}

int
session_new(struct credentials *credentials, const char *name, bool small_records,
	gnutls_session_t *session, struct diag *diag)
{
	int error = gnutls_init(session, session_flags(credentials, small_records));

	if (error) {
		*session = NULL;
		return diag_set(diag, "TLS session: %s", tls_words(error).text);
	}
	gnutls_handshake_set_max_packet_length(*session, HANDSHAKE_MAX);
	gnutls_handshake_set_hook_function(
		*session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE, authorise_hook);
	error = gnutls_priority_set(*session, credentials->priority);
	if (!error)
		error = set_credentials(*session, credentials);
	if (!error)
		error = alpn_set(*session, credentials->config);
	if (!error && credentials->side == SIDE_ACCEPT)
		error = set_accepting(*session, credentials);
	else if (!error)
		error = set_connecting(*session, credentials, name);
	if (!error)
		return 0;
	gnutls_deinit(*session);
	*session = NULL;
	return diag_set(diag, "TLS session: %s", tls_words(error).text);
}

void
session_forget_handshake(gnutls_session_t session)
{
	gnutls_session_set_ptr(session, NULL);
	/* It would also be asked about a ticket that the peer sends. */
	gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, 0, NULL);
	/* Half a KiB: the signatures that the peer takes, made ready for a certificate of ours. */
	gnutls_ext_set_data(session, SIGNATURE_ALGORITHMS, NULL);
}
