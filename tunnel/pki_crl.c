/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_crl.h"

#include <string.h>

#include "common/diag.h"
#include "tunnel/crl.h"
#include "tunnel/encoded.h"
#include "tunnel/tls_words.h"

enum { NUMBER_SIZE = 20, SERIAL_SIZE = 64, KEY_ID_SIZE = 64 };

static int
set_error(struct diag *diag, const char *what, int error)
{
	return diag_set(diag, "%s: %s", what, tls_words(error).text);
}

/* Is the only list in @old one that a tunnel would take, and signed by @authority? It may have expired. */
static int
check_old(const gnutls_datum_t *old, gnutls_x509_crt_t authority, struct diag *diag)
{
	struct der rest = {old->data, old->size};
	gnutls_datum_t der = {NULL, 0};
	struct crl crl = {0};
	int ret = encoded_take(&rest, "X509 CRL", &der, diag);

	if (ret > 0)
		ret = crl_parse(&crl, &(struct der){der.data, der.size}, diag);
	else if (ret == 0)
		ret = diag_set(diag, "there is no list in it");
	if (ret == 0 && rest.size > 0)
		ret = diag_set(diag, "there is more than one list in it");
	if (ret == 0 && !crl_verify(&crl, authority))
		ret = diag_set(diag, "it was not signed by this authority");
	crl_release(&crl);
	gnutls_free(der.data);
	return ret < 0 ? diag_prefix(diag, "the list that is there, which could be moved away") : 0;
}

static int
load(gnutls_x509_crl_t crl, const gnutls_datum_t *old, gnutls_x509_crt_t authority,
	struct diag *diag)
{
	if (check_old(old, authority, diag) < 0)
		return -1;

	bool is_der = old->data[0] == DER_SEQUENCE;
	int ret = gnutls_x509_crl_import(
		crl, old, is_der ? GNUTLS_X509_FMT_DER : GNUTLS_X509_FMT_PEM);
	return ret < 0 ? set_error(diag, "the list that is there", ret) : 0;
}

/* Only what the authority has issued can be on its list. */
static int
check_issued(gnutls_x509_crt_t crt, gnutls_x509_crt_t authority, struct diag *diag)
{
	const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
		GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS | GNUTLS_VERIFY_ALLOW_BROKEN;
	unsigned status = 0;
	int ret = gnutls_x509_crt_verify(crt, &authority, 1, flags, &status);

	if (ret < 0 || (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE)))
		return diag_set(diag, "the certificate was not issued by this authority");
	return 0;
}

/* Count the entries of @crl. Returns whether @serial is among them. */
static bool
count_entries(gnutls_x509_crl_t crl, const unsigned char *serial, size_t size, unsigned *count)
{
	gnutls_x509_crl_iter_t position = NULL;
	unsigned char entry[SERIAL_SIZE];
	size_t entry_size = sizeof(entry);
	bool found = false;
	time_t when;

	*count = 0;
	while (gnutls_x509_crl_iter_crt_serial(crl, &position, entry, &entry_size, &when) == 0) {
		if (size > 0 && entry_size == size && memcmp(entry, serial, size) == 0)
			found = true;
		entry_size = sizeof(entry);
		(*count)++;
	}
	gnutls_x509_crl_iter_deinit(position);
	return found;
}

static int
add_entry(struct pki_crl_made *made, gnutls_x509_crl_t crl, const struct pki_crl_plan *plan,
	struct diag *diag)
{
	unsigned char serial[SERIAL_SIZE];
	size_t size = sizeof(serial);
	int ret = plan->revoked ? gnutls_x509_crt_get_serial(plan->revoked, serial, &size) : 0;

	if (ret < 0)
		return set_error(diag, "the certificate's serial number", ret);
	made->was_on_it = count_entries(crl, serial, plan->revoked ? size : 0, &made->count);
	if (!plan->revoked || made->was_on_it)
		return 0;
	ret = gnutls_x509_crl_set_crt_serial(crl, serial, size, plan->now);
	if (ret < 0)
		return set_error(diag, "add the certificate", ret);
	made->count++;
	return 0;
}

/*
 * Put what follows the number of the list that is there, or 1 if there is none, into @number. To a list without
 * any extension GnuTLS cannot add one.
 */
