/* SPDX-License-Identifier: MIT */
#include "tunnel/ciphers.h"

#include <gnutls/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/list.h"
#include "tunnel/aead.h"

enum { KEY_MAX = 32, NUMBER_SIZE = 8 };

static const double sweep_period = 1;

struct cipher {
	struct list link;
	struct ciphers *ciphers;
	struct cipher **holder;
	struct aead *aead;
	bool used; /* since the last sweep */
	uint8_t iv[AEAD_NONCE];
	uint8_t key[KEY_MAX];
	size_t key_size;
};

struct ciphers {
	struct ev_loop *ev;
	struct list held; /* the oldest first */
	size_t count;
	struct ev_timer sweep; /* while there are any */
};

static struct cipher *
cipher_at(struct list *link)
{
	return container_of(link, struct cipher, link);
}

/* Drop what nobody has used since the last time. */
static void
on_sweep(struct ev_loop *ev, struct ev_timer *timer, int events)
{
	struct ciphers *ciphers = container_of(timer, struct ciphers, sweep);
	struct list *link, *after;

	(void)events;
	list_for_each_safe (link, after, &ciphers->held) {
		struct cipher *cipher = cipher_at(link);

		if (!cipher->used)
			cipher_drop(cipher->holder);
		else
			cipher->used = false;
	}
	if (ciphers->count == 0)
		ev_timer_stop(ev, timer);
}

struct ciphers *
ciphers_new(struct ev_loop *ev)
{
	struct ciphers *ciphers = calloc(1, sizeof(*ciphers));

	if (!ciphers)
		return NULL;
	aead_prepare();
	ciphers->ev = ev;
	list_init(&ciphers->held);
	ev_timer_init(&ciphers->sweep, on_sweep, sweep_period, sweep_period);
	return ciphers;
}

void
ciphers_free(struct ciphers *ciphers)
{
	if (!ciphers)
		return;
	while (ciphers->count > 0)
		cipher_drop(cipher_at(ciphers->held.next)->holder);
	ev_timer_stop(ciphers->ev, &ciphers->sweep);
	free(ciphers);
}

void
cipher_drop(struct cipher **holder)
{
	struct cipher *cipher = *holder;

	if (!cipher)
		return;
	*holder = NULL;
	list_remove(&cipher->link);
	cipher->ciphers->count--;
	aead_free(cipher->aead);
	gnutls_memset(cipher, 0, sizeof(*cipher));
	free(cipher);
}

static bool
has_key(const struct cipher *cipher, const gnutls_datum_t *key)
{
	return cipher->key_size == key->size &&
		gnutls_memcmp(cipher->key, key->data, key->size) == 0;
}

/* NULL: it cannot be made. */
static struct cipher *
cipher_new(const struct cipher_secret *secret)
{
	struct cipher *cipher;

	if (secret->key.size > KEY_MAX || secret->iv.size != AEAD_NONCE)
		return NULL;
	cipher = calloc(1, sizeof(*cipher));
	if (!cipher)
		return NULL;
	cipher->aead = aead_new(secret->algorithm, &secret->key);
	if (!cipher->aead) {
		free(cipher);
		return NULL;
	}
	memcpy(cipher->iv, secret->iv.data, AEAD_NONCE);
	memcpy(cipher->key, secret->key.data, secret->key.size);
	cipher->key_size = secret->key.size;
	return cipher;
}

int
ciphers_hold(struct ciphers *ciphers, struct cipher **holder, const struct cipher_secret *secret)
{
	if (*holder && has_key(*holder, &secret->key))
		return 0;
	cipher_drop(holder);

	struct cipher *cipher = cipher_new(secret);

	if (!cipher)
		return -1;
	if (ciphers->count == CIPHERS_MAX)
		cipher_drop(cipher_at(ciphers->held.next)->holder);
	list_append(&ciphers->held, &cipher->link);
	ciphers->count++;
	cipher->ciphers = ciphers;
	cipher->holder = holder;
	*holder = cipher;
	if (!ev_is_active(&ciphers->sweep))
		ev_timer_again(ciphers->ev, &ciphers->sweep);
	return 0;
}

const struct aead *
cipher_use(struct cipher *cipher, uint64_t number, uint8_t *nonce)
{
	cipher->used = true;
	memcpy(nonce, cipher->iv, AEAD_NONCE);
	for (size_t i = 0; i < NUMBER_SIZE; i++, number >>= 8)
		nonce[AEAD_NONCE - 1 - i] ^= (uint8_t)number;
	return cipher->aead;
}
