/* SPDX-License-Identifier: MIT */
#include "tunnel/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/packing.h"
#include "common/unpacking.h"

enum { MARK = 0x53504b52 };

void
keyring_clear(struct keyring_field *field)
{
	if (field->bytes)
		explicit_bzero(field->bytes, field->size);
	free(field->bytes);
	*field = (struct keyring_field){0};
}

static void
release_key(struct keyring_key *key)
{
	keyring_clear(&key->spki);
	keyring_clear(&key->secret);
	keyring_clear(&key->pin);
	keyring_clear(&key->blame);
}

void
keyring_release(struct keyring *keyring)
{
	for (size_t i = 0; i < keyring->count; i++)
		release_key(&keyring->keys[i]);
	free(keyring->keys);
	*keyring = (struct keyring){0};
}

int
keyring_set(struct keyring_field *field, const void *bytes, size_t size, struct diag *diag)
{
	if (size > KEYRING_FIELD_LIMIT)
		return diag_set(
			diag, "a part of a key is larger than %d bytes", KEYRING_FIELD_LIMIT);
	field->bytes = malloc(size + 1);
	if (!field->bytes)
		return diag_set(diag, "out of memory");
	if (size > 0)
		memcpy(field->bytes, bytes, size);
	field->bytes[size] = '\0';
	field->size = size;
	return 0;
}

/* The array holds pointers to what is secret, but nothing secret itself. */
int
keyring_add(struct keyring *keyring, struct keyring_key *key, struct diag *diag)
{
	struct keyring_key *keys = NULL;

	if (keyring->count < KEYRING_KEYS)
		keys = reallocarray(keyring->keys, keyring->count + 1, sizeof(*keys));
	if (!keys) {
		release_key(key);
		return diag_set(diag, "more keys than memory, or than %d", KEYRING_KEYS);
	}
	keyring->keys = keys;
	keys[keyring->count++] = *key;
	*key = (struct keyring_key){0};
	return 0;
}

static void
pack(struct packing *packing, const struct keyring *keyring)
{
	packing_add_number(packing, MARK);
	packing_add_number(packing, keyring->linger);
	packing_add_number(packing, (uint32_t)keyring->count);
	for (size_t i = 0; i < keyring->count; i++) {
		const struct keyring_key *key = &keyring->keys[i];
		packing_add_number(packing, key->is_token);
		packing_add_block(packing, key->spki.bytes, key->spki.size);
		packing_add_block(packing, key->secret.bytes, key->secret.size);
		packing_add_block(packing, key->pin.bytes, key->pin.size);
		packing_add_block(packing, key->blame.bytes, key->blame.size);
	}
}

int
keyring_encode(const struct keyring *keyring, uint8_t **bytes, size_t *size, struct diag *diag)
{
	struct packing packing = {0};

	pack(&packing, keyring);
	if (packing.size > KEYRING_LIMIT)
		return diag_set(diag, "the keys are larger than 1 GiB");
	packing.bytes = malloc(packing.size);
	if (!packing.bytes)
		return diag_set(diag, "out of memory");
	packing.size = 0;
	pack(&packing, keyring);
	*bytes = packing.bytes;
	*size = packing.size;
	return 0;
}

static int
unpack_field(struct unpacking *unpacking, struct keyring_field *field, struct diag *diag)
{
	size_t size;
	const uint8_t *bytes = unpacking_take_block(unpacking, KEYRING_FIELD_LIMIT, &size);

	if (!bytes)
		return diag_set(diag, "a key is cut off or malformed");
	return keyring_set(field, bytes, size, diag);
}

static int
unpack_key(struct unpacking *unpacking, struct keyring *keyring, struct diag *diag)
{
	uint32_t is_token = unpacking_take_number(unpacking);
	struct keyring_key key = {.is_token = is_token == 1};

	if (is_token > 1)
		return diag_set(diag, "a key is of no kind");
	if (unpack_field(unpacking, &key.spki, diag) == 0 &&
		unpack_field(unpacking, &key.secret, diag) == 0 &&
		unpack_field(unpacking, &key.pin, diag) == 0 &&
		unpack_field(unpacking, &key.blame, diag) == 0)
		return keyring_add(keyring, &key, diag);
	release_key(&key);
	return -1;
}

static int
unpack(struct unpacking *unpacking, struct keyring *keyring, struct diag *diag)
{
	uint32_t mark = unpacking_take_number(unpacking);

	keyring->linger = unpacking_take_number(unpacking);
	if (mark != MARK)
		return diag_set(diag, "these are not the bytes of a keyring");
	/* Every key takes bytes, so a count that lies ends when the bytes do. */
	for (uint32_t i = unpacking_take_number(unpacking); i > 0; i--)
		if (unpack_key(unpacking, keyring, diag) < 0)
			return -1;
	if (!unpacking_is_done(unpacking))
		return diag_set(diag, "the end is not where it should be");
	return 0;
}

int
keyring_decode(struct keyring *keyring, const uint8_t *bytes, size_t size, struct diag *diag)
{
	struct unpacking unpacking = {.bytes = bytes, .left = size};

	if (unpack(&unpacking, keyring, diag) == 0)
		return 0;
	keyring_release(keyring);
	return diag_prefix(diag, "keyring");
}
