/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_loan.h"

#include <assert.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/loop.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

/* In a helper thread. */
static void
on_work(struct loan *loan)
{
	struct tls_opening *opening = container_of(loan, struct tls_opening, loan);

	opening->step_result = opening->step(opening->tls);
}

static void
on_done(struct loan *loan)
{
	struct tls_opening *opening = container_of(loan, struct tls_opening, loan);
	struct tls *tls = opening->tls;

	opening->loan_state = LOAN_BACK;
	if (!tls->transport) {
		tls_free(tls, &tls->loop->pool);
		return;
	}

	struct waker *waker = tls->transport->stream.waker;
	if (waker)
		waker->wake(waker);
}

static bool
is_certificate(unsigned type)
{
	return type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT ||
		type == GNUTLS_HANDSHAKE_COMPRESSED_CERTIFICATE_PKT;
}

/*
 * A hook of GnuTLS. Our certificate is queued, and our signature is made next: here GnuTLS is told to come back,
 * and does so without a loss. A session has one hook only, so this one asks the other.
 */
static int
on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	struct judgement *judgement = gnutls_session_get_ptr(session);

	if (incoming || when != GNUTLS_HOOK_POST || !is_certificate(type))
		return authorise_hook(session, type, when, incoming, message);
	struct tls_opening *opening = container_of(judgement, struct tls_opening, judgement);
	assert(opening->loan_state == LOAN_NONE); /* a handshake has one certificate of ours */
	opening->loan_state = LOAN_DUE;
	return GNUTLS_E_AGAIN;
}

void
tls_loan_prepare(struct tls *tls)
{
	if (tls->credentials->slow && tls->loop->desk)
		gnutls_handshake_set_hook_function(
			tls_session(tls), GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, on_message);
}

int
tls_loan_start(struct tls *tls, int (*step)(struct tls *tls), struct diag *diag)
{
	struct tls_opening *opening = tls->opening;

	assert(opening->loan_state == LOAN_DUE);
	opening->step = step;
	opening->loan.work = on_work;
	opening->loan.done = on_done;
	/* A helper may be at work before loan_lend() returns. */
	opening->loan_state = LOAN_OUT;
	if (loan_lend(tls->loop->desk, &opening->loan, diag) == 0)
		return 0;
	opening->loan_state = LOAN_DUE;
	return -1;
}

bool
tls_loan_stop(struct tls *tls)
{
	if (!tls_is_lent(tls))
		return false;
	if (loan_recall(&tls->opening->loan)) {
		tls->opening->loan_state = LOAN_DUE;
		return false;
	}
	tls->transport = NULL;
	return true;
}
