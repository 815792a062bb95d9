/* SPDX-License-Identifier: MIT */
/*
 * ocsp.h - what an OCSP response says about a certificate (RFC 6960), and whether it may be believed.
 *
 * Nobody is asked over the network: the response comes stapled to the handshake (RFC 6066 section 8), or
 * from the file that is to be stapled.
 */
#ifndef TUNNEL_OCSP_H
#define TUNNEL_OCSP_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/config.h"
#include "tunnel/verdict.h"

enum {
	OCSP_AGE = 15 * 24 * 60 * 60, /* seconds that one is good that does not say for how long */
	OCSP_SKEW = 5 * 60,	      /* seconds that our clock may be behind the responder's */
};

enum ocsp_answer {
	OCSP_GOOD,
	OCSP_REVOKED,
	OCSP_UNKNOWN,	/* the responder does not know the certificate */
	OCSP_MALFORMED, /* or it is an error of the responder, or has something that is not known */
	OCSP_OTHER,	/* it is about other certificates */
	OCSP_FORGED,	/* neither the issuer nor whom it delegated to has signed it */
	OCSP_STALE,
	OCSP_EARLY, /* dated in the future */
	OCSP_RETIRED, /* good, but the certificate of whom the issuer delegated to is not of this time */
};

/* When the last answer of a response begins, and when the first ends. */
struct ocsp_dates {
	time_t since, until;
};

/*
 * Read what @response (DER) says about @crt at @now. @issuer is who signed @crt; without it (NULL) neither
 * is the signature verified nor the issuer's key compared.
 */
MUST_USE enum ocsp_answer ocsp_read(const gnutls_datum_t *response, gnutls_x509_crt_t crt,
	gnutls_x509_crt_t issuer, time_t now);

/* Store the dates of @response (DER), which nobody has verified. Returns 0, or -1 if it has no answer. */
MUST_USE int ocsp_read_dates(const gnutls_datum_t *response, struct ocsp_dates *dates);

/* Is a response of @dates of the time @now? OCSP_GOOD, OCSP_STALE or OCSP_EARLY. */
MUST_USE enum ocsp_answer ocsp_judge_dates(const struct ocsp_dates *dates, time_t now);

/* Is @answer one that time alone makes of OCSP_GOOD? */
bool ocsp_is_untimely(enum ocsp_answer answer);

/* The words of @answer: "the OCSP response has expired". */
const char *ocsp_words(enum ocsp_answer answer);

/* Did a staple come in @session? Only then is it worth while to find a path for ocsp_judge(). */
bool ocsp_came(gnutls_session_t session);

/* When the staple of @session is not good any more; 0: there is none. */
time_t ocsp_expiry(gnutls_session_t session);

/* Does @crt demand that one comes (must-staple, RFC 7633)? Also if that cannot be told. */
bool ocsp_is_demanded(gnutls_x509_crt_t crt);

/* Judge that none came: good, unless @mode is OCSP_REQUIRE or the certificate has @demanded one. */
MUST_USE struct verdict ocsp_judge_missing(bool demanded, enum ocsp mode);

/*
 * Judge the staple that came in @session, for the first certificate of @path, which was verified, the
 * peer's first and its anchor last, at @now. A resumed session has the staple of its full handshake.
 */
MUST_USE struct verdict ocsp_judge(
	gnutls_session_t session, const gnutls_x509_crt_t *path, size_t count, time_t now);

#endif
