/* SPDX-License-Identifier: MIT */
#include "tunnel/ciphers.h"

#include <gnutls/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel/aead.h"

enum { KEY_MAX = 32 };

struct cipher {
	struct cipher **holder; /* NULL: free */
	struct aead *aead;
	unsigned char key[KEY_MAX];
	size_t key_size;
};

struct ciphers {
	struct cipher places[CIPHERS_MAX];
	size_t next; /* to be taken; each comes in its turn, free or not */
};

struct ciphers *
ciphers_new(void)
{
	aead_prepare();
	return calloc(1, sizeof(struct ciphers));
}

void
ciphers_free(struct ciphers *ciphers)
{
	for (size_t i = 0; ciphers && i < CIPHERS_MAX; i++)
		if (ciphers->places[i].holder)
			cipher_drop(ciphers->places[i].holder);
	free(ciphers);
}

void
cipher_drop(struct cipher **holder)
{
	struct cipher *cipher = *holder;

	if (!cipher)
		return;
	*holder = NULL;
	aead_free(cipher->aead);
	gnutls_memset(cipher, 0, sizeof(*cipher));
}

static bool
has_key(const struct cipher *cipher, const gnutls_datum_t *key)
{
	return cipher->key_size == key->size &&
		gnutls_memcmp(cipher->key, key->data, key->size) == 0;
}

/* A place of @ciphers that is free, or is made so. */
static struct cipher *
make_place(struct ciphers *ciphers)
{
	struct cipher *place = &ciphers->places[ciphers->next];

	ciphers->next = (ciphers->next + 1) % CIPHERS_MAX;
	if (place->holder)
		cipher_drop(place->holder);
	return place;
}

struct aead *
ciphers_get(struct ciphers *ciphers, struct cipher **holder, gnutls_cipher_algorithm_t algorithm,
	const gnutls_datum_t *key)
{
	if (*holder && has_key(*holder, key))
		return (*holder)->aead;
	cipher_drop(holder);
	if (key->size > KEY_MAX)
		return NULL;

	struct cipher *cipher = make_place(ciphers);

	cipher->aead = aead_new(algorithm, key);
	if (!cipher->aead)
		return NULL;
	memcpy(cipher->key, key->data, key->size);
	cipher->key_size = key->size;
	cipher->holder = holder;
	*holder = cipher;
	return cipher->aead;
}
