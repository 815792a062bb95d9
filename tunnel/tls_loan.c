/* SPDX-License-Identifier: MIT */
#include "tunnel/tls_loan.h"

#include <assert.h>
#include <stdlib.h>

#include "tunnel/credentials.h"
#include "tunnel/loop.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

/* In a helper thread. */
static void
on_work(struct loan *loan)
{
	struct tls *tls = container_of(loan, struct tls, loan);

	window_open_over(&tls->window, &tls->in);
	tls->step_result = tls->step(tls);
}

static void
on_done(struct loan *loan)
{
	struct tls *tls = container_of(loan, struct tls, loan);
	struct pool *pool = &tls->loop->pool;

	tls->lent = false;
	tls->stepped = true;
	window_settle(&tls->window, &tls->in, pool);
	if (!tls->transport) {
		tls_free(tls, pool);
		return;
	}

	struct waker *waker = tls->transport->stream.waker;
	if (waker)
		waker->wake(waker);
}

bool
tls_loan_is_due(const struct tls *tls)
{
	return tls->credentials->slow && tls->loop->desk && window_has_record(&tls->window);
}

int
tls_loan_start(struct tls *tls, int (*step)(struct tls *tls), struct diag *diag)
{
	assert(!tls->lent && !tls->stepped);
	tls->step = step;
	tls->loan.work = on_work;
	tls->loan.done = on_done;
	/* A helper may be at work before loan_lend() returns. */
	tls->lent = true;
	if (loan_lend(tls->loop->desk, &tls->loan, diag) == 0)
		return 0;
	tls->lent = false;
	return -1;
}

bool
tls_loan_stop(struct tls *tls)
{
	if (!tls->lent)
		return false;
	if (loan_recall(&tls->loan)) {
		tls->lent = false;
		return false;
	}
	tls->transport = NULL;
	return true;
}
