/* SPDX-License-Identifier: MIT */
#include "tests/unit/forgery.h"

#include "tests/unit/unit.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "common/defs.h"
#include "tunnel/records.h"

enum { TAG_SIZE = 16, NONCE_SIZE = 12, SEQUENCE_SIZE = 8 };

size_t
forgery_make(gnutls_session_t sender, const uint8_t *inner, size_t size, uint8_t *record)
{
	const size_t sealed = size + TAG_SIZE;
	const uint8_t header[RECORD_HEADER] = {23, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed};
	uint8_t sequence[SEQUENCE_SIZE], nonce[NONCE_SIZE];
	size_t length = sealed;
	gnutls_aead_cipher_hd_t aead;
	gnutls_datum_t iv, key;

	assert_int_equal(gnutls_record_get_state(sender, 0, NULL, &iv, &key, sequence), 0);
	memcpy(nonce, iv.data, NONCE_SIZE);
	for (size_t i = 0; i < SEQUENCE_SIZE; i++)
		nonce[NONCE_SIZE - SEQUENCE_SIZE + i] ^= sequence[i];
	assert_int_equal(gnutls_aead_cipher_init(&aead, GNUTLS_CIPHER_AES_128_GCM, &key), 0);
	memcpy(record, header, RECORD_HEADER);
	assert_int_equal(gnutls_aead_cipher_encrypt(aead, nonce, NONCE_SIZE, header, RECORD_HEADER,
				 TAG_SIZE, inner, size, record + RECORD_HEADER, &length),
		0);
	gnutls_aead_cipher_deinit(aead);
	assert_int_equal(length, sealed);
	return RECORD_HEADER + length;
}
