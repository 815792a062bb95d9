/* SPDX-License-Identifier: MIT */
#include "tunnel/ticket_owner.h"

#include <stddef.h>

#include "common/files.h"
#include "tunnel/config.h"

static void
add_file(struct fingerprint *fingerprint, const struct files *files, const char *path)
{
	const struct file *file = path ? files_find(files, path) : NULL;

	if (file)
		fingerprint_add(fingerprint, file->data, file->size);
	else
		fingerprint_add_text(fingerprint, NULL);
}

/* The key goes with its certificate. */
static void
add_identities(
	struct fingerprint *fingerprint, const struct files *files, const struct tls_config *config)
{
	fingerprint_add_number(fingerprint, config->identity_count);
	for (size_t i = 0; i < config->identity_count; i++)
		add_file(fingerprint, files, config->identities[i].cert);
}

static void
add_beliefs(struct fingerprint *fingerprint, const struct tls_config *config)
{
	fingerprint_add_number(fingerprint, config->verify);
	fingerprint_add_texts(fingerprint, &config->pins);
	fingerprint_add_texts(fingerprint, &config->allow);
	fingerprint_add_texts(fingerprint, &config->deny);
	fingerprint_add_text(fingerprint, config->peer_name);
	fingerprint_add_number(fingerprint, config->peer_name_is_none);
	fingerprint_add_number(fingerprint, config->ocsp);
}

static void
add_offer(struct fingerprint *fingerprint, const struct tls_config *config)
{
	fingerprint_add_text(fingerprint, config->server_name);
	fingerprint_add_number(fingerprint, config->server_name_is_none);
	fingerprint_add_texts(fingerprint, &config->alpn);
	fingerprint_add_text(fingerprint, config->priority);
	fingerprint_add_number(fingerprint, config->min_version);
	fingerprint_add_number(fingerprint, config->max_version);
}

void
ticket_owner_digest(const struct tls_config *config, const struct files *files,
	const uint8_t *trust, uint8_t digest[FINGERPRINT_SIZE])
{
	struct fingerprint fingerprint;

	fingerprint_start(&fingerprint);
	add_identities(&fingerprint, files, config);
	fingerprint_add(&fingerprint, trust, trust ? FINGERPRINT_SIZE : 0);
	add_beliefs(&fingerprint, config);
	add_offer(&fingerprint, config);
	/* Who is on a new list may have a new certificate, which a resumed session would not show. */
	add_file(&fingerprint, files, config->crl);
	add_file(&fingerprint, files, config->psk);
	fingerprint_add_text(&fingerprint, config->psk_identity);
	fingerprint_end(&fingerprint, digest);
}

void
ticket_owner_key(const uint8_t digest[FINGERPRINT_SIZE], const char *target, const char *name,
	uint8_t key[FINGERPRINT_SIZE])
{
	struct fingerprint fingerprint;

	fingerprint_start(&fingerprint);
	fingerprint_add(&fingerprint, digest, FINGERPRINT_SIZE);
	fingerprint_add_text(&fingerprint, target);
	fingerprint_add_text(&fingerprint, name);
	fingerprint_end(&fingerprint, key);
}
