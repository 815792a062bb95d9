/* SPDX-License-Identifier: MIT */
#include "tunnel/crl.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/tls_words.h"

enum { SERIAL_SIZE = 256, OID_SIZE = 128 };

static const char number_oid[] = "2.5.29.20";
static const char delta_oid[] = "2.5.29.27";
static const char part_oid[] = "2.5.29.28";
static const char authority_key_oid[] = "2.5.29.35";

static int
malformed(struct diag *diag)
{
	return diag_set(diag, "the list is malformed");
}

static struct der
without_zeros(const struct der *number)
{
	struct der rest = *number;

	while (rest.size > 0 && *rest.at == 0) {
		rest.at++;
		rest.size--;
	}
	return rest;
}

static int
compare_numbers(const struct der *a, const struct der *b)
{
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->size == 0 ? 0 : memcmp(a->at, b->at, a->size);
}

static int
compare_serials(const void *a, const void *b)
{
	return compare_numbers(a, b);
}

/* The extensions of one entry: the reason and the date do not matter, but what is critical might. */
static int
check_entry_extensions(struct der extensions, struct diag *diag)
{
	struct der extension, oid, critical;

	while (extensions.size > 0) {
		if (der_take(&extensions, DER_SEQUENCE, &extension) ||
			der_take(&extension, DER_OID, &oid))
			return malformed(diag);
		if (!der_is(&extension, DER_BOOLEAN))
			continue;
		if (der_take(&extension, DER_BOOLEAN, &critical) || critical.size != 1)
			return malformed(diag);
		if (critical.at[0] != 0) {
			return diag_set(diag,
				"an entry has a critical extension that is not known; give a list "
				"of one issuer's own certificates");
		}
	}
	return 0;
}

/* One of revokedCertificates: userCertificate, revocationDate, crlEntryExtensions. */
static int
take_entry(struct der *entries, struct der *serial, struct diag *diag)
{
	struct der entry, date, number, extensions;

	if (der_take(entries, DER_SEQUENCE, &entry) || der_take(&entry, DER_INTEGER, &number) ||
		der_take_whole(&entry, &date))
		return malformed(diag);
	*serial = without_zeros(&number);
	if (entry.size == 0)
		return 0;
	if (der_take(&entry, DER_SEQUENCE, &extensions) || entry.size > 0)
		return malformed(diag);
	return check_entry_extensions(extensions, diag);
}

static int
take_entries(struct crl *crl, struct der entries, struct diag *diag)
{
	struct der rest = entries, entry;
	size_t count = 0;

	while (rest.size > 0) {
		if (der_take_whole(&rest, &entry))
			return malformed(diag);
		count++;
	}
	if (count == 0)
		return 0;
	crl->serials = calloc(count, sizeof(*crl->serials));
	if (!crl->serials)
		return diag_set(diag, "out of memory");
	while (crl->serial_count < count) {
		if (take_entry(&entries, &crl->serials[crl->serial_count++], diag))
			return -1;
	}
	qsort(crl->serials, count, sizeof(*crl->serials), compare_serials);
	return 0;
}

static bool
is_time(const struct der *rest)
{
	return der_is(rest, DER_UTC_TIME) || der_is(rest, DER_GENERALIZED_TIME);
}

/* tbsCertList of RFC 5280 section 5.1; @algorithm is what the list says behind it, too. */
static int
take_signed_part(struct crl *crl, const struct der *algorithm, struct diag *diag)
{
	struct der rest = crl->signed_part, part, inner, skipped, entries;

	if (der_take(&rest, DER_SEQUENCE, &part))
		return malformed(diag);
	if (der_is(&part, DER_INTEGER) && der_take(&part, DER_INTEGER, &skipped))
		return malformed(diag);
	if (der_take_whole(&part, &inner) || compare_numbers(&inner, algorithm) != 0)
		return diag_set(diag, "the list names two different signature algorithms");
	if (!der_is(&part, DER_SEQUENCE) || der_take_whole(&part, &crl->issuer))
		return malformed(diag);
	while (is_time(&part)) {
		if (der_take_whole(&part, &skipped))
			return malformed(diag);
	}
	if (der_is(&part, DER_SEQUENCE)) {
		if (der_take(&part, DER_SEQUENCE, &entries) || take_entries(crl, entries, diag))
			return -1;
	}
	if (part.size > 0 && (der_take(&part, DER_CONTEXT_0, &skipped) || part.size > 0))
		return malformed(diag);
	return 0;
}

