/* SPDX-License-Identifier: MIT */
#include "configured.h"

#include "tunnel/aead.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

#include "tunnel/vaes.h"

/* One of both; without WITH_IPSEC_MB nothing of vaes.h is there to be called. */
struct aead {
	struct vaes *vaes;
	gnutls_aead_cipher_hd_t gnutls;
};

void
aead_prepare(void)
{
	if (WITH_IPSEC_MB)
		(void)vaes_is_there();
}

static bool
is_aes_gcm(gnutls_cipher_algorithm_t algorithm)
{
	return algorithm == GNUTLS_CIPHER_AES_128_GCM || algorithm == GNUTLS_CIPHER_AES_256_GCM;
}

bool
aead_knows(gnutls_cipher_algorithm_t algorithm)
{
	return is_aes_gcm(algorithm) || algorithm == GNUTLS_CIPHER_CHACHA20_POLY1305;
}

struct aead *
aead_new(gnutls_cipher_algorithm_t algorithm, const gnutls_datum_t *key)
{
	struct aead *aead = calloc(1, sizeof(*aead));

	if (!aead)
		return NULL;
	if (WITH_IPSEC_MB && is_aes_gcm(algorithm))
		aead->vaes = vaes_new(key->data, key->size);
	if (aead->vaes || gnutls_aead_cipher_init(&aead->gnutls, algorithm, key) == 0)
		return aead;
	free(aead);
	return NULL;
}

void
aead_free(struct aead *aead)
{
	if (!aead)
		return;
	if (WITH_IPSEC_MB && aead->vaes)
		vaes_free(aead->vaes);
	else
		gnutls_aead_cipher_deinit(aead->gnutls);
	free(aead);
}

int
aead_seal(const struct aead *aead, const struct aead_frame *frame, const void *data, size_t size,
	uint8_t last, uint8_t *sealed)
{
	const giovec_t header = {(void *)(uintptr_t)frame->header, frame->header_size};
	const giovec_t plain[] = {{(void *)(uintptr_t)data, size}, {&last, sizeof(last)}};
	size_t length = size + sizeof(last) + AEAD_TAG;

	if (WITH_IPSEC_MB && aead->vaes) {
		vaes_seal(aead->vaes, frame, data, size, last, sealed);
		return 0;
	}
	return gnutls_aead_cipher_encryptv(aead->gnutls, frame->nonce, AEAD_NONCE, &header, 1,
		AEAD_TAG, plain, 2, sealed, &length);
}

int
aead_open(const struct aead *aead, const struct aead_frame *frame, const uint8_t *sealed,
	size_t size, uint8_t *data)
{
	size_t length = size - AEAD_TAG;

	if (WITH_IPSEC_MB && aead->vaes)
		return vaes_open(aead->vaes, frame, sealed, size, data);
	return gnutls_aead_cipher_decrypt(aead->gnutls, frame->nonce, AEAD_NONCE, frame->header,
		frame->header_size, AEAD_TAG, sealed, size, data, &length);
}
