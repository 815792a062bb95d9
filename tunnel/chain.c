/* SPDX-License-Identifier: MIT */
#include "tunnel/chain.h"

#include <stdbool.h>

int
chain_parse(struct chain *chain, const gnutls_datum_t *certificates, unsigned count)
{
	if (count > CHAIN_MAX)
		return -1;
	while (chain->count < count) {
		gnutls_x509_crt_t crt;

		if (gnutls_x509_crt_init(&crt))
			return -1;
		if (gnutls_x509_crt_import(crt, &certificates[chain->count], GNUTLS_X509_FMT_DER)) {
			gnutls_x509_crt_deinit(crt);
			return -1;
		}
		chain->crts[chain->count++] = crt;
	}
	return 0;
}

void
chain_release(struct chain *chain)
{
	while (chain->count > 0)
		gnutls_x509_crt_deinit(chain->crts[--chain->count]);
}

/*
 * Did the key of @issuer sign @crt? A peer may show a certificate that only bears the issuer's name.
 * Whether it may have is what the whole chain was verified for; the flags leave that aside.
 */
static bool
has_signed(gnutls_x509_crt_t issuer, gnutls_x509_crt_t crt)
{
	const unsigned flags = GNUTLS_VERIFY_ALLOW_ANY_X509_V1_CA_CRT | GNUTLS_VERIFY_ALLOW_BROKEN |
		GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
	unsigned status = 0;

	return gnutls_x509_crt_check_issuer(crt, issuer) == 1 &&
		gnutls_x509_crt_verify(crt, &issuer, 1, flags, &status) == 0 && status == 0;
}

/*
 * The anchor that has signed @crt, which may be @crt itself; NULL: none. Names and keys may be shared, by
 * an authority that was renewed and by one that got another key: it is the one that lives longest.
 */
static gnutls_x509_crt_t
anchor_of(const struct trust *trust, gnutls_x509_crt_t crt)
{
	gnutls_x509_crt_t found = NULL;
	time_t until = 0;

	for (unsigned i = 0; i < trust->anchor_count; i++) {
		gnutls_x509_crt_t anchor = trust->anchors[i];

		if (!has_signed(anchor, crt))
			continue;
		time_t expiry = gnutls_x509_crt_get_expiration_time(anchor);
		if (expiry > until) {
			found = anchor;
			until = expiry;
		}
	}
	return found;
}

static bool
is_anchor(const struct trust *trust, gnutls_x509_crt_t crt)
{
	for (unsigned i = 0; i < trust->anchor_count; i++) {
		if (gnutls_x509_crt_equals(trust->anchors[i], crt))
			return true;
	}
	return false;
}

static gnutls_x509_crt_t
issuer_in(const struct chain *chain, gnutls_x509_crt_t crt)
{
	for (unsigned i = 1; i < chain->count; i++) {
		if (chain->crts[i] != crt && has_signed(chain->crts[i], crt))
			return chain->crts[i];
	}
	return NULL;
}

int
path_find(struct path *path, const struct chain *chain, const struct trust *trust)
{
	gnutls_x509_crt_t crt = chain->crts[0];

	path->count = 0;
	while (crt && path->count < CHAIN_MAX) {
		gnutls_x509_crt_t anchor = anchor_of(trust, crt);

		path->crts[path->count++] = crt;
		if (anchor && !gnutls_x509_crt_equals(anchor, crt))
			path->crts[path->count++] = anchor;
		if (anchor || is_anchor(trust, crt))
			return 0;
		crt = issuer_in(chain, crt);
	}
	return -1;
}

static time_t
first_expiry(const gnutls_x509_crt_t *crts, unsigned count)
{
	time_t first = gnutls_x509_crt_get_expiration_time(crts[0]);

	for (unsigned i = 1; i < count; i++) {
		time_t expiry = gnutls_x509_crt_get_expiration_time(crts[i]);

		if (expiry < first)
			first = expiry;
	}
	return first;
}

time_t
chain_expiry(const struct chain *chain)
{
	return first_expiry(chain->crts, chain->count);
}

time_t
path_expiry(const struct path *path)
{
	return first_expiry(path->crts, path->count);
}
