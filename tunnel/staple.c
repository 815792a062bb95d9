/* SPDX-License-Identifier: MIT */
#include "tunnel/staple.h"

#include <gnutls/x509.h>
#include <stdint.h>
#include <time.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/encoded.h"
#include "tunnel/tls_words.h"

enum { IDENTITIES = 64 }; /* whose responses can be told apart */

/* What the response @der says about the identity of number @index; OCSP_OTHER without such an identity. */
static enum ocsp_answer
ask(gnutls_certificate_credentials_t credentials, unsigned index, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t *chain = NULL;
	unsigned count = 0;

	if (gnutls_certificate_get_x509_crt(credentials, index, &chain, &count) || count == 0)
		return OCSP_OTHER;
	enum ocsp_answer answer = ocsp_read(der, chain[0], count > 1 ? chain[1] : NULL, time(NULL));
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	return answer;
}

/*
 * Staple @der to the identity that it is for; @stapled has a bit for each that has one already, of this time
 * or not, lest time makes an error of two.
 */
static int
staple(gnutls_certificate_credentials_t credentials, const gnutls_datum_t *der, uint64_t *stapled,
	struct diag *diag)
{
	enum ocsp_answer answer = OCSP_OTHER;
	unsigned index = 0;

	while (index < IDENTITIES && (answer = ask(credentials, index, der)) == OCSP_OTHER)
		index++;
	if (answer != OCSP_GOOD && !ocsp_is_untimely(answer))
		return diag_set(diag, "%s; get a new one from the certificate's authority",
			ocsp_words(answer));
	if (*stapled & UINT64_C(1) << index)
		return diag_set(diag, "it is the second for the same certificate; leave one out");
	*stapled |= UINT64_C(1) << index;
	if (answer != OCSP_GOOD)
		return 0;

	int error = gnutls_certificate_set_ocsp_status_request_mem(
		credentials, der, index, GNUTLS_X509_FMT_DER);
	if (error < 0 && error != GNUTLS_E_EXPIRED) /* since we have looked */
		return diag_set(diag, "%s", tls_words(error).text);
	return 0;
}

int
staple_load(
	gnutls_certificate_credentials_t credentials, const struct file *file, struct diag *diag)
{
	struct der rest = {file->data, file->size};
	uint64_t stapled = 0;
	int ret = 1;

	for (unsigned number = 1; ret > 0; number++) {
		gnutls_datum_t der = {NULL, 0};

		ret = encoded_take(&rest, "OCSP RESPONSE", &der, diag);
		if (ret > 0 && staple(credentials, &der, &stapled, diag))
			ret = -1;
		gnutls_free(der.data);
		if (ret < 0)
			return diag_prefix(diag, "OCSP response %u", number);
	}
	return stapled ? 0 : diag_set(diag, "there is no OCSP response in it");
}

int
staple_count_current(const struct file *file, time_t now, enum ocsp_answer *other)
{
	struct der rest = {file->data, file->size};
	gnutls_datum_t der = {NULL, 0};
	struct ocsp_dates dates;
	struct diag diag;
	int count = 0, taken;

	*other = OCSP_GOOD;
	while ((taken = encoded_take(&rest, "OCSP RESPONSE", &der, &diag)) > 0) {
		int unread = ocsp_read_dates(&der, &dates);

		gnutls_free(der.data);
		if (unread)
			return -1;
		enum ocsp_answer answer = ocsp_judge_dates(&dates, now);
		if (answer == OCSP_GOOD)
			count++;
		else if (*other == OCSP_GOOD)
			*other = answer;
	}
	return taken < 0 ? -1 : count;
}
