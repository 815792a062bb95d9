/* SPDX-License-Identifier: MIT */
#include "tunnel/revocation.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/crl.h"
#include "tunnel/encoded.h"

enum { FINGERPRINT_SIZE = 32, SIGNERS = 4 };

/* Whether a list was signed with the key of a certificate, which does not change. */
struct signer {
	uint8_t fingerprint[FINGERPRINT_SIZE];
	bool has_signed;
};

/* One list, with the issuers that were asked for last. */
struct list {
	struct crl crl;
	struct signer signers[SIGNERS];
	unsigned asked; /* how often; all of @signers are used from SIGNERS on */
};

struct revocation {
	struct list *lists;
	size_t count;
	const unsigned char *bytes; /* of the file that it was made of, for struct revocations */
	pthread_mutex_t lock;	    /* of what lists know about signers */
	_Atomic unsigned references;
};

static void
release(struct revocation *revocation)
{
	for (size_t i = 0; i < revocation->count; i++)
		crl_release(&revocation->lists[i].crl);
	free(revocation->lists);
	(void)pthread_mutex_destroy(&revocation->lock);
	free(revocation);
}

static int
add_list(struct revocation *revocation, const struct der *der, struct diag *diag)
{
	struct list *lists = reallocarray(revocation->lists, revocation->count + 1, sizeof(*lists));

	if (!lists)
		return diag_set(diag, "out of memory");
	revocation->lists = lists;
	lists[revocation->count] = (struct list){0};

	return crl_parse(&lists[revocation->count++].crl, der, diag);
}

/* Every byte must be a list's: one that was silently left out would let the revoked pass. */
static int
add_lists(struct revocation *revocation, const struct file *file, struct diag *diag)
{
	struct der rest = {file->data, file->size};
	int ret = 1;

	while (ret > 0) {
		size_t offset = file->size - rest.size, number = revocation->count + 1;
		gnutls_datum_t der = {NULL, 0};

		ret = encoded_take(&rest, "X509 CRL", &der, diag);
		if (ret > 0 && add_list(revocation, &(struct der){der.data, der.size}, diag))
			ret = -1;
		gnutls_free(der.data);
		if (ret < 0)
			return diag_prefix(
				diag, "revocation list %zu, at byte %zu", number, offset);
	}
	if (revocation->count > 0)
		return 0;
	return diag_set(
		diag, "there is no revocation list in it; give lists in PEM (BEGIN X509 CRL)");
}

static struct revocation *
revocation_new(const struct file *file, struct diag *diag)
{
	struct revocation *revocation = calloc(1, sizeof(*revocation));

	if (!revocation) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	(void)pthread_mutex_init(&revocation->lock, NULL);
	revocation->references = 1;
	revocation->bytes = file->data;
	if (add_lists(revocation, file, diag) == 0)
		return revocation;
	release(revocation);
	return NULL;
}

static struct revocation *
revocation_ref(struct revocation *revocation)
{
	atomic_fetch_add(&revocation->references, 1);
	return revocation;
}

void
revocation_unref(struct revocation *revocation)
{
	if (revocation && atomic_fetch_sub(&revocation->references, 1) == 1)
		release(revocation);
}

static int
remember(struct revocations *revocations, struct revocation *revocation)
{
	struct revocation **entries = reallocarray(
		revocations->entries, revocations->count + 1, sizeof(struct revocation *));

	if (!entries)
		return -1;
	revocations->entries = entries;
	entries[revocations->count++] = revocation;
	return 0;
}

struct revocation *
revocation_get(struct revocations *revocations, const struct file *file, struct diag *diag)
{
	for (size_t i = 0; i < revocations->count; i++) {
		if (revocations->entries[i]->bytes == file->data)
			return revocation_ref(revocations->entries[i]);
	}
	struct revocation *revocation = revocation_new(file, diag);
	if (!revocation)
		return NULL;
	if (remember(revocations, revocation)) {
		revocation_unref(revocation);
		diag_set(diag, "out of memory");
		return NULL;
	}
	return revocation_ref(revocation);
}

void
revocations_release(struct revocations *revocations)
{
	for (size_t i = 0; i < revocations->count; i++)
		revocation_unref(revocations->entries[i]);
	free(revocations->entries);
	*revocations = (struct revocations){0};
}

