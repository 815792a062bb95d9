/* SPDX-License-Identifier: MIT */
/*
 * tls_loan.h - have the step of a handshake in which we sign made by a helper thread, where that takes long.
 *
 * While it is lent, the session and what it says belong to the helper; the socket, what was received and
 * everything of the loop stay here. So a transport may go at any time, but its TLS part lives on
 * until the helper gives it back.
 */
#ifndef TUNNEL_TLS_LOAN_H
#define TUNNEL_TLS_LOAN_H

#include <stdbool.h>

#include "common/defs.h"

struct diag;
struct tls;

/*
 * Where a key of @tls is slow, have its handshake pause in front of a signature of ours: GnuTLS says
 * GNUTLS_E_AGAIN, and a loan is due. Before the handshake begins.
 */
void tls_loan_prepare(struct tls *tls);

/*
 * Have @step of @tls, which signs, made by a helper, and then the waker called: @step_result has
 * what it returned. Returns 0, or -1 with words.
 */
MUST_USE int tls_loan_start(struct tls *tls, int (*step)(struct tls *tls), struct diag *diag);

/*
 * The owner of @tls gives it up. Returns whether the helper has it now: then it frees itself later, and must
 * not be touched; else it is here and not lent.
 */
MUST_USE bool tls_loan_stop(struct tls *tls);

#endif
