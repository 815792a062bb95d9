/* SPDX-License-Identifier: MIT */
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/diag.h"
#include "tunnel/asked_name.h"
#include "tunnel/authorise.h"
#include "tunnel/loop.h"
#include "tunnel/protection.h"
#include "tunnel/resumption.h"
#include "tunnel/tls.h"
#include "tunnel/tls_failure.h"
#include "tunnel/tls_loan.h"
#include "tunnel/tls_state.h"
#include "tunnel/tls_wire.h"
#include "tunnel/transport.h"

enum { HANDSHAKE_BATCH = 16 << 10 };

/* What GnuTLS makes of another key than ours: in TLS 1.3 of the binder, in TLS 1.2 of the first record. */
static bool
is_wrong_psk(int error)
{
	return error == GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER || error == GNUTLS_E_DECRYPTION_FAILED;
}

/* The same alert whether the identity is known or not (RFC 4279 section 2, RFC 8446 section 6.2). */
static enum io
refuse_psk(struct tls *tls, struct diag *diag)
{
	tls->alert = GNUTLS_A_DECRYPT_ERROR;
	diag_set(diag, "handshake: the peer %s",
		tls->opening->judgement.psk == PSK_UNKNOWN
			? "named a pre-shared key that is not in psk"
			: "has another pre-shared key than ours of that identity");
	return IO_ERROR;
}

/* The handshake ended badly: in words, and with the alert that fits. */
static enum io
fail_handshake(struct tls *tls, int error, struct diag *diag)
{
	struct judgement *judgement = &tls->opening->judgement;
	enum io answer = tls_failure(tls, "handshake", error, diag);
	bool no_certificate =
		error == GNUTLS_E_NO_CERTIFICATE_FOUND || error == GNUTLS_E_CERTIFICATE_REQUIRED;

	if (no_certificate && authorise(tls_session(tls), judgement))
		return answer;
	if (!judgement->judged && judgement->psk != PSK_NOT_NAMED && is_wrong_psk(error))
		return refuse_psk(tls, diag);
	if (!judgement->judged || judgement->authorised)
		return answer;
	tls->alert = judgement->alert;
	diag_set(diag, "handshake: %s%s%s%s%s", judgement->identity ? judgement->identity : "",
		judgement->identity ? " is refused: " : "", judgement->words,
		judgement->rule ? ": " : "", judgement->rule ? judgement->rule : "");
	return answer;
}

/* The peer closed or reset the connection before the handshake was over. */
static enum io
end_handshake(struct tls *tls, struct diag *diag)
{
	if (!tls->opening->touched)
		return IO_END;
	diag_set(diag, "handshake: the peer closed the connection");
	return IO_ERROR;
}

/*
 * Go on until GnuTLS wants to read what has not come yet, or is about to sign with a slow key: GNUTLS_E_AGAIN;
 * until the handshake is over and the peer may pass: 0; or until it failed. Possibly in a helper thread: touches
 * nothing but @tls.
 */
static int
step(struct tls *tls)
{
	struct tls_opening *opening = tls->opening;
	const char *sni = opening->sni;

	for (;;) {
		int error = gnutls_handshake(tls_session(tls));

		if (error == GNUTLS_E_WARNING_ALERT_RECEIVED && ++tls->warnings <= TLS_WARNINGS_MAX)
			continue;
		if (error == GNUTLS_E_SUCCESS && sni && !asked_name_is(tls_session(tls), sni))
			return GNUTLS_E_RECEIVED_DISALLOWED_NAME;
		if (error == GNUTLS_E_SUCCESS && !authorise(tls_session(tls), &opening->judgement))
			return GNUTLS_E_CERTIFICATE_ERROR;
		if (error != GNUTLS_E_AGAIN && error != GNUTLS_E_INTERRUPTED)
			return error;
		if (opening->loan_state != LOAN_NONE || !window_has_record(&tls->loop->window))
			return GNUTLS_E_AGAIN;
	}
}

