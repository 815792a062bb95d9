/* SPDX-License-Identifier: MIT */
/*
 * staple.h - give the certificates of an accepting end the OCSP responses that go with them.
 *
 * GnuTLS sends a response until it expires and nothing from then on. So what is not of this time is left
 * out and is no error: a file that was good once can always be loaded again.
 */
#ifndef TUNNEL_STAPLE_H
#define TUNNEL_STAPLE_H

#include <gnutls/gnutls.h>
#include <time.h>

#include "common/defs.h"
#include "tunnel/ocsp.h"

struct diag;
struct file;

/*
 * Staple the responses in @file (one in DER, or any number in PEM, BEGIN OCSP RESPONSE) to the certificates
 * of @credentials, which are all loaded, each to its own. Each must say that its certificate is good; one
 * that is right but for the time (ocsp_is_untimely()) is not stapled. Returns 0, or -1 with words.
 */
MUST_USE int staple_load(
	gnutls_certificate_credentials_t credentials, const struct file *file, struct diag *diag);

/*
 * How many of the responses in @file are of the time @now, whatever they say? In @other is stored what the
 * first is that is not, else OCSP_GOOD. -1: not all of it can be read.
 */
MUST_USE int staple_count_current(const struct file *file, time_t now, enum ocsp_answer *other);

#endif