/* What is known about @list and the issuer of @fingerprint. Returns false if it is not known. */
static bool
knows(const struct list *list, const uint8_t *fingerprint, bool *has_signed)
{
	unsigned count = list->asked < SIGNERS ? list->asked : SIGNERS;

	for (unsigned i = 0; i < count; i++) {
		const struct signer *signer = &list->signers[i];

		if (memcmp(signer->fingerprint, fingerprint, FINGERPRINT_SIZE) == 0) {
			*has_signed = signer->has_signed;
			return true;
		}
	}
	return false;
}

/* Not GnuTLS's own function, which encodes the certificate anew each time. */
static int
take_fingerprint(gnutls_x509_crt_t crt, uint8_t *fingerprint)
{
	gnutls_datum_t der;
	int error = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);

	if (error)
		return error;
	error = gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, fingerprint);
	gnutls_free(der.data);
	return error;
}

/* Was @list signed with the key of @issuer? Found out once: a long list takes long to hash. */
static bool
is_signed(struct revocation *revocation, struct list *list, gnutls_x509_crt_t issuer)
{
	struct signer signer;

	if (take_fingerprint(issuer, signer.fingerprint))
		return false;
	(void)pthread_mutex_lock(&revocation->lock);
	bool known = knows(list, signer.fingerprint, &signer.has_signed);
	(void)pthread_mutex_unlock(&revocation->lock);
	if (known)
		return signer.has_signed;

	signer.has_signed = crl_verify(&list->crl, issuer);
	(void)pthread_mutex_lock(&revocation->lock);
	list->signers[list->asked++ % SIGNERS] = signer;
	(void)pthread_mutex_unlock(&revocation->lock);
	return signer.has_signed;
}

/*
 * The newest list that @issuer has signed, or NULL. @named says whether there was one in its name at all:
 * an authority that has changed its key may have one of each.
 */
static const struct crl *
newest_of(struct revocation *revocation, gnutls_x509_crt_t issuer, bool *named)
{
	const struct crl *newest = NULL;
	gnutls_datum_t dn;

	*named = true;
	if (gnutls_x509_crt_get_raw_dn(issuer, &dn))
		return NULL;
	*named = false;
	for (size_t i = 0; i < revocation->count; i++) {
		struct list *list = &revocation->lists[i];

		if (!crl_names(&list->crl, &dn))
			continue;
		*named = true;
		if ((!newest || crl_is_newer(&list->crl, newest)) &&
			is_signed(revocation, list, issuer))
			newest = &list->crl;
	}
	gnutls_free(dn.data);
	return newest;
}

/* An issuer without the extension may use its key for everything (RFC 5280 section 4.2.1.3). */
static bool
may_sign_lists(gnutls_x509_crt_t issuer)
{
	unsigned usage = 0, critical;
	int error = gnutls_x509_crt_get_key_usage(issuer, &usage, &critical);

	if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return true;
	return error == 0 && (usage & GNUTLS_KEY_CRL_SIGN);
}

/* What is to be said without a list: that nobody gave it, or that it is not what it says. */
static struct verdict
judge_missing(bool named, enum crl_missing missing)
{
	if (named)
		return verdict_bad(GNUTLS_A_CERTIFICATE_UNKNOWN,
			"the revocation list of an issuer was not signed by it");
	if (missing == CRL_MISSING_ACCEPT)
		return verdict_good;
	return verdict_bad(GNUTLS_A_CERTIFICATE_UNKNOWN,
		"there is no revocation list of an issuer of the certificate");
}

static struct verdict
judge_one(struct revocation *revocation, gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer,
	enum crl_missing missing, time_t now)
{
	bool named;
	const struct crl *crl = newest_of(revocation, issuer, &named);

	if (!crl)
		return judge_missing(named, missing);
	if (!may_sign_lists(issuer))
		return verdict_bad(GNUTLS_A_CERTIFICATE_UNKNOWN,
			"an issuer of the certificate may not sign revocation lists");
	if (crl_has(crl, crt))
		return verdict_of_status(GNUTLS_CERT_REVOKED);
	if (crl->next_update < now)
		return verdict_of_status(GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED);
	if (crl->this_update > now)
		return verdict_of_status(GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE);
	return verdict_good;
}

struct verdict
revocation_judge(struct revocation *revocation, const gnutls_x509_crt_t *path, size_t count,
	enum crl_missing missing, time_t now)
{
	struct verdict verdict = verdict_good;

	for (size_t i = 0; i + 1 < count && verdict.good; i++)
		verdict = judge_one(revocation, path[i], path[i + 1], missing, now);
	return verdict;
}
