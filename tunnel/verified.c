/* SPDX-License-Identifier: MIT */
#include "tunnel/verified.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tunnel/acquaintance.h"

struct entry {
	struct verified_key key;
	struct acquaintance *acquaintance; /* NULL: empty */
	time_t since, until;		   /* both inclusive */
};

struct verified {
	pthread_mutex_t lock;
	struct entry *entries; /* NULL until the first is added */
};

struct verified_key
verified_key_of(const gnutls_datum_t *certificates, unsigned count, const char *name)
{
	struct fingerprint fingerprint;
	struct verified_key key;

	fingerprint_start(&fingerprint);
	fingerprint_add_text(&fingerprint, name);
	for (unsigned i = 0; i < count; i++)
		fingerprint_add(&fingerprint, certificates[i].data, certificates[i].size);
	fingerprint_end(&fingerprint, key.bytes);
	return key;
}

/* Where @key stands if it is there; another key in its place is forgotten. */
static struct entry *
entry_of(struct verified *verified, const struct verified_key *key)
{
	uint32_t place;

	memcpy(&place, key->bytes, sizeof(place));
	return &verified->entries[place % VERIFIED_LIMIT];
}

struct verified *
verified_new(void)
{
	struct verified *verified = calloc(1, sizeof(*verified));

	if (verified)
		(void)pthread_mutex_init(&verified->lock, NULL);
	return verified;
}

void
verified_free(struct verified *verified)
{
	if (!verified)
		return;
	(void)pthread_mutex_destroy(&verified->lock);
	for (size_t i = 0; verified->entries && i < VERIFIED_LIMIT; i++)
		acquaintance_unref(verified->entries[i].acquaintance);
	free(verified->entries);
	free(verified);
}

struct acquaintance *
verified_recall(struct verified *verified, const struct verified_key *key, time_t now)
{
	struct acquaintance *found = NULL;

	(void)pthread_mutex_lock(&verified->lock);
	if (verified->entries) {
		const struct entry *entry = entry_of(verified, key);

		if (entry->acquaintance && now >= entry->since && now <= entry->until &&
			memcmp(entry->key.bytes, key->bytes, sizeof(key->bytes)) == 0)
			found = acquaintance_ref(entry->acquaintance);
	}
	(void)pthread_mutex_unlock(&verified->lock);
	return found;
}

void
verified_add(struct verified *verified, const struct verified_key *key,
	struct acquaintance *acquaintance, time_t now, time_t expiry)
{
	time_t until = now + VERIFIED_SECONDS < expiry ? now + VERIFIED_SECONDS : expiry;
	struct acquaintance *replaced = NULL;

	(void)pthread_mutex_lock(&verified->lock);
	if (!verified->entries)
		verified->entries = calloc(VERIFIED_LIMIT, sizeof(struct entry));
	if (verified->entries) {
		struct entry *entry = entry_of(verified, key);

		replaced = entry->acquaintance;
		*entry = (struct entry){*key, acquaintance_ref(acquaintance), now, until};
	}
	(void)pthread_mutex_unlock(&verified->lock);
	acquaintance_unref(replaced);
}