/* Make a step, unless a helper made one that ended for another reason than that it can receive nothing. */
static int
make_step(struct tls *tls)
{
	struct tls_opening *opening = tls->opening;
	bool is_back = opening->loan_state == LOAN_BACK;

	opening->loan_state = LOAN_NONE;
	if (is_back &&
		(opening->step_result != GNUTLS_E_AGAIN || !window_has_record(&tls->loop->window)))
		return opening->step_result;
	return step(tls);
}

/* Our flight leaves before we wait for the answer to it, which is received only if that @may be. */
static enum io
exchange(struct tls *tls, bool may_receive, struct diag *diag)
{
	enum io answer = transport_push(tls->transport, diag);

	if (answer != IO_DONE)
		return answer;
	if (tls->control > TLS_CONTROL_MAX)
		return tls_failure(tls, "handshake", GNUTLS_E_HANDSHAKE_TOO_LARGE, diag);
	if (!may_receive || !tls->transport->stream.readable)
		return IO_WANT_READ;
	answer = tls_wire_fill(tls, HANDSHAKE_BATCH, diag);
	if (answer == IO_DONE)
		tls->opening->touched = true;
	if (answer == IO_END || (answer == IO_ERROR && !tls->opening->touched))
		return end_handshake(tls, diag);
	return answer;
}

/*
 * The body of the handshake, between opening and closing the window. IO_WAIT: a step is to be lent. Receives once:
 * who sends without a pause must not keep the loop from everybody else.
 */
static enum io
handshake_window(struct tls *tls, struct diag *diag)
{
	enum io answer = IO_DONE;

	for (bool may_receive = true; answer == IO_DONE; may_receive = false) {
		int error = make_step(tls);

		if (error == GNUTLS_E_SUCCESS)
			return IO_DONE;
		if (error != GNUTLS_E_AGAIN)
			return fail_handshake(tls, error, diag);
		if (tls->opening->loan_state == LOAN_DUE)
			return IO_WAIT;
		answer = exchange(tls, may_receive, diag);
	}
	return answer;
}

/* The peer is authorised. In the loop's thread. */
static enum io
complete(struct tls *tls, struct diag *diag)
{
	/* GnuTLS 3.7 keeps to a max_fragment_length in TLS 1.3 only. */
	size_t record_max = gnutls_record_get_max_size(tls_session(tls));

	tls->record_max =
		record_max < TLS_RECORD_PLAINTEXT ? (uint16_t)record_max : TLS_RECORD_PLAINTEXT;
	protection_begin(&tls->protection, tls->loop->ciphers);
	tls->handshaken = true;
	tls->control = 0;
	if (resumption_settle(tls, diag) == IO_ERROR)
		return IO_ERROR;
	return transport_push(tls->transport, diag);
}

/* A step is with a helper. */
static enum io
wait_for_step(const struct tls *tls, struct diag *diag)
{
	if (!tls->transport->stream.reset)
		return IO_WAIT;
	diag_set(diag, "handshake: the peer reset the connection");
	return IO_ERROR;
}

enum io
tls_handshake(struct transport *transport, struct diag *diag)
{
	struct tls *tls = transport->tls;

	if (tls->handshaken)
		return transport_push(transport, diag);
	if (tls_is_lent(tls))
		return wait_for_step(tls, diag);
	if (tls->opening->loan_state == LOAN_BACK && tls_wire_add_flight(tls, diag) == IO_ERROR)
		return IO_ERROR;
	tls_wire_open(tls);
	enum io answer = handshake_window(tls, diag);
	if (tls_wire_close(tls, diag) == IO_ERROR)
		return IO_ERROR;
	if (answer == IO_DONE)
		return complete(tls, diag);
	if (answer != IO_WAIT || tls_loan_start(tls, step, diag) == 0)
		return answer;
	return IO_ERROR;
}
