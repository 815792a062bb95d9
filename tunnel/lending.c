/* SPDX-License-Identifier: MIT */
#include "tunnel/lending.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/config.h"
#include "tunnel/identity.h"
#include "tunnel/keyring.h"
#include "tunnel/options.h"
#include "tunnel/spki.h"
#include "tunnel/tls_words.h"

/* Seconds: how much later than its handshake-timeout says may a handshake end, and how late at most? */
enum { MARGIN = 5, LONGEST = 24 * 60 * 60 };

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

static bool
is_there(const struct keyring *keyring, const gnutls_datum_t *der)
{
	for (size_t i = 0; i < keyring->count; i++) {
		const struct keyring_field *spki = &keyring->keys[i].spki;
		if (spki->size == der->size && memcmp(spki->bytes, der->data, der->size) == 0)
			return true;
	}
	return false;
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

static int
add_new(struct keyring *keyring, const struct place *place, const struct file *file,
	gnutls_pubkey_t public, struct diag *diag)
{
	gnutls_datum_t der;
	int error = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &der), result = 0;

	if (error < 0)
		return diag_set(diag, "%s", tls_words(error).text);
	if (!is_there(keyring, &der))
		result = add(keyring, place, file, &der, diag);
	gnutls_free(der.data);
	return result;
}

static int
collect_from(struct keyring *keyring, const struct place *place, struct files *files,
	gnutls_pubkey_t public, struct diag *diag)
{
	struct spki spki;

	if (spki_describe(&spki, public, diag) < 0)
		return -1;
	if (!lending_is_wanted(place->config, place->identity, &spki))
		return 0;
	char *name = identity_key_name(place->identity);
	const struct file *file = name ? files_find(files, name) : NULL;
	int result = file ? add_new(keyring, place, file, public, diag)
			  : diag_set(diag, "the key was not read");
	free(name);
	return result;
}

static int
collect(struct keyring *keyring, const struct place *place, struct files *files, struct diag *diag)
{
	const struct file *cert = files_find(files, place->identity->cert);

	if (!cert)
		return diag_set(diag, "the certificate was not read");
	gnutls_pubkey_t public = spki_of_file(cert, diag);
	if (!public)
		return -1;
	int result = collect_from(keyring, place, files, public, diag);
	gnutls_pubkey_deinit(public);
	return result;
}

/* Several services may have one key, so it is taken out when all have been asked. */
static int
forget(const struct place *place, struct files *files, struct diag *diag)
{
	gnutls_pubkey_t public = spki_of_file(files_find(files, place->identity->cert), diag);
	char *name = identity_key_name(place->identity);
	struct spki spki;
	int result = -1;

	if (!name)
		(void)diag_set(diag, "out of memory");
	else if (public && spki_describe(&spki, public, diag) == 0)
		result = 0;
	if (result == 0 && lending_is_wanted(place->config, place->identity, &spki))
		files_remove(files, name);
	free(name);
	if (public)
		gnutls_pubkey_deinit(public);
	return result;
}

/* Call for each identity, in two rounds. */
static int
visit(struct keyring *keyring, const struct place *side, struct files *files, struct diag *diag)
{
	const struct tls_config *tls = &side->service->tls[side->side];
	struct place place = *side;

	for (size_t i = 0; i < tls->identity_count; i++) {
		place.identity = &tls->identities[i];
		place.nth = i;
		if ((keyring ? collect(keyring, &place, files, diag)
			     : forget(&place, files, diag)) == 0)
			continue;
		config_blame_nth(place.config, place.service, place.side, "cert", i, diag);
		return -1;
	}
	return 0;
}

static int
visit_all(struct keyring *keyring, const struct config *config, struct files *files,
	struct diag *diag)
{
	for (size_t i = 0; i < config->service_count; i++) {
		struct place place = {.config = config, .service = &config->services[i]};
		for (place.side = SIDE_ACCEPT; place.side < SIDES; place.side++)
			if (visit(keyring, &place, files, diag) < 0)
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
	keyring->linger = longest_handshake(config);
	if (visit_all(keyring, config, files, diag) == 0 &&
		visit_all(NULL, config, files, diag) == 0)
		return 0;
	keyring_release(keyring);
	return -1;
}
