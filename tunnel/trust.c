/* SPDX-License-Identifier: MIT */
#include "tunnel/trust.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/tls_words.h"

static struct trust *
trust_ref(struct trust *trust)
{
	atomic_fetch_add(&trust->references, 1);
	return trust;
}

void
trust_unref(struct trust *trust)
{
	if (!trust || atomic_fetch_sub(&trust->references, 1) > 1)
		return;
	gnutls_x509_trust_list_deinit(trust->list, 0);
	for (unsigned i = 0; i < trust->anchor_count; i++)
		gnutls_x509_crt_deinit(trust->anchors[i]);
	gnutls_free(trust->anchors);
	free(trust);
}

static int
compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, FINGERPRINT_SIZE);
}

/* Returns 0, or an error of GnuTLS's. */
static int
fingerprint_anchors(struct trust *trust)
{
	uint8_t(*digests)[FINGERPRINT_SIZE] = calloc(trust->anchor_count, sizeof(*digests));
	struct fingerprint fingerprint;
	int ret = digests ? 0 : GNUTLS_E_MEMORY_ERROR;

	for (unsigned i = 0; ret == 0 && i < trust->anchor_count; i++) {
		size_t size = FINGERPRINT_SIZE;

		ret = gnutls_x509_crt_get_fingerprint(
			trust->anchors[i], GNUTLS_DIG_SHA256, digests[i], &size);
	}
	if (ret == 0) {
		qsort(digests, trust->anchor_count, sizeof(*digests), compare_digests);
		fingerprint_start(&fingerprint);
		fingerprint_add(&fingerprint, digests, trust->anchor_count * sizeof(*digests));
		fingerprint_end(&fingerprint, trust->fingerprint);
	}
	free(digests);
	return ret;
}

/* Returns 0, or an error of GnuTLS's. */
static int
add_anchors(struct trust *trust, const gnutls_datum_t *pem)
{
	gnutls_x509_crt_t *anchors;
	unsigned count;
	int ret = gnutls_x509_crt_list_import2(&anchors, &count, pem, GNUTLS_X509_FMT_PEM, 0);

	if (ret < 0)
		return ret;
	trust->anchors = anchors;
	trust->anchor_count = count;
	if (gnutls_x509_trust_list_add_cas(trust->list, anchors, count, 0) != (int)count)
		return GNUTLS_E_MEMORY_ERROR;
	return fingerprint_anchors(trust);
}

static struct trust *
trust_new(const struct file *file, struct diag *diag)
{
	const gnutls_datum_t pem = {.data = file->data, .size = (unsigned)file->size};
	struct trust *trust = calloc(1, sizeof(*trust));

	if (!trust || gnutls_x509_trust_list_init(&trust->list, 0)) {
		free(trust);
		diag_set(diag, "out of memory");
		return NULL;
	}
	trust->references = 1;
	trust->bytes = file->data;
	int ret = add_anchors(trust, &pem);
	if (ret == 0)
		return trust;
	diag_set(diag, "%s%s", tls_words(ret).text,
		ret == GNUTLS_E_MEMORY_ERROR
			? ""
			: "; give a file of PEM certificates (BEGIN CERTIFICATE)");
	trust_unref(trust);
	return NULL;
}

static int
remember(struct trusts *trusts, struct trust *trust)
{
	struct trust **entries =
		reallocarray(trusts->entries, trusts->count + 1, sizeof(struct trust *));

	if (!entries)
		return -1;
	trusts->entries = entries;
	entries[trusts->count++] = trust;
	return 0;
}

struct trust *
trust_get(struct trusts *trusts, const struct file *file, struct diag *diag)
{
	for (size_t i = 0; i < trusts->count; i++) {
		if (trusts->entries[i]->bytes == file->data)
			return trust_ref(trusts->entries[i]);
	}
	struct trust *trust = trust_new(file, diag);
	if (!trust)
		return NULL;
	if (remember(trusts, trust)) {
		trust_unref(trust);
		diag_set(diag, "out of memory");
		return NULL;
	}
	return trust_ref(trust);
}

void
trusts_release(struct trusts *trusts)
{
	for (size_t i = 0; i < trusts->count; i++)
		trust_unref(trusts->entries[i]);
	free(trusts->entries);
	*trusts = (struct trusts){0};
}
