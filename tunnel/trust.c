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
	gnutls_x509_trust_list_deinit(trust->list, 1);
	free(trust);
}

static int
compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, FINGERPRINT_SIZE);
}

/* Store the fingerprints of at most @limit anchors in @digests. Returns how many there are. */
static size_t
digest_anchors(const struct trust *trust, uint8_t (*digests)[FINGERPRINT_SIZE], size_t limit)
{
	gnutls_x509_trust_list_iter_t iterator = NULL;
	gnutls_x509_crt_t crt;
	size_t count = 0;

	while (gnutls_x509_trust_list_iter_get_ca(trust->list, &iterator, &crt) == 0) {
		size_t size = FINGERPRINT_SIZE;

		if (count < limit &&
			gnutls_x509_crt_get_fingerprint(
				crt, GNUTLS_DIG_SHA256, digests[count], &size) == 0)
			count++;
		gnutls_x509_crt_deinit(crt);
	}
	return count;
}

/* Returns 0, or -1 without memory. */
static int
fingerprint_anchors(struct trust *trust, size_t count)
{
	uint8_t(*digests)[FINGERPRINT_SIZE] = calloc(count, sizeof(*digests));
	struct fingerprint fingerprint;

	if (!digests)
		return -1;
	count = digest_anchors(trust, digests, count);
	qsort(digests, count, sizeof(*digests), compare_digests);
	fingerprint_start(&fingerprint);
	for (size_t i = 0; i < count; i++)
		fingerprint_add(&fingerprint, digests[i], sizeof(digests[i]));
	fingerprint_end(&fingerprint, trust->fingerprint);
	free(digests);
	return 0;
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
	int count = gnutls_x509_trust_list_add_trust_mem(
		trust->list, &pem, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (count > 0 && fingerprint_anchors(trust, (size_t)count) == 0)
		return trust;
	if (count > 0) {
		diag_set(diag, "out of memory");
	} else {
		diag_set(diag, "%s; give a file of PEM certificates (BEGIN CERTIFICATE)",
			count < 0 ? tls_words(count).text : "there is no certificate in it");
	}
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
