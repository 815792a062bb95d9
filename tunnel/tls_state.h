/* SPDX-License-Identifier: MIT */
/*
 * tls_state.h - what one end of TLS is made of, for the files tls*.c alone.
 */
#ifndef TUNNEL_TLS_STATE_H
#define TUNNEL_TLS_STATE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/buffer.h"
#include "tunnel/authorise.h"
#include "tunnel/loan.h"
#include "tunnel/protection.h"
#include "tunnel/tickets.h"

struct credentials;
struct loop;
struct pool;
struct transport;

enum {
	TLS_RECORD_PLAINTEXT = 16 << 10,
	TLS_WARNINGS_MAX = 4,
	TLS_CONTROL_MAX = 128 << 10, /* bytes of records without data in a row */
};

/* What a lent step of the handshake wrote. */
struct tls_flight {
	uint8_t *bytes;
	size_t length, size;
};

enum loan_state {
	LOAN_NONE, /* the loop makes the steps of the handshake */
	LOAN_DUE,  /* our certificate is ready to go, and the next step signs: it is to be lent */
	LOAN_OUT,  /* the session, and what it changes, belong to a helper thread */
	LOAN_BACK, /* the result of the step waits to be looked at */
};

/* What counts until the handshake is over, and a connecting end has got a ticket; then it is freed. */
struct tls_opening {
	struct tls *tls;
	struct judgement judgement;
	char *name;   /* connecting: who is expected; NULL: nobody */
	char *target; /* connecting: the address dialled; NULL: not known */
	char *sni;    /* accepting: the name that was asked for, as we read it; NULL: we did not */
	struct endpoint from; /* accepting: the client's address */
	struct loan loan;
	int (*step)(struct tls *tls); /* the one that is lent */
	int step_result;
	enum loan_state loan_state;
	bool touched; /* a byte was received */
	struct tls_flight flight;
	uint8_t ticket_key[TICKETS_KEY_SIZE]; /* connecting: whose the tickets are */
	struct ticket ticket;		      /* connecting: what was offered */
	bool wants_ticket;		      /* connecting: the next that comes is kept */
};

struct tls {
	struct loop *loop;
	struct transport *transport; /* NULL: gone while a step was lent */
	struct credentials *credentials;
	struct tls_opening *opening; /* NULL: over */
	char *identity;	  /* then: who the peer is, escaped; NULL without a certificate */
	struct buffer in; /* what was received and waits while the window is closed */
	struct protection protection; /* has the session; protects data after the handshake */
	uint32_t batched;    /* bytes in the loop's ciphertext scratch, to be sent at once */
	uint32_t control;    /* bytes of records without data since the last one with */
	uint16_t record_max; /* bytes of plaintext in a record that the peer takes */
	uint8_t warnings;    /* alerts that came and were no more than that */
	gnutls_alert_description_t alert : 8; /* what abort() tells the peer */
	bool batching;
	bool handshaken;
	bool fin;	/* the peer's FIN was received */
	bool cancelled; /* the peer's user_canceled was received */
	bool ended;	/* the peer's close_notify was received */
	bool finished;	/* our close_notify was written */
};

/* Has a helper thread the session? From either thread: it changes in the loop while no helper is at it. */
static inline bool
tls_is_lent(const struct tls *tls)
{
	return tls->opening && tls->opening->loan_state == LOAN_OUT;
}

/* The session, for all that is done with it (protection.h). */
static inline gnutls_session_t
tls_session(struct tls *tls)
{
	return protection_session(&tls->protection);
}

/* Free the opening of @tls, which nothing asks for any more. */
void tls_end_opening(struct tls *tls);

/* Free @tls, and give its memory of @pool back. */
void tls_free(struct tls *tls, struct pool *pool);

#endif
