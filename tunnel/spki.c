/* SPDX-License-Identifier: MIT */
#include "tunnel/spki.h"

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/tls_words.h"

int
spki_describe(struct spki *spki, gnutls_pubkey_t key, struct diag *diag)
{
	size_t size = sizeof(spki->id);
	int error = gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, spki->id, &size);
	int kind = gnutls_pubkey_get_pk_algorithm(key, &spki->bits);

	if (error < 0 || kind < 0)
		return diag_set(
			diag, "the public key: %s", tls_words(error < 0 ? error : kind).text);
	spki->kind = (gnutls_pk_algorithm_t)kind;
	return 0;
}

int
spki_of_key(struct spki *spki, gnutls_privkey_t key, struct diag *diag)
{
	gnutls_pubkey_t public;

	if (gnutls_pubkey_init(&public) < 0)
		return diag_set(diag, "out of memory");
	int error = gnutls_pubkey_import_privkey(public, key, 0, 0);
	int result = error < 0 ? diag_set(diag, "%s", tls_words(error).text)
			       : spki_describe(spki, public, diag);
	gnutls_pubkey_deinit(public);
	return result;
}

gnutls_pubkey_t
spki_of_certificate(gnutls_x509_crt_t crt, struct diag *diag)
{
	gnutls_pubkey_t key;

	if (gnutls_pubkey_init(&key) < 0) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	int error = gnutls_pubkey_import_x509(key, crt, 0);
	if (error == 0)
		return key;
	gnutls_pubkey_deinit(key);
	diag_set(diag, "the public key: %s", tls_words(error).text);
	return NULL;
}

gnutls_pubkey_t
spki_of_file(const struct file *file, struct diag *diag)
{
	const gnutls_datum_t pem = {.data = file->data, .size = (unsigned)file->size};
	gnutls_pubkey_t key = NULL;
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	int error = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	if (error < 0)
		diag_set(diag, "%s", tls_words(error).text);
	else
		key = spki_of_certificate(crt, diag);
	gnutls_x509_crt_deinit(crt);
	return key;
}
