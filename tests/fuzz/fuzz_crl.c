/* SPDX-License-Identifier: MIT */
/*
 * fuzz_crl.c - files of revocation lists, in PEM, in DER and in neither.
 *
 * A file is taken only if every object in it is a list that parses, and a list that parses is sorted and points
 * into its own bytes. Who is on it is found, and who is not is not.
 */
#include <assert.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/crl.h"
#include "tunnel/encoded.h"
#include "tunnel/revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_within(const struct crl *crl, size_t size, const struct der *part)
{
	return part->at >= crl->bytes && part->size <= size &&
		(size_t)(part->at - crl->bytes) <= size - part->size;
}

static void
try_serial(const struct crl *crl, const struct der *serial)
{
	gnutls_x509_crt_t crt;

	assert(gnutls_x509_crt_init(&crt) == 0);
	if (serial->size > 0 && gnutls_x509_crt_set_serial(crt, serial->at, serial->size) == 0)
		assert(crl_has(crl, crt));
	gnutls_x509_crt_deinit(crt);
}

static void
try_list(const struct crl *crl, size_t size)
{
	assert(is_within(crl, size, &crl->issuer) && is_within(crl, size, &crl->signed_part));
	assert(memchr(crl->issuer_words, '\0', sizeof(crl->issuer_words)));
	for (size_t i = 0; i < crl->serial_count; i++) {
		const struct der *serial = &crl->serials[i];

		assert(is_within(crl, size, serial));
		assert(serial->size == 0 || serial->at[0] != 0);
		assert(i == 0 || serial[-1].size <= serial->size);
		try_serial(crl, serial);
	}
}

/* How many lists are in the file; -1 if there is anything else. */
static int
count_lists(const struct file *file)
{
	struct der rest = {file->data, file->size};
	struct diag diag = {""};
	gnutls_datum_t der;
	int count = 0, ret;

	while ((ret = encoded_take(&rest, "X509 CRL", &der, &diag)) > 0) {
		struct crl crl = {0};

		if (crl_parse(&crl, &(struct der){der.data, der.size}, &diag) == 0) {
			try_list(&crl, der.size);
			count++;
		} else {
			ret = -1;
		}
		crl_release(&crl);
		gnutls_free(der.data);
		if (ret < 0)
			break;
	}
	assert(ret == 0 || diag.text[0]);
	return ret < 0 ? -1 : count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct revocations revocations = {0};
	struct files files = {0};
	struct diag diag = {""};

	assert(files_add(&files, "lists", data, size, &diag) == 0);
	const struct file *file = files_find(&files, "lists");
	int count = count_lists(file);
	struct revocation *revocation = revocation_get(&revocations, file, &diag);
	assert(revocation ? count > 0 : diag.text[0] != '\0');
	revocation_unref(revocation);
	revocations_release(&revocations);
	files_release(&files);
	return 0;
}
