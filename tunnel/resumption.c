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
is_tls_1_3(struct tls *tls)
{
	return gnutls_protocol_get_version(tls_session(tls)) == GNUTLS_TLS1_3;
}

static bool
is_by_psk(struct tls *tls)
{
	return gnutls_auth_get_type(tls_session(tls)) == GNUTLS_CRD_PSK;
}

void
resumption_offer(struct tls *tls)
{
	const struct credentials *credentials = tls->credentials;
	struct tls_opening *opening = tls->opening;
	struct ticket *ticket = &opening->ticket;

	if (credentials->side != SIDE_CONNECT || !credentials->secrets.tickets || !opening->target)
		return;
	opening->wants_ticket = true;
	ticket_owner_key(credentials->secrets.ticket_owner, opening->target, opening->name,
		opening->ticket_key);
	tickets_take(tls->loop->tickets, opening->ticket_key, time(NULL), ticket);
	if (ticket->data && gnutls_session_set_data(tls_session(tls), ticket->data, ticket->size))
		ticket_release(ticket);
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
expiry_of(struct tls *tls, gnutls_datum_t *data)
{
	time_t expiry = gnutls_db_check_entry_expire_time(data);

	expiry = earlier(expiry, tls->opening->judgement.until);
	if (tls->credentials->config->ocsp != OCSP_OFF)
		expiry = earlier(expiry, ocsp_expiry(tls_session(tls)));
	return expiry;
}

static bool
has_ticket(struct tls *tls)
{
	return gnutls_session_get_flags(tls_session(tls)) & GNUTLS_SFLAGS_SESSION_TICKET;
}

/* Keep the ticket that has come. */
static void
keep(struct tls *tls)
{
	gnutls_datum_t data;

	if (gnutls_session_get_data2(tls_session(tls), &data))
		return;
	const struct ticket ticket = {
		.data = data.data,
		.size = data.size,
		.expiry = expiry_of(tls, &data),
	};
	tickets_put(tls->loop->tickets, tls->opening->ticket_key, &ticket);
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
}

/* One is enough: the next connection brings another. */
void
resumption_keep(struct tls *tls)
{
	struct tls_opening *opening = tls->opening;

	if (!opening || (opening->wants_ticket && !has_ticket(tls)))
		return;
	if (opening->wants_ticket)
		keep(tls);
	tls_end_opening(tls);
}

/*
 * A ticket of TLS 1.3 is used once, so that connections cannot be told to be of one client. In TLS 1.2
 * servers need not renew it, and it goes on as long as it is good.
 */
static void
settle_offer(struct tls *tls)
{
	struct tls_opening *opening = tls->opening;

	if (opening->ticket.data && !is_tls_1_3(tls) && gnutls_session_is_resumed(tls_session(tls)))
		tickets_put(tls->loop->tickets, opening->ticket_key, &opening->ticket);
	ticket_release(&opening->ticket);
	if (is_by_psk(tls))
		opening->wants_ticket = false;
}

/*
 * Would a ticket outlive the certificate of the peer? It could renew that and come back by the ticket, which
 * has the old one, and would be refused for it.
 */
static bool
outlives_peer(const struct tls *tls)
{
	time_t until = tls->opening->judgement.until;

	return until && time(NULL) + (time_t)tls->credentials->config->ticket_lifetime > until;
}

static enum io
give(struct tls *tls, struct diag *diag)
{
	if (!tls->credentials->secrets.tickets || !is_tls_1_3(tls) || is_by_psk(tls) ||
		outlives_peer(tls))
		return IO_DONE;
	int error = gnutls_session_ticket_send(tls_session(tls), 1, 0);
	/* A peer that cannot use one gets none. */
	if (error == 0 || error == GNUTLS_E_INVALID_REQUEST)
		return IO_DONE;
	return tls_failure(tls, "session ticket", error, diag);
}

enum io
resumption_settle(struct tls *tls, struct diag *diag)
{
	if (tls->credentials->side == SIDE_CONNECT)
		settle_offer(tls);
	else if (give(tls, diag) == IO_ERROR)
		return IO_ERROR;
	resumption_keep(tls);
	return IO_DONE;
}
