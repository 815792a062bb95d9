/* SPDX-License-Identifier: MIT */
#include "tunnel/keyset.h"

#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/pairing.h"
#include "tunnel/rsa.h"
#include "tunnel/tls_words.h"
#include "tunnel/token.h"

static int
import_pem(const struct keyring_field *pem, gnutls_pk_algorithm_t kind, gnutls_privkey_t *key,
	struct diag *diag)
{
	const gnutls_datum_t bytes = {.data = pem->bytes, .size = (unsigned)pem->size};

	if (rsa_key(&bytes, kind, key, diag) < 0)
		return -1;
	if (*key)
		return 0;
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
open_key(const struct keyring_key *from, struct keyset_key *key, struct diag *diag)
{
	const char *pin = from->pin.size > 0 ? (const char *)from->pin.bytes : NULL;

	if (!from->is_token)
		return import_pem(&from->secret, key->public.kind, &key->key, diag);
	return token_key((const char *)from->secret.bytes, pin, &key->key, diag);
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

static void
unref_key(struct keyset_key *key)
{
	if (atomic_fetch_sub(&key->references, 1) > 1)
		return;
	if (key->key)
		gnutls_privkey_deinit(key->key);
	free(key);
}

static int
by_id(const void *a, const void *b)
{
	const struct keyset_key *const *left = a, *const *right = b;

	return memcmp((*left)->public.id, (*right)->public.id, SPKI_ID_SIZE);
}

static struct keyset_key *
find(const struct keyset *keyset, const uint8_t *id)
{
	struct keyset_key wanted;
	const struct keyset_key *sought = &wanted;

	if (keyset->count == 0)
		return NULL;
	memcpy(wanted.public.id, id, SPKI_ID_SIZE);
	struct keyset_key *const *found =
		bsearch(&sought, keyset->keys, keyset->count, sizeof(struct keyset_key *), by_id);
	return found ? *found : NULL;
}

/*
 * The key that @before has for the same public one, proved when it was opened. What is secret follows from
 * what is public, so it is the same whatever bytes it came in. A token is another matter: it may have been
 * taken out, or have another PIN.
 */
static struct keyset_key *
take_over(const struct keyset *before, const struct keyring_key *from, const struct spki *public)
{
	struct keyset_key *key = before && !from->is_token ? find(before, public->id) : NULL;

	if (!key || key->is_token)
		return NULL;
	atomic_fetch_add(&key->references, 1);
	return key;
}

static struct keyset_key *
open_new(const struct keyring_key *from, gnutls_pubkey_t public, const struct spki *spki,
	struct diag *diag)
{
	struct keyset_key *key = calloc(1, sizeof(*key));

	if (!key) {
		(void)diag_set(diag, "out of memory");
		return NULL;
	}
	*key = (struct keyset_key){.public = *spki, .is_token = from->is_token, .references = 1};
	if (open_key(from, key, diag) == 0 && pairing_check(key->key, public, diag) == 0)
		return key;
	unref_key(key);
	return NULL;
}

static struct keyset_key *
open_pair(const struct keyring_key *from, const struct keyset *before, struct diag *diag)
{
	gnutls_pubkey_t public = import_public(&from->spki, diag);
	struct keyset_key *key = NULL;
	struct spki spki;

	if (public && spki_describe(&spki, public, diag) == 0) {
		key = take_over(before, from, &spki);
		if (!key)
			key = open_new(from, public, &spki, diag);
	}
	if (public)
		gnutls_pubkey_deinit(public);
	return key;
}

static int
fill(struct keyset *keyset, const struct keyset *before, FILE *errors)
{
	int result = 0;

	for (size_t i = 0; i < keyset->keyring.count; i++) {
		struct keyring_key *from = &keyset->keyring.keys[i];
		struct diag diag;

		struct keyset_key *key = open_pair(from, before, &diag);
		/* Whoever signs with it has it now; a PIN is asked for again when a token was taken out. */
		if (!from->is_token)
			keyring_clear(&from->secret);
		if (key) {
			keyset->keys[keyset->count++] = key;
			continue;
		}
		(void)fprintf(errors, "%s: %s\n", (const char *)from->blame.bytes, diag.text);
		result = -1;
	}
	if (keyset->count > 0)
		qsort(keyset->keys, keyset->count, sizeof(struct keyset_key *), by_id);
	return result;
}

struct keyset *
keyset_new(struct keyring *keyring, const struct keyset *before, FILE *errors)
{
	struct keyset *keyset = calloc(1, sizeof(*keyset));
	struct keyset_key **keys = calloc(keyring->count + 1, sizeof(struct keyset_key *));

	if (!keyset || !keys) {
		(void)fprintf(errors, "out of memory\n");
		keyring_release(keyring);
		free(keyset);
		free(keys);
		return NULL;
	}
	*keyset = (struct keyset){.keys = keys, .keyring = *keyring, .references = 1};
	*keyring = (struct keyring){0};
	if (fill(keyset, before, errors) == 0)
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
		unref_key(keyset->keys[i]);
	free(keyset->keys);
	keyring_release(&keyset->keyring);
	free(keyset);
}

const struct keyset_key *
keyset_find(const struct keyset *keyset, const uint8_t *id)
{
	return find(keyset, id);
}