static int
next_number(
	gnutls_x509_crl_t crl, bool is_first, unsigned char number[NUMBER_SIZE], struct diag *diag)
{
	unsigned char old[NUMBER_SIZE];
	size_t size = sizeof(old), i = NUMBER_SIZE;
	unsigned critical;
	int ret = is_first ? 0 : gnutls_x509_crl_get_number(crl, old, &size, &critical);

	memset(number, 0, NUMBER_SIZE);
	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
		return diag_set(diag,
			"the list that is there has no number (CRL number); make it anew with "
			"what has made it, and with a number");
	}
	if (ret < 0)
		return set_error(diag, "the number of the list that is there", ret);
	if (!is_first)
		memcpy(number + NUMBER_SIZE - size, old, size);
	while (i > 0 && ++number[--i] == 0)
		continue;
	if (number[0] > 0x7f)
		return diag_set(diag, "the number of the list that is there is too great");
	return 0;
}

static int
set_number(gnutls_x509_crl_t crl, bool is_first, struct diag *diag)
{
	unsigned char number[NUMBER_SIZE];
	size_t first = 0;

	if (next_number(crl, is_first, number, diag) < 0)
		return -1;
	while (first < NUMBER_SIZE - 1 && number[first] == 0 && number[first + 1] <= 0x7f)
		first++;
	int ret = gnutls_x509_crl_set_number(crl, number + first, NUMBER_SIZE - first);
	return ret < 0 ? set_error(diag, "the list's number", ret) : 0;
}

static int
set_key_id(gnutls_x509_crl_t crl, gnutls_x509_crt_t authority)
{
	unsigned char key_id[KEY_ID_SIZE];
	size_t size = sizeof(key_id);
	int ret = gnutls_x509_crt_get_subject_key_id(authority, key_id, &size, NULL);

	if (ret < 0)
		return ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : ret;
	return gnutls_x509_crl_set_authority_key_id(crl, key_id, size);
}

static int
finish(struct pki_crl_made *made, gnutls_x509_crl_t crl, const struct pki_crl_plan *plan,
	struct diag *diag)
{
	int ret;

	if ((ret = gnutls_x509_crl_set_this_update(crl, plan->from)) < 0 ||
		(ret = gnutls_x509_crl_set_next_update(crl, plan->until)) < 0 ||
		(ret = gnutls_x509_crl_sign2(crl, plan->authority->crt, plan->authority->key,
			 GNUTLS_DIG_UNKNOWN, 0)) < 0 ||
		(ret = gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &made->pem)) < 0)
		return set_error(diag, "make the list", ret);
	return 0;
}

static int
begin(gnutls_x509_crl_t crl, const struct pki_crl_plan *plan, const gnutls_datum_t *old,
	struct diag *diag)
{
	if (old)
		return load(crl, old, plan->authority->crt, diag);

	int ret = gnutls_x509_crl_set_version(crl, 2);
	if (ret == 0)
		ret = set_key_id(crl, plan->authority->crt);
	return ret < 0 ? set_error(diag, "make the list", ret) : 0;
}

static int
check_authority(gnutls_x509_crt_t authority, time_t now, struct diag *diag)
{
	unsigned usage, critical;

	if (gnutls_x509_crt_get_key_usage(authority, &usage, &critical) == 0 &&
		!(usage & GNUTLS_KEY_CRL_SIGN))
		return diag_set(diag, "the authority's key usage forbids to sign lists");
	if (gnutls_x509_crt_get_expiration_time(authority) <= now)
		return diag_set(diag, "the authority has expired, and nobody needs its list");
	return 0;
}

int
pki_crl_make(struct pki_crl_made *made, const struct pki_crl_plan *plan, const gnutls_datum_t *old,
	struct diag *diag)
{
	gnutls_x509_crl_t crl;

	*made = (struct pki_crl_made){.count = 0};
	if (check_authority(plan->authority->crt, plan->now, diag) < 0)
		return -1;
	if (plan->revoked && check_issued(plan->revoked, plan->authority->crt, diag) < 0)
		return -1;
	int ret = gnutls_x509_crl_init(&crl);
	if (ret < 0)
		return set_error(diag, "make the list", ret);
	if (begin(crl, plan, old, diag) < 0 || add_entry(made, crl, plan, diag) < 0 ||
		set_number(crl, !old, diag) < 0 || finish(made, crl, plan, diag) < 0)
		ret = -1;
	gnutls_x509_crl_deinit(crl);
	return ret;
}
