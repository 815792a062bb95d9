/* SPDX-License-Identifier: MIT */
#include "tunnel/keyfile.h"

#include <gnutls/pkcs12.h>
#include <stdbool.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/tls_words.h"

static gnutls_datum_t
bytes_of(const struct file *file)
{
	return (gnutls_datum_t){.data = file->data, .size = (unsigned)file->size};
}

static bool
is_pem(const struct file *file)
{
	return memmem(file->data, file->size, "-----BEGIN ", strlen("-----BEGIN ")) != NULL;
}

static void
free_certificates(gnutls_x509_crt_t *crts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(crts[i]);
	gnutls_free(crts);
}

/* Put @more certificates behind those that @keyfile has. Takes them over on success. */
static int
append(struct keyfile *keyfile, gnutls_x509_crt_t *crts, unsigned more, struct diag *diag)
{
	size_t count = (size_t)keyfile->count + more;
	gnutls_x509_crt_t *grown = gnutls_realloc(keyfile->crts, count * sizeof(gnutls_x509_crt_t));

	if (!grown)
		return diag_set(diag, "out of memory");
	memcpy(grown + keyfile->count, crts, more * sizeof(gnutls_x509_crt_t));
	keyfile->crts = grown;
	keyfile->count += more;
	gnutls_free(crts);
	return 0;
}

/* The password with which @p12 is sealed. The empty one has two forms there. */
static int
find_password(gnutls_pkcs12_t p12, const char **password, struct diag *diag)
{
	bool given = *password && **password;

	if (given && gnutls_pkcs12_verify_mac(p12, *password) == 0)
		return 0;
	if (given)
		return diag_set(diag, "the password does not fit the PKCS#12 file");
	if (gnutls_pkcs12_verify_mac(p12, "") == 0) {
		*password = "";
		return 0;
	}
	if (gnutls_pkcs12_verify_mac(p12, NULL) == 0) {
		*password = NULL;
		return 0;
	}
	return diag_set(diag,
		*password ? "the PKCS#12 file has not the empty password"
			  : "the PKCS#12 file has a password: write password-file");
}

static int
parse_pkcs12(struct keyfile *keyfile, gnutls_pkcs12_t p12, const char *password, struct diag *diag)
{
	gnutls_x509_crt_t *extra = NULL;
	unsigned extra_count = 0;

	if (find_password(p12, &password, diag) < 0)
		return -1;
	int error = gnutls_pkcs12_simple_parse(p12, password, &keyfile->key, &keyfile->crts,
		&keyfile->count, &extra, &extra_count, NULL, 0);
	if (error < 0)
		return diag_set(diag, "the PKCS#12 file: %s", tls_words(error).text);
	if (extra_count > 0 && append(keyfile, extra, extra_count, diag) < 0) {
		free_certificates(extra, extra_count);
		return -1;
	}
	return 0;
}

/* Everything that is in a file that is not PEM. */
static int
read_pkcs12(
	struct keyfile *keyfile, const struct file *file, const char *password, struct diag *diag)
{
	const gnutls_datum_t bytes = bytes_of(file);
	gnutls_pkcs12_t p12;

	if (gnutls_pkcs12_init(&p12) < 0)
		return diag_set(diag, "out of memory");
	int error = gnutls_pkcs12_import(p12, &bytes, GNUTLS_X509_FMT_DER, 0);
	int result = error < 0
		? diag_set(diag, "it is neither PEM (\"-----BEGIN ...\") nor PKCS#12")
		: parse_pkcs12(keyfile, p12, password, diag);
	gnutls_pkcs12_deinit(p12);
	if (result < 0)
		keyfile_release(keyfile);
	return result;
}

static int
explain_key(int error, const char *password, struct diag *diag)
{
	switch (error) {
	case GNUTLS_E_DECRYPTION_FAILED:
	case GNUTLS_E_MAC_VERIFY_FAILED:
		if (password)
			return diag_set(diag, "the password does not fit the key");
		return diag_set(diag, "the key is encrypted: write password-file");
	case GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR:
	case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
		return diag_set(diag, "there is no private key in it (\"-----BEGIN PRIVATE KEY\")");
	default:
		return diag_set(
			diag, "%s; give the private key as PEM or PKCS#12", tls_words(error).text);
	}
}

int
keyfile_certificates(
	struct keyfile *keyfile, const struct file *file, const char *password, struct diag *diag)
{
	const gnutls_datum_t bytes = bytes_of(file);

	if (!is_pem(file)) {
		if (read_pkcs12(keyfile, file, password, diag) < 0)
			return -1;
		if (keyfile->count > 0)
			return 0;
		keyfile_release(keyfile);
		return diag_set(diag, "there is no certificate in the PKCS#12 file");
	}
	int error = gnutls_x509_crt_list_import2(
		&keyfile->crts, &keyfile->count, &bytes, GNUTLS_X509_FMT_PEM, 0);
	if (error >= 0)
		return 0;
	*keyfile = (struct keyfile){0};
	return diag_set(diag, "%s; give the certificate and its intermediates as PEM or PKCS#12",
		tls_words(error).text);
}

int
keyfile_key(
	struct keyfile *keyfile, const struct file *file, const char *password, struct diag *diag)
{
	const gnutls_datum_t bytes = bytes_of(file);

	if (!is_pem(file)) {
		if (read_pkcs12(keyfile, file, password, diag) < 0)
			return -1;
		if (keyfile->key)
			return 0;
		keyfile_release(keyfile);
		return diag_set(diag, "there is no private key in the PKCS#12 file");
	}
	if (gnutls_x509_privkey_init(&keyfile->key) < 0)
		return diag_set(diag, "out of memory");
	int error =
		gnutls_x509_privkey_import2(keyfile->key, &bytes, GNUTLS_X509_FMT_PEM, password, 0);
	if (error == 0)
		return 0;
	keyfile_release(keyfile);
	return explain_key(error, password, diag);
}

void
keyfile_release(struct keyfile *keyfile)
{
	free_certificates(keyfile->crts, keyfile->count);
	if (keyfile->key)
		gnutls_x509_privkey_deinit(keyfile->key);
	*keyfile = (struct keyfile){0};
}
