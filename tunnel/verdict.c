/* SPDX-License-Identifier: MIT */
#include "tunnel/verdict.h"

#include "common/defs.h"
#include "common/text.h"

struct reason {
	unsigned bit;
	gnutls_alert_description_t alert;
	const char *words;
};

/*
 * Most important first: a revoked certificate is not made better by being expired as well, and dates
 * or purposes in a certificate that nobody we know has signed are mere claims. GnuTLS sets
 * GNUTLS_CERT_INVALID beside almost every other bit, so it stands last.
 */
static const struct reason reasons[] = {
	{GNUTLS_CERT_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED, "the certificate has been revoked"},
	{GNUTLS_CERT_SIGNATURE_FAILURE, GNUTLS_A_BAD_CERTIFICATE,
		"a signature in the certificate chain is wrong"},
	{GNUTLS_CERT_SIGNER_NOT_FOUND, GNUTLS_A_UNKNOWN_CA,
		"the certificate authority is not known"},
	{GNUTLS_CERT_SIGNER_NOT_CA, GNUTLS_A_UNKNOWN_CA,
		"the issuer of the certificate is not a certificate authority"},
	{GNUTLS_CERT_INSECURE_ALGORITHM, GNUTLS_A_BAD_CERTIFICATE,
		"a key or a signature in the certificate chain is too weak"},
	{GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, GNUTLS_A_BAD_CERTIFICATE,
		"the certificate breaks the constraints of its certificate authority"},
	{GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
		"the certificate has a critical extension that is not known"},
	{GNUTLS_CERT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED, "the certificate has expired"},
	{GNUTLS_CERT_NOT_ACTIVATED, GNUTLS_A_CERTIFICATE_EXPIRED,
		"the certificate is not valid yet"},
	{GNUTLS_CERT_PURPOSE_MISMATCH, GNUTLS_A_UNSUPPORTED_CERTIFICATE,
		"the certificate is not meant for this purpose"},
	{GNUTLS_CERT_UNEXPECTED_OWNER, GNUTLS_A_BAD_CERTIFICATE,
		"the certificate is not for the expected name"},
	{GNUTLS_CERT_MISMATCH, GNUTLS_A_CERTIFICATE_UNKNOWN,
		"the certificate is not the expected one"},
	{GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, GNUTLS_A_CERTIFICATE_UNKNOWN,
		"the revocation list is too old"},
	{GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE, GNUTLS_A_CERTIFICATE_UNKNOWN,
		"the revocation list is dated in the future"},
	{GNUTLS_CERT_INVALID_OCSP_STATUS, GNUTLS_A_CERTIFICATE_UNKNOWN,
		"the OCSP status of the certificate is invalid"},
	{GNUTLS_CERT_MISSING_OCSP_STATUS, GNUTLS_A_CERTIFICATE_UNKNOWN,
		"the certificate demands an OCSP status and none came"},
	{GNUTLS_CERT_INVALID, GNUTLS_A_BAD_CERTIFICATE, "the certificate is not valid"},
};

static const struct reason unknown_reason = {
	0, GNUTLS_A_CERTIFICATE_UNKNOWN, "the certificate is refused for a reason without a name"};

const struct verdict verdict_good = {.good = true, .words = "it verifies"};

struct verdict
verdict_bad(gnutls_alert_description_t alert, const char *words)
{
	return (struct verdict){.alert = alert, .words = words};
}

struct verdict
verdict_of_status(unsigned status)
{
	const struct reason *reason = &unknown_reason;

	if (status == 0)
		return verdict_good;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (status & reasons[i].bit) {
			reason = &reasons[i];
			break;
		}
	}
	return verdict_bad(reason->alert, reason->words);
}

void
verdict_print(unsigned status, struct text *text)
{
	struct verdict first = verdict_of_status(status);

	text_add(text, first.words);
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		bool says_more = reasons[i].bit != GNUTLS_CERT_INVALID;

		if (!(status & reasons[i].bit) || !says_more || reasons[i].words == first.words)
			continue;
		text_add(text, "; ");
		text_add(text, reasons[i].words);
	}
}
