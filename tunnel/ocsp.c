/* SPDX-License-Identifier: MIT */
#include "tunnel/ocsp.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/ocsp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tunnel/der.h"

enum { MUST_STAPLE = 5 }; /* status_request, as a TLS feature */

static const char *const words[] = {
	[OCSP_GOOD] = "the OCSP response says that the certificate is good",
	[OCSP_REVOKED] = "the OCSP response says that the certificate has been revoked",
	[OCSP_UNKNOWN] = "the OCSP response says that the certificate is not known",
	[OCSP_MALFORMED] = "the OCSP response is malformed or an error of the responder",
	[OCSP_OTHER] = "the OCSP response is for another certificate",
	[OCSP_FORGED] = "the OCSP response was not signed for the issuer of the certificate",
	[OCSP_STALE] = "the OCSP response has expired",
	[OCSP_EARLY] = "the OCSP response is dated in the future",
	[OCSP_RETIRED] = "the OCSP response was signed with a certificate that is not valid now",
};

/* One SingleResponse, with what of it is compared. */
struct single {
	gnutls_digest_algorithm_t digest;
	gnutls_datum_t issuer_key_hash;
	unsigned status;
	time_t this_update, next_update;
};

static int
get_single(gnutls_ocsp_resp_t response, unsigned index, struct single *single)
{
	return gnutls_ocsp_resp_get_single(response, index, &single->digest, NULL,
		&single->issuer_key_hash, NULL, &single->status, &single->this_update,
		&single->next_update, NULL, NULL);
}

/* The bits of the public key in @crt, as CertID hashes them: without what stands around them. */
static int
key_bits(const gnutls_datum_t *info, struct der *bits)
{
	struct der rest = {info->data, info->size}, content, algorithm;

	if (der_take(&rest, DER_SEQUENCE, &content) || der_take_whole(&content, &algorithm) ||
		der_take(&content, DER_BIT_STRING, bits) || bits->size < 1)
		return -1;
	bits->at++; /* the number of unused bits, always 0 */
	bits->size--;
	return 0;
}

static bool
has_key_hash(gnutls_x509_crt_t issuer, const struct single *single)
{
	gnutls_datum_t info = {NULL, 0};
	uint8_t hash[64];
	gnutls_pubkey_t key;
	struct der bits;
	bool ret = false;
	size_t size = gnutls_hash_get_len(single->digest);

	if (size == 0 || size > sizeof(hash) || single->issuer_key_hash.size != size ||
		gnutls_pubkey_init(&key))
		return false;
	if (gnutls_pubkey_import_x509(key, issuer, 0) == 0 &&
		gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &info) == 0 &&
		key_bits(&info, &bits) == 0 &&
		gnutls_hash_fast(single->digest, bits.at, bits.size, hash) == 0)
		ret = memcmp(hash, single->issuer_key_hash.data, size) == 0;
	gnutls_free(info.data);
	gnutls_pubkey_deinit(key);
	return ret;
}

static struct ocsp_dates
dates_of(const struct single *single)
{
	time_t since = single->this_update, until = single->next_update;

	return (struct ocsp_dates){since, until == (time_t)-1 ? since + OCSP_AGE : until};
}

/* The dates come last: of what is not good, time must never make something that is untimely only. */
static enum ocsp_answer
judge_single(const struct single *single, time_t now)
{
	const struct ocsp_dates dates = dates_of(single);

	if (single->status == GNUTLS_OCSP_CERT_REVOKED)
		return OCSP_REVOKED;
	if (single->status != GNUTLS_OCSP_CERT_GOOD)
		return OCSP_UNKNOWN;
	if (single->this_update == (time_t)-1)
		return OCSP_MALFORMED;
	return ocsp_judge_dates(&dates, now);
}

/* What two answers about one certificate say together. */
static enum ocsp_answer
both(enum ocsp_answer before, enum ocsp_answer answer)
{
	return answer == OCSP_GOOD && ocsp_is_untimely(before) ? before : answer;
}

