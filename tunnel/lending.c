/* SPDX-License-Identifier: MIT */
#include "tunnel/lending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "common/set.h"
#include "tunnel/config.h"
#include "tunnel/identity.h"
#include "tunnel/keyring.h"
#include "tunnel/options.h"
#include "tunnel/spki.h"
#include "tunnel/tls_words.h"

/* Seconds: how much later than its handshake-timeout says may a handshake end, and how late at most? */
enum { MARGIN = 5, LONGEST = 24 * 60 * 60 };

/* What is collected, and from what. */
struct collection {
	struct keyring *keyring;
	struct files *files;
	struct set identities;	/* that were looked at: CERT NUL KEY */
	struct set public_keys; /* that the keyring has, as DER */
};

/* Where something was collected from, to blame it. */
struct place {
	const struct config *config;
	const struct service_config *service;
	enum side side;
	const struct identity_config *identity;
	size_t nth; /* of those of the side */
};

bool
lending_is_wanted(const struct config *config, const struct identity_config *identity,
	const struct spki *public)
{
	if (option_is_token(identity->key) || config->key_process == KEY_PROCESS_YES)
		return true;
	return config->key_process == KEY_PROCESS_AUTO &&
		(public->kind == GNUTLS_PK_RSA || public->kind == GNUTLS_PK_RSA_PSS);
}

/* What the key process puts before its words. */
static int
set_blame(struct keyring_key *key, const struct place *place, struct diag *diag)
{
	struct diag words;

	(void)diag_set(&words, "in the key process");
	config_blame_nth(place->config, place->service, place->side, "key", place->nth, &words);
	return keyring_set(&key->blame, words.text, strlen(words.text), diag);
}

static int
add(struct keyring *keyring, const struct place *place, const struct file *file,
	const gnutls_datum_t *der, struct diag *diag)
{
	const char *path = place->identity->key;
	struct keyring_key key = {.is_token = option_is_token(path)};
	int failed =
		keyring_set(&key.spki, der->data, der->size, diag) || set_blame(&key, place, diag);

	const void *secret = key.is_token ? (const void *)path : file->data;
	size_t secret_size = key.is_token ? strlen(path) : file->size;
	const void *pin = key.is_token ? (const void *)file->data : "";

	failed = failed || keyring_set(&key.secret, secret, secret_size, diag) ||
		keyring_set(&key.pin, pin, key.is_token ? file->size : 0, diag);
	/* What is incomplete is released with the keyring. */
	return keyring_add(keyring, &key, diag) < 0 || failed ? -1 : 0;
}

/* What the keyring has of a key is enough for all certificates and files that have it, too. */
static int
add_once(struct collection *collection, const struct place *place, const struct file *file,
	const gnutls_datum_t *der, struct diag *diag)
{
	if (set_has(&collection->public_keys, der->data, der->size))
		return 0;
	if (set_add(&collection->public_keys, der->data, der->size) < 0)
		return diag_set(diag, "out of memory");
	if (!file)
		return diag_set(diag, "the key was not read");
	return add(collection->keyring, place, file, der, diag);
}

/* The file may be gone already, with another certificate for the same key. */
static int
take(struct collection *collection, const struct place *place, const gnutls_datum_t *der,
	struct diag *diag)
{
	char *name = identity_key_name(place->identity);

	if (!name)
		return diag_set(diag, "out of memory");
	int result = add_once(collection, place, files_find(collection->files, name), der, diag);
	files_remove(collection->files, name);
	free(name);
	return result;
}

static int
take_if_wanted(struct collection *collection, const struct place *place, gnutls_pubkey_t public,
	struct diag *diag)
{
	struct spki spki;
	gnutls_datum_t der;

	if (spki_describe(&spki, public, diag) < 0)
		return -1;
	if (!lending_is_wanted(place->config, place->identity, &spki))
		return 0;
	int error = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der);
	if (error < 0)
		return diag_set(diag, "%s", tls_words(error).text);
	int result = take(collection, place, &der, diag);
	gnutls_free(der.data);
	return result;
}

static int
visit(struct collection *collection, const struct place *place, struct diag *diag)
{
	const struct file *cert = files_find(collection->files, place->identity->cert);

	if (!cert)
		return diag_set(diag, "the certificate was not read");
	gnutls_pubkey_t public = spki_of_file(cert, diag);
	if (!public)
		return -1;
	int result = take_if_wanted(collection, place, public, diag);
	gnutls_pubkey_deinit(public);
	return result;
}

/* A thousand services may have the same identity, which is visited once. */
static int
visit_once(struct collection *collection, const struct place *place, struct diag *diag)
{
	const struct identity_config *identity = place->identity;
	char *name;
	int length = asprintf(&name, "%s%c%s", identity->cert, '\0', identity->key);

	if (length < 0)
		return diag_set(diag, "out of memory");
	int result = 0;
	if (!set_has(&collection->identities, name, (size_t)length))
		result = visit(collection, place, diag);
	/* What is not remembered is only visited again. */
	(void)set_add(&collection->identities, name, (size_t)length);
	free(name);
	return result;
}

static int
visit_side(struct collection *collection, const struct place *side, struct diag *diag)
{
	const struct tls_config *tls = &side->service->tls[side->side];
	struct place place = *side;

	for (; place.nth < tls->identity_count; place.nth++) {
		place.identity = &tls->identities[place.nth];
		if (visit_once(collection, &place, diag) == 0)
			continue;
		config_blame_nth(place.config, place.service, place.side, "cert", place.nth, diag);
		return -1;
	}
	return 0;
}

static int
visit_all(struct collection *collection, const struct config *config, struct diag *diag)
{
	for (size_t i = 0; i < config->service_count; i++) {
		struct place place = {.config = config, .service = &config->services[i]};
		for (place.side = SIDE_ACCEPT; place.side < SIDES; place.side++)
			if (visit_side(collection, &place, diag) < 0)
				return -1;
	}
	return 0;
}

static uint32_t
longest_handshake(const struct config *config)
{
	double longest = 0;

	for (size_t i = 0; i < config->service_count; i++) {
		for (unsigned side = 0; side < SIDES; side++) {
			double timeout = config->services[i].tls[side].handshake_timeout;
			if (timeout > longest)
				longest = timeout;
		}
	}
	return longest < LONGEST ? (uint32_t)longest + MARGIN : LONGEST;
}

int
lending_collect(struct keyring *keyring, const struct config *config, struct files *files,
	struct diag *diag)
{
	struct collection collection = {.keyring = keyring, .files = files};

	keyring->linger = longest_handshake(config);
	int result = visit_all(&collection, config, diag);
	set_release(&collection.identities);
	set_release(&collection.public_keys);
	if (result < 0)
		keyring_release(keyring);
	return result;
}
