/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_loan.h"

#include <assert.h>
#include <stdlib.h>

#include "tunnel/credentials.h"
#include "tunnel/loop.h"
#include "tunnel/server_hello.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

/* In a helper thread. */
static void
on_work(struct loan *loan)
{
	struct tls_opening *opening = container_of(loan, struct tls_opening, loan);
	struct tls *tls = opening->tls;

	tls->window = &opening->window;
	window_open_over(tls->window, &tls->in);
	opening->step_result = opening->step(tls);
}

/* A server signs in its first flight, unless that asks for another ClientHello. */
static void
note_signature(struct tls_opening *opening)
{
	const struct tls_flight *flight = &opening->flight;
	struct server_hello hello = server_hello_read(flight->bytes, flight->length);

	opening->signed_all = opening->signed_all || (hello.is_there && !hello.is_retry);
}

static void
on_done(struct loan *loan)
{
	struct tls_opening *opening = container_of(loan, struct tls_opening, loan);
	struct tls *tls = opening->tls;
	struct pool *pool = &tls->loop->pool;

	tls->lent = false;
	opening->stepped = true;
	note_signature(opening);
	window_settle(tls->window, &tls->in, pool);
	tls->window = &tls->loop->window;
	if (!tls->transport) {
		tls_free(tls, pool);
		return;
	}

	struct waker *waker = tls->transport->stream.waker;
	if (waker)
		waker->wake(waker);
}

/* Do the records that have come say that no signature is wanted from us, since our ticket was taken? */
static bool
is_resumed(const struct tls *tls)
{
	const struct window *window = tls->window;

	return tls->opening->ticket.data &&
		server_hello_read(window->bytes + window->start, window->ready - window->start)
			.resumes;
}

bool
tls_loan_is_due(struct tls *tls)
{
	struct tls_opening *opening = tls->opening;

	if (!tls->credentials->slow || !tls->loop->desk || !window_has_record(tls->window))
		return false;
	opening->signed_all = opening->signed_all || is_resumed(tls);
	return !opening->signed_all;
}

int
tls_loan_start(struct tls *tls, int (*step)(struct tls *tls), struct diag *diag)
{
	struct tls_opening *opening = tls->opening;

	assert(!tls->lent && !opening->stepped);
	opening->step = step;
	opening->loan.work = on_work;
	opening->loan.done = on_done;
	/* A helper may be at work before loan_lend() returns. */
	tls->lent = true;
	if (loan_lend(tls->loop->desk, &opening->loan, diag) == 0)
		return 0;
	tls->lent = false;
	return -1;
}

bool
tls_loan_stop(struct tls *tls)
{
	if (!tls->lent)
		return false;
	if (loan_recall(&tls->opening->loan)) {
		tls->lent = false;
		return false;
	}
	tls->transport = NULL;
	return true;
}
