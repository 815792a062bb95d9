/* SPDX-License-Identifier: MIT */
#include "tunnel/keyset.h"

#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/pairing.h"
#include "tunnel/tls_words.h"
#include "tunnel/token.h"

static int
import_pem(const struct keyring_field *pem, gnutls_privkey_t *key, struct diag *diag)
{
	const gnutls_datum_t bytes = {.data = pem->bytes, .size = (unsigned)pem->size};

	if (gnutls_privkey_init(key) < 0)
		return diag_set(diag, "out of memory");
	int error = gnutls_privkey_import_x509_raw(*key, &bytes, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (error == 0)
		return 0;
	gnutls_privkey_deinit(*key);
	*key = NULL;
	return diag_set(diag, "%s", tls_words(error).text);
}

/* The strings in a field end with a NUL. */
static int
open_key(const struct keyring_key *from, gnutls_privkey_t *key, struct diag *diag)
{
	const char *pin = from->pin.size > 0 ? (const char *)from->pin.bytes : NULL;

	if (!from->is_token)
		return import_pem(&from->secret, key, diag);
	return token_key((const char *)from->secret.bytes, pin, key, diag);
}

static gnutls_pubkey_t
import_public(const struct keyring_field *der, struct diag *diag)
{
	const gnutls_datum_t bytes = {.data = der->bytes, .size = (unsigned)der->size};
	gnutls_pubkey_t public;

	if (gnutls_pubkey_init(&public) < 0) {
		diag_set(diag, "out of memory");
		return NULL;
	}
	int error = gnutls_pubkey_import(public, &bytes, GNUTLS_X509_FMT_DER);
	if (error == 0)
		return public;
	gnutls_pubkey_deinit(public);
	diag_set(diag, "the public key: %s", tls_words(error).text);
	return NULL;
}

static int
open_pair(const struct keyring_key *from, struct keyset_key *key, struct diag *diag)
{
	gnutls_pubkey_t public = import_public(&from->spki, diag);

	if (!public)
		return -1;
	int result = spki_describe(&key->public, public, diag);
	if (result == 0)
		result = open_key(from, &key->key, diag);
	if (result == 0)
		result = pairing_check(key->key, public, diag);
	gnutls_pubkey_deinit(public);
	return result;
}

static int
by_id(const void *a, const void *b)
{
	const struct keyset_key *left = a, *right = b;

	return memcmp(left->public.id, right->public.id, SPKI_ID_SIZE);
}

static int
fill(struct keyset *keyset, FILE *errors)
{
	int result = 0;

	for (size_t i = 0; i < keyset->keyring.count; i++) {
		struct keyring_key *from = &keyset->keyring.keys[i];
		struct diag diag;

		int opened = open_pair(from, &keyset->keys[keyset->count++], &diag);
		/* GnuTLS has it now; a PIN is asked for again when a token was taken out. */
		if (!from->is_token)
			keyring_clear(&from->secret);
		if (opened == 0)
			continue;
		(void)fprintf(errors, "%s: %s\n", (const char *)from->blame.bytes, diag.text);
		result = -1;
	}
	if (keyset->count > 0)
		qsort(keyset->keys, keyset->count, sizeof(*keyset->keys), by_id);
	return result;
}

struct keyset *
keyset_new(struct keyring *keyring, FILE *errors)
{
	struct keyset *keyset = calloc(1, sizeof(*keyset));
	struct keyset_key *keys = calloc(keyring->count + 1, sizeof(*keys));

	if (!keyset || !keys) {
		(void)fprintf(errors, "out of memory\n");
		keyring_release(keyring);
		free(keyset);
		free(keys);
		return NULL;
	}
	*keyset = (struct keyset){.keys = keys, .keyring = *keyring, .references = 1};
	*keyring = (struct keyring){0};
	if (fill(keyset, errors) == 0)
		return keyset;
	keyset_unref(keyset);
	return NULL;
}

struct keyset *
keyset_ref(struct keyset *keyset)
{
	atomic_fetch_add(&keyset->references, 1);
	return keyset;
}

void
keyset_unref(struct keyset *keyset)
{
	if (!keyset || atomic_fetch_sub(&keyset->references, 1) > 1)
		return;
	for (size_t i = 0; i < keyset->count; i++)
		if (keyset->keys[i].key)
			gnutls_privkey_deinit(keyset->keys[i].key);
	free(keyset->keys);
	keyring_release(&keyset->keyring);
	free(keyset);
}

const struct keyset_key *
keyset_find(const struct keyset *keyset, const uint8_t *id)
{
	struct keyset_key wanted;

	if (keyset->count == 0)
		return NULL;
	memcpy(wanted.public.id, id, SPKI_ID_SIZE);
	return bsearch(&wanted, keyset->keys, keyset->count, sizeof(wanted), by_id);
}
