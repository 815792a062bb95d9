/* SPDX-License-Identifier: MIT */
/*
 * tls_loan.h - have a step of a handshake made by a helper thread, where a signature takes long.
 *
 * While it is lent, the session, what was received for it and what it says belong to the helper; the
 * socket and everything of the loop stay here. So a transport may go at any time, but its TLS part lives on
 * until the helper gives it back.
 */
#ifndef TUNNEL_TLS_LOAN_H
#define TUNNEL_TLS_LOAN_H

#include <stdbool.h>

#include "common/defs.h"

struct diag;
struct tls;

/* Is the next step of @tls, whose window is open, to be made by a helper, since we may have to sign in it? */
bool tls_loan_is_due(struct tls *tls);

/*
 * Have @step of @tls, whose window is closed, made by a helper, and then the waker called: @step_result has
 * what it returned. Returns 0, or -1 with words.
 */
MUST_USE int tls_loan_start(struct tls *tls, int (*step)(struct tls *tls), struct diag *diag);

/*
 * The owner of @tls gives it up. Returns whether the helper has it now: then it frees itself later, and must
 * not be touched; else it is here and not lent.
 */
MUST_USE bool tls_loan_stop(struct tls *tls);

#endif