/* Keep a copy of the list and find in it what GnuTLS does not tell. */
static int
walk(struct crl *crl, const struct der *der, struct diag *diag)
{
	struct der rest, list, algorithm;

	crl->bytes = malloc(der->size);
	if (!crl->bytes)
		return diag_set(diag, "out of memory");
	memcpy(crl->bytes, der->at, der->size);
	rest = (struct der){crl->bytes, der->size};
	if (der_take(&rest, DER_SEQUENCE, &list) || rest.size > 0 ||
		der_take_whole(&list, &crl->signed_part) || der_take_whole(&list, &algorithm))
		return malformed(diag);
	return take_signed_part(crl, &algorithm, diag);
}

static int
check_extension(const char *oid, bool critical, struct diag *diag)
{
	if (strcmp(oid, delta_oid) == 0)
		return diag_set(diag,
			"the list is a delta, which says nothing by itself; give the complete one");
	if (strcmp(oid, part_oid) == 0) {
		return diag_set(diag,
			"the list covers only a part of the certificates "
			"(IssuingDistributionPoint); give one that covers all");
	}
	if (critical && strcmp(oid, number_oid) != 0 && strcmp(oid, authority_key_oid) != 0)
		return diag_set(
			diag, "the list has a critical extension (%s) that is not known", oid);
	return 0;
}

static int
check_extensions(gnutls_x509_crl_t parsed, struct diag *diag)
{
	char oid[OID_SIZE];
	unsigned critical;
	int error;

	for (unsigned i = 0;; i++) {
		size_t size = sizeof(oid);

		error = gnutls_x509_crl_get_extension_info(parsed, i, oid, &size, &critical);
		if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return 0;
		if (error < 0)
			return diag_set(
				diag, "an extension of the list: %s", tls_words(error).text);
		if (check_extension(oid, critical != 0, diag))
			return -1;
	}
}

/* The list's number tells two lists of the same second apart. */
static void
take_number(struct crl *crl, gnutls_x509_crl_t parsed)
{
	uint8_t bytes[CRL_NUMBER_SIZE + 1];
	size_t size = sizeof(bytes);
	unsigned critical;

	if (gnutls_x509_crl_get_number(parsed, bytes, &size, &critical) < 0)
		return;
	struct der number = without_zeros(&(struct der){bytes, size});
	if (number.size > sizeof(crl->number))
		return;
	memcpy(crl->number, number.at, number.size);
	crl->number_size = number.size;
}

static int
take_issuer_words(struct crl *crl, gnutls_x509_crl_t parsed, struct diag *diag)
{
	gnutls_datum_t dn;
	struct text text;
	int error = gnutls_x509_crl_get_issuer_dn3(parsed, &dn, 0);

	if (error)
		return diag_set(diag, "the list's issuer: %s", tls_words(error).text);
	text_init(&text, crl->issuer_words, sizeof(crl->issuer_words));
	text_escape(&text, dn.data, dn.size);
	gnutls_free(dn.data);
	return 0;
}

static int
take_signature(struct crl *crl, gnutls_x509_crl_t parsed, struct diag *diag)
{
	size_t size = 0;
	int algorithm = gnutls_x509_crl_get_signature_algorithm(parsed);

	if (algorithm < 0 ||
		!gnutls_sign_is_secure2(
			(gnutls_sign_algorithm_t)algorithm, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS)) {
		return diag_set(diag,
			"the list is signed with an algorithm that is broken or not "
			"known; have it signed with SHA-256 or better");
	}
	crl->algorithm = (gnutls_sign_algorithm_t)algorithm;
	if (gnutls_x509_crl_get_signature(parsed, NULL, &size) != GNUTLS_E_SHORT_MEMORY_BUFFER)
		return malformed(diag);
	crl->signature.data = malloc(size);
	if (!crl->signature.data)
		return diag_set(diag, "out of memory");
	if (gnutls_x509_crl_get_signature(parsed, (char *)crl->signature.data, &size))
		return malformed(diag);
	crl->signature.size = (unsigned)size;
	return 0;
}

