/* SPDX-License-Identifier: MIT */
/* The half of main: whatever form certificate and key have, make them one. */
#include "tunnel/identity.h"

#include <gnutls/abstract.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/config.h"
#include "tunnel/keyfile.h"
#include "tunnel/options.h"
#include "tunnel/pairing.h"
#include "tunnel/spki.h"
#include "tunnel/tls_words.h"
#include "tunnel/token.h"

enum { WORD_LIMIT = 1024 };

/* A password or a PIN. */
struct word {
	char text[WORD_LIMIT + 1];
	bool is_there;
};

/* What is known of one identity on the way; the raw contents go nowhere else. */
struct reading {
	const struct tls_config *tls;
	const struct identity_config *identity;
	struct files raw;
	struct word password, pin;
	struct keyfile chain, pair;
	gnutls_privkey_t key;
	const char **blamed;
};

static const char *
text_of(const struct word *word)
{
	return word->is_there ? word->text : NULL;
}

static void
release(struct reading *reading)
{
	if (reading->key)
		gnutls_privkey_deinit(reading->key);
	keyfile_release(&reading->chain);
	keyfile_release(&reading->pair);
	explicit_bzero(&reading->password, sizeof(reading->password));
	explicit_bzero(&reading->pin, sizeof(reading->pin));
	files_release(&reading->raw);
}

static const struct file *
read_raw(struct reading *reading, const char *path, bool is_private, struct diag *diag)
{
	int result = is_private && reading->tls->key_permissions
		? files_read_private(&reading->raw, path, diag)
		: files_read(&reading->raw, path, diag);

	return result < 0 ? NULL : files_find(&reading->raw, path);
}

/* The first line of the file that @option names, into @word, if there is one. */
static int
read_word(struct reading *reading, const char *option, const char *path, struct word *word,
	struct diag *diag)
{
	*reading->blamed = option;
	if (!path)
		return 0;
	const struct file *file = read_raw(reading, path, true, diag);
	if (!file)
		return -1;
	size_t length = strcspn((const char *)file->data, "\r\n");
	if (length > WORD_LIMIT)
		return diag_set(diag, "its first line is longer than %d bytes", WORD_LIMIT);
	if (length < file->size && file->data[length] == '\0')
		return diag_set(diag, "there is a NUL in its first line");
	memcpy(word->text, file->data, length);
	word->is_there = true;
	return 0;
}

/* Where certificate and key are in one file, that is judged as the key that it is. */
static int
read_chain(struct reading *reading, struct diag *diag)
{
	const char *cert = reading->identity->cert;
	bool is_private = strcmp(cert, reading->identity->key) == 0;
	struct keyfile *chain = &reading->chain;

	*reading->blamed = "cert";
	if (option_is_token(cert)) {
		if (token_check_url(cert, diag) < 0)
			return -1;
		return token_certificates(
			cert, text_of(&reading->pin), &chain->crts, &chain->count, diag);
	}
	if (is_private)
		*reading->blamed = "key";
	const struct file *file = read_raw(reading, cert, is_private, diag);
	if (!file)
		return -1;
	*reading->blamed = "cert";
	return keyfile_certificates(chain, file, text_of(&reading->password), diag);
}

static int
open_key(struct reading *reading, struct diag *diag)
{
	const char *path = reading->identity->key;
	struct keyfile *pair = &reading->pair;

	if (option_is_token(path)) {
		if (token_check_url(path, diag) < 0)
			return -1;
		return token_key(path, text_of(&reading->pin), &reading->key, diag);
	}
	const struct file *file = read_raw(reading, path, true, diag);
	if (!file)
		return -1;
	if (keyfile_key(pair, file, text_of(&reading->password), diag) < 0)
		return -1;
	if (gnutls_privkey_init(&reading->key) < 0 ||
		gnutls_privkey_import_x509(reading->key, pair->key, 0) < 0)
		return diag_set(diag, "out of memory");
	return 0;
}

static int
check_pair(const struct reading *reading, struct diag *diag)
{
	gnutls_pubkey_t public = spki_of_certificate(reading->chain.crts[0], diag);

	if (!public)
		return -1;
	int result = pairing_check(reading->key, public, diag);
	gnutls_pubkey_deinit(public);
	return result < 0 ? diag_prefix(diag, "beside \"%s\"", reading->identity->cert) : 0;
}

static int
write_certificate(FILE *stream, gnutls_x509_crt_t crt)
{
	gnutls_datum_t pem;

	if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) < 0)
		return -1;
	size_t written = fwrite(pem.data, 1, pem.size, stream);
	int result = written == pem.size ? 0 : -1;
	gnutls_free(pem.data);
	return result;
}

static int
put_chain(const struct reading *reading, struct files *files, struct diag *diag)
{
	char *pem = NULL;
	size_t size = 0;
	int failed = 0;
	FILE *stream = open_memstream(&pem, &size);

	for (unsigned i = 0; i < reading->chain.count && stream; i++)
		failed |= write_certificate(stream, reading->chain.crts[i]);
	if (!stream || fclose(stream) != 0 || failed)
		failed = diag_set(diag, "the certificates cannot be written as PEM");
	else
		failed = files_put(files, reading->identity->cert, pem, size, diag);
	free(pem);
	return failed;
}

static int
put_key(const struct reading *reading, struct files *files, struct diag *diag)
{
	char *name = identity_key_name(reading->identity);
	const char *pin = reading->pin.text;
	gnutls_datum_t pem = {NULL, 0};
	int result;

	if (!name)
		return diag_set(diag, "out of memory");
	if (option_is_token(reading->identity->key)) {
		result = files_put(files, name, pin, strlen(pin), diag);
	} else {
		int error = gnutls_x509_privkey_export2_pkcs8(
			reading->pair.key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem);
		result = error < 0 ? diag_set(diag, "%s", tls_words(error).text)
				   : files_put(files, name, pem.data, pem.size, diag);
	}
	if (pem.data)
		explicit_bzero(pem.data, pem.size);
	gnutls_free(pem.data);
	free(name);
	return result;
}

static int
read_all(struct reading *reading, struct files *files, struct diag *diag)
{
	const struct tls_config *tls = reading->tls;

	if (read_word(reading, "password-file", tls->password_file, &reading->password, diag) < 0 ||
		read_word(reading, "pin-source", tls->pin_source, &reading->pin, diag) < 0 ||
		read_chain(reading, diag) < 0)
		return -1;
	*reading->blamed = "key";
	if (open_key(reading, diag) < 0 || check_pair(reading, diag) < 0)
		return -1;
	if (put_chain(reading, files, diag) < 0)
		return -1;
	return put_key(reading, files, diag);
}

int
identity_read(struct files *files, const struct tls_config *tls, size_t index, const char **blamed,
	struct diag *diag)
{
	struct reading reading = {
		.tls = tls, .identity = &tls->identities[index], .blamed = blamed};
	int result = read_all(&reading, files, diag);

	release(&reading);
	return result;
}
