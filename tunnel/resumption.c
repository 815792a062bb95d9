/* SPDX-License-Identifier: MIT */
#include "tunnel/resumption.h"

#include <time.h>

#include "tunnel/credentials.h"
#include "tunnel/loop.h"
#include "tunnel/ocsp.h"
#include "tunnel/ticket_owner.h"
#include "tunnel/tickets.h"
#include "tunnel/tls_failure.h"
#include "tunnel/tls_state.h"

static bool
is_tls_1_3(const struct tls *tls)
{
	return gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3;
}

static bool
is_by_psk(const struct tls *tls)
{
	return gnutls_auth_get_type(tls->session) == GNUTLS_CRD_PSK;
}

void
resumption_offer(struct tls *tls)
{
	const struct credentials *credentials = tls->credentials;

	if (credentials->side != SIDE_CONNECT || !credentials->secrets.tickets || !tls->target)
		return;
	tls->keeps_tickets = true;
	ticket_owner_key(
		credentials->secrets.ticket_owner, tls->target, tls->name, tls->ticket_key);
	tickets_take(tls->loop->tickets, tls->ticket_key, time(NULL), &tls->ticket);
	if (tls->ticket.data &&
		gnutls_session_set_data(tls->session, tls->ticket.data, tls->ticket.size))
		ticket_release(&tls->ticket);
}

static time_t
earlier(time_t expiry, time_t other)
{
	return other != 0 && other < expiry ? other : expiry;
}

/*
 * A resumed session has the certificates and the staple of its first one, and is refused with them when they
 * are over, although the server may have new ones.
 */
static time_t
expiry_of(const struct tls *tls, gnutls_datum_t *data)
{
	time_t expiry = gnutls_db_check_entry_expire_time(data);

	expiry = earlier(expiry, tls->judgement.until);
	if (tls->credentials->config->ocsp != OCSP_OFF)
		expiry = earlier(expiry, ocsp_expiry(tls->session));
	return expiry;
}

void
resumption_keep(struct tls *tls)
{
	gnutls_datum_t data;

	if (!tls->keeps_tickets ||
		!(gnutls_session_get_flags(tls->session) & GNUTLS_SFLAGS_SESSION_TICKET))
		return;
	/* One is enough: the next connection brings another. */
	tls->keeps_tickets = false;
	if (is_by_psk(tls) || gnutls_session_get_data2(tls->session, &data))
		return;
	const struct ticket ticket = {
		.data = data.data,
		.size = data.size,
		.expiry = expiry_of(tls, &data),
	};
	tickets_put(tls->loop->tickets, tls->ticket_key, &ticket);
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
}

/*
 * A ticket of TLS 1.3 is used once, so that connections cannot be told to be of one client. In TLS 1.2
 * servers need not renew it, and it goes on as long as it is good.
 */
static void
settle_offer(struct tls *tls)
{
	if (tls->ticket.data && !is_tls_1_3(tls) && gnutls_session_is_resumed(tls->session))
		tickets_put(tls->loop->tickets, tls->ticket_key, &tls->ticket);
	ticket_release(&tls->ticket);
}

/*
 * Would a ticket outlive the certificate of the peer? It could renew that and come back by the ticket, which
 * has the old one, and would be refused for it.
 */
static bool
outlives_peer(const struct tls *tls)
{
	time_t until = tls->judgement.until;

	return until && time(NULL) + (time_t)tls->credentials->config->ticket_lifetime > until;
}

static enum io
give(struct tls *tls, struct diag *diag)
{
	if (!tls->credentials->secrets.tickets || !is_tls_1_3(tls) || is_by_psk(tls) ||
		outlives_peer(tls))
		return IO_DONE;
	int error = gnutls_session_ticket_send(tls->session, 1, 0);
	/* A peer that cannot use one gets none. */
	if (error == 0 || error == GNUTLS_E_INVALID_REQUEST)
		return IO_DONE;
	return tls_failure(tls, "session ticket", error, diag);
}

enum io
resumption_settle(struct tls *tls, struct diag *diag)
{
	if (tls->credentials->side == SIDE_ACCEPT)
		return give(tls, diag);
	settle_offer(tls);
	resumption_keep(tls);
	return IO_DONE;
}