/* What GnuTLS tells. */
static int
ask(struct crl *crl, gnutls_x509_crl_t parsed, struct diag *diag)
{
	if (take_issuer_words(crl, parsed, diag))
		return -1;
	crl->this_update = gnutls_x509_crl_get_this_update(parsed);
	crl->next_update = gnutls_x509_crl_get_next_update(parsed);
	if (crl->this_update == (time_t)-1)
		return malformed(diag);
	if (crl->next_update == (time_t)-1)
		return diag_set(diag, "the list does not say until when it is good (nextUpdate)");
	take_number(crl, parsed);
	if (check_extensions(parsed, diag))
		return -1;
	return take_signature(crl, parsed, diag);
}

/* Put the list's issuer, as far as it is known, in front of @diag. */
static int
blame(const struct crl *crl, struct diag *diag)
{
	return crl->issuer_words[0] ? diag_prefix(diag, "list of \"%s\"", crl->issuer_words) : -1;
}

int
crl_parse(struct crl *crl, const struct der *der, struct diag *diag)
{
	const gnutls_datum_t datum = {(unsigned char *)(uintptr_t)der->at, (unsigned)der->size};
	gnutls_x509_crl_t parsed;

	if (gnutls_x509_crl_init(&parsed))
		return diag_set(diag, "out of memory");
	int ret = gnutls_x509_crl_import(parsed, &datum, GNUTLS_X509_FMT_DER);
	if (ret)
		(void)diag_set(diag, "%s", tls_words(ret).text);
	if (ret || ask(crl, parsed, diag) || walk(crl, der, diag))
		ret = blame(crl, diag);
	gnutls_x509_crl_deinit(parsed);
	return ret;
}

void
crl_release(struct crl *crl)
{
	free(crl->bytes);
	free(crl->serials);
	free(crl->signature.data);
	*crl = (struct crl){0};
}

bool
crl_names(const struct crl *crl, const gnutls_datum_t *dn)
{
	return dn->size == crl->issuer.size && memcmp(dn->data, crl->issuer.at, dn->size) == 0;
}

bool
crl_verify(const struct crl *crl, gnutls_x509_crt_t issuer)
{
	const gnutls_datum_t data = {
		(unsigned char *)(uintptr_t)crl->signed_part.at, (unsigned)crl->signed_part.size};
	gnutls_pubkey_t key;

	if (gnutls_pubkey_init(&key))
		return false;
	bool ret = gnutls_pubkey_import_x509(key, issuer, 0) == 0 &&
		gnutls_pubkey_verify_data2(key, crl->algorithm, 0, &data, &crl->signature) >= 0;
	gnutls_pubkey_deinit(key);
	return ret;
}

bool
crl_has(const struct crl *crl, gnutls_x509_crt_t crt)
{
	uint8_t bytes[SERIAL_SIZE];
	size_t size = sizeof(bytes);

	if (gnutls_x509_crt_get_serial(crt, bytes, &size))
		return true;
	struct der serial = without_zeros(&(struct der){bytes, size});
	return crl->serial_count > 0 &&
		bsearch(&serial, crl->serials, crl->serial_count, sizeof(serial), compare_serials);
}

bool
crl_is_newer(const struct crl *crl, const struct crl *other)
{
	const struct der number = {crl->number, crl->number_size};
	const struct der other_number = {other->number, other->number_size};

	if (crl->this_update != other->this_update)
		return crl->this_update > other->this_update;
	return compare_numbers(&number, &other_number) > 0;
}
