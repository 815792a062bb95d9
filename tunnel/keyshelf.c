/* SPDX-License-Identifier: MIT */
#include "tunnel/keyshelf.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/list.h"
#include "tunnel/keyset.h"

/* A set that was replaced. */
struct old {
	struct list link;
	struct keyset *keyset;
	double until;
};

struct keyshelf {
	pthread_mutex_t mutex;
	struct keyset *offered, *present; /* NULL: none */
	struct list old;
};

struct keyshelf *
keyshelf_new(void)
{
	struct keyshelf *keyshelf = calloc(1, sizeof(*keyshelf));

	if (!keyshelf)
		return NULL;
	(void)pthread_mutex_init(&keyshelf->mutex, NULL);
	list_init(&keyshelf->old);
	return keyshelf;
}

static void
drop(struct old *old)
{
	list_remove(&old->link);
	keyset_unref(old->keyset);
	free(old);
}

void
keyshelf_free(struct keyshelf *keyshelf)
{
	struct list *link, *after;

	if (!keyshelf)
		return;
	list_for_each_safe (link, after, &keyshelf->old)
		drop(container_of(link, struct old, link));
	keyset_unref(keyshelf->offered);
	keyset_unref(keyshelf->present);
	(void)pthread_mutex_destroy(&keyshelf->mutex);
	free(keyshelf);
}

void
keyshelf_offer(struct keyshelf *keyshelf, struct keyset *keyset)
{
	(void)pthread_mutex_lock(&keyshelf->mutex);
	struct keyset *before = keyshelf->offered;
	keyshelf->offered = keyset;
	(void)pthread_mutex_unlock(&keyshelf->mutex);
	keyset_unref(before);
}

/* Without memory to remember it, the set is dropped at once; handshakes of this moment may fail. */
static void
retire(struct keyshelf *keyshelf, struct keyset *keyset, double now)
{
	struct old *old = malloc(sizeof(*old));

	if (!old) {
		keyset_unref(keyset);
		return;
	}
	*old = (struct old){.keyset = keyset, .until = now + keyset->keyring.linger};
	list_append(&keyshelf->old, &old->link);
}

void
keyshelf_commit(struct keyshelf *keyshelf, double now)
{
	(void)pthread_mutex_lock(&keyshelf->mutex);
	if (keyshelf->offered) {
		if (keyshelf->present)
			retire(keyshelf, keyshelf->present, now);
		keyshelf->present = keyshelf->offered;
		keyshelf->offered = NULL;
	}
	(void)pthread_mutex_unlock(&keyshelf->mutex);
}

void
keyshelf_retire(struct keyshelf *keyshelf, double now)
{
	(void)pthread_mutex_lock(&keyshelf->mutex);
	keyset_unref(keyshelf->offered);
	if (keyshelf->present)
		retire(keyshelf, keyshelf->present, now);
	keyshelf->offered = keyshelf->present = NULL;
	(void)pthread_mutex_unlock(&keyshelf->mutex);
}

double
keyshelf_tidy(struct keyshelf *keyshelf, double now)
{
	struct list *link, *after;
	double left = -1;

	(void)pthread_mutex_lock(&keyshelf->mutex);
	list_for_each_safe (link, after, &keyshelf->old) {
		struct old *old = container_of(link, struct old, link);
		if (old->until <= now)
			drop(old);
		else if (left < 0 || old->until - now < left)
			left = old->until - now;
	}
	(void)pthread_mutex_unlock(&keyshelf->mutex);
	return left;
}

struct keyset *
keyshelf_present(struct keyshelf *keyshelf)
{
	(void)pthread_mutex_lock(&keyshelf->mutex);
	struct keyset *present = keyshelf->present ? keyset_ref(keyshelf->present) : NULL;
	(void)pthread_mutex_unlock(&keyshelf->mutex);
	return present;
}

static struct keyset *
take_if_there(struct keyset *keyset, const uint8_t *id)
{
	return keyset && keyset_find(keyset, id) ? keyset_ref(keyset) : NULL;
}

struct keyset *
keyshelf_find(struct keyshelf *keyshelf, const uint8_t *id)
{
	struct list *link;

	(void)pthread_mutex_lock(&keyshelf->mutex);
	struct keyset *found = take_if_there(keyshelf->offered, id);
	if (!found)
		found = take_if_there(keyshelf->present, id);
	list_for_each (link, &keyshelf->old) {
		if (found)
			break;
		found = take_if_there(container_of(link, struct old, link)->keyset, id);
	}
	(void)pthread_mutex_unlock(&keyshelf->mutex);
	return found;
}