/* Of several answers about @crt all must be good. */
static enum ocsp_answer
read_singles(
	gnutls_ocsp_resp_t response, gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, time_t now)
{
	enum ocsp_answer answer = OCSP_OTHER;
	struct single single;
	int error = 0;

	for (unsigned i = 0;
		answer == OCSP_OTHER || answer == OCSP_GOOD || ocsp_is_untimely(answer); i++) {
		error = get_single(response, i, &single);
		if (error)
			break;
		if (gnutls_ocsp_resp_check_crt(response, i, crt) == 0 &&
			(!issuer || has_key_hash(issuer, &single)))
			answer = both(answer, judge_single(&single, now));
		gnutls_free(single.issuer_key_hash.data);
	}
	if (error && error != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return OCSP_MALFORMED;
	return answer;
}

/* A nonce has no meaning in what nobody asked for, and nothing else is known that could be critical. */
static bool
has_critical_extension(gnutls_ocsp_resp_t response)
{
	gnutls_datum_t oid, data;
	unsigned critical = 0;

	for (unsigned i = 0; !critical; i++) {
		int error = gnutls_ocsp_resp_get_extension(response, i, &oid, &critical, &data);

		if (error)
			return error != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
		gnutls_free(oid.data);
		gnutls_free(data.data);
	}
	return true;
}

static bool
is_signed(gnutls_ocsp_resp_t response, gnutls_x509_crt_t issuer, unsigned flags)
{
	unsigned status = 0;

	return gnutls_ocsp_resp_verify_direct(response, issuer, &status, flags) == 0 && status == 0;
}

static enum ocsp_answer
read_response(
	gnutls_ocsp_resp_t response, gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, time_t now)
{
	if (gnutls_ocsp_resp_get_status(response) != GNUTLS_OCSP_RESP_SUCCESSFUL ||
		has_critical_extension(response))
		return OCSP_MALFORMED;

	enum ocsp_answer answer = read_singles(response, crt, issuer, now);
	if (answer == OCSP_OTHER || answer == OCSP_MALFORMED)
		return answer;
	if (!issuer || is_signed(response, issuer, 0))
		return answer;
	if (!is_signed(response, issuer, GNUTLS_VERIFY_DISABLE_TIME_CHECKS))
		return OCSP_FORGED;
	return answer == OCSP_GOOD ? OCSP_RETIRED : answer;
}

enum ocsp_answer
ocsp_read(
	const gnutls_datum_t *response, gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, time_t now)
{
	enum ocsp_answer answer = OCSP_MALFORMED;
	gnutls_ocsp_resp_t parsed;

	if (gnutls_ocsp_resp_init(&parsed))
		return answer;
	if (gnutls_ocsp_resp_import(parsed, response) == 0)
		answer = read_response(parsed, crt, issuer, now);
	gnutls_ocsp_resp_deinit(parsed);
	return answer;
}

enum ocsp_answer
ocsp_judge_dates(const struct ocsp_dates *dates, time_t now)
{
	if (dates->until < now)
		return OCSP_STALE;
	return dates->since > now + OCSP_SKEW ? OCSP_EARLY : OCSP_GOOD;
}

bool
ocsp_is_untimely(enum ocsp_answer answer)
{
	return answer == OCSP_STALE || answer == OCSP_EARLY || answer == OCSP_RETIRED;
}

const char *
ocsp_words(enum ocsp_answer answer)
{
	return words[answer];
}

/* Does @crt demand a staple? One whose extension cannot be read does. */
bool
ocsp_is_demanded(gnutls_x509_crt_t crt)
{
	gnutls_x509_tlsfeatures_t features;
	unsigned critical, feature;
	bool ret = false;

	if (gnutls_x509_tlsfeatures_init(&features))
		return true;
	int error = gnutls_x509_crt_get_tlsfeatures(crt, features, 0, &critical);
	for (unsigned i = 0; !error && !ret; i++) {
		if (gnutls_x509_tlsfeatures_get(features, i, &feature))
			break;
		ret = feature == MUST_STAPLE;
	}
	gnutls_x509_tlsfeatures_deinit(features);
	return ret || (error && error != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
}

bool
ocsp_came(gnutls_session_t session)
{
	gnutls_datum_t staple = {NULL, 0};

	return gnutls_ocsp_status_request_get2(session, 0, &staple) == 0 && staple.size > 0;
}

static int
take_dates(gnutls_ocsp_resp_t response, struct ocsp_dates *dates)
{
	struct single single;
	unsigned count = 0;

	for (; get_single(response, count, &single) == 0; count++) {
		const struct ocsp_dates next = dates_of(&single);

		gnutls_free(single.issuer_key_hash.data);
		if (count == 0 || next.since > dates->since)
			dates->since = next.since;
		if (count == 0 || next.until < dates->until)
			dates->until = next.until;
	}
	return count > 0 ? 0 : -1;
}

int
ocsp_read_dates(const gnutls_datum_t *response, struct ocsp_dates *dates)
{
	gnutls_ocsp_resp_t parsed;
	int ret = -1;

	if (gnutls_ocsp_resp_init(&parsed))
		return -1;
	if (gnutls_ocsp_resp_import(parsed, response) == 0)
		ret = take_dates(parsed, dates);
	gnutls_ocsp_resp_deinit(parsed);
	return ret;
}

time_t
ocsp_expiry(gnutls_session_t session)
{
	gnutls_datum_t staple = {NULL, 0};
	struct ocsp_dates dates;

	if (gnutls_ocsp_status_request_get2(session, 0, &staple) || staple.size == 0 ||
		ocsp_read_dates(&staple, &dates))
		return 0;
	return dates.until;
}

struct verdict
ocsp_judge_missing(bool demanded, enum ocsp mode)
{
	if (demanded)
		return verdict_of_status(GNUTLS_CERT_MISSING_OCSP_STATUS);
	if (mode == OCSP_REQUIRE)
		return verdict_bad(
			GNUTLS_A_CERTIFICATE_UNKNOWN, "an OCSP status is required and none came");
	return verdict_good;
}

struct verdict
ocsp_judge(gnutls_session_t session, const gnutls_x509_crt_t *path, size_t count, time_t now)
{
	gnutls_datum_t staple = {NULL, 0};

	if (gnutls_ocsp_status_request_get2(session, 0, &staple))
		return verdict_bad(GNUTLS_A_CERTIFICATE_UNKNOWN, words[OCSP_MALFORMED]);

	enum ocsp_answer answer = ocsp_read(&staple, path[0], path[count > 1 ? 1 : 0], now);
	if (answer == OCSP_GOOD)
		return verdict_good;
	if (answer == OCSP_REVOKED)
		return verdict_of_status(GNUTLS_CERT_REVOKED);
	return verdict_bad(GNUTLS_A_CERTIFICATE_UNKNOWN, words[answer]);
}
