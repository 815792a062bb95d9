/* SPDX-License-Identifier: MIT */
#include "tunnel/ticket_key.h"

#include <gnutls/crypto.h>
#include <string.h>

/* Changed when the same content must give other keys. */
static const char label[] = "sallyport ticket key 1";

static void
add_digest(struct fingerprint *fingerprint, const uint8_t *digest)
{
	fingerprint_add(fingerprint, digest, digest ? FINGERPRINT_SIZE : 0);
}

static void
digest_content(const struct ticket_content *content, uint8_t digest[FINGERPRINT_SIZE])
{
	const struct tls_config *config = content->config;
	struct fingerprint fingerprint;

	fingerprint_start(&fingerprint);
	fingerprint_add_text(&fingerprint, label);
	fingerprint_add_text(&fingerprint, content->service);
	fingerprint_add_number(&fingerprint, content->mode);
	fingerprint_add_texts(&fingerprint, &config->sni);
	fingerprint_add_number(&fingerprint, config->sni_is_default);
	fingerprint_add_number(&fingerprint, config->verify);
	fingerprint_add_texts(&fingerprint, &config->alpn);
	fingerprint_add_text(&fingerprint, config->priority);
	fingerprint_add_number(&fingerprint, config->min_version);
	fingerprint_add_number(&fingerprint, config->max_version);
	fingerprint_add_texts(&fingerprint, &config->pins);
	add_digest(&fingerprint, content->trust);
	add_digest(&fingerprint, content->psk);
	fingerprint_end(&fingerprint, digest);
}

int
ticket_key_derive(const void *master, size_t size, const struct ticket_content *content,
	uint8_t key[TICKET_KEY_SIZE])
{
	uint8_t digest[FINGERPRINT_SIZE], extracted[32];
	const gnutls_datum_t secret = {
		.data = (unsigned char *)(uintptr_t)master, .size = (unsigned)size};
	const gnutls_datum_t salt = {
		.data = (unsigned char *)(uintptr_t)label, .size = sizeof(label) - 1};
	const gnutls_datum_t info = {.data = digest, .size = sizeof(digest)};
	const gnutls_datum_t middle = {.data = extracted, .size = sizeof(extracted)};

	digest_content(content, digest);
	int error = gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &secret, &salt, extracted);
	if (!error)
		error = gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &middle, &info, key, TICKET_KEY_SIZE);
	gnutls_memset(extracted, 0, sizeof(extracted));
	return error ? -1 : 0;
}
