/* SPDX-License-Identifier: MIT */
/*
 * What reaches the key process or comes from it: a request, an answer, a keyring. Whatever the bytes are,
 * they are refused, or encoded again to the very same; and no request gets a signature that TLS would not
 * want.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/diag.h"
#include "common/sealed.h"
#include "tunnel/keyring.h"
#include "tunnel/signature.h"
#include "tunnel/signing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[SIGNING_REQUEST_SIZE];

static gnutls_privkey_t
make_key(void)
{
	gnutls_privkey_t key;

	int error = gnutls_privkey_init(&key);
	assert(error == 0);
	error = gnutls_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 0, 0);
	assert(error == 0);
	return key;
}

static void
try_signature(const struct signing_request *request)
{
	static gnutls_privkey_t key;
	const struct signature_wish wish = {
		.algorithm = request->algorithm, .data = request->data, .size = request->size};
	gnutls_datum_t signature;
	struct diag diag;

	if (!key)
		key = make_key();
	if (signature_make(key, GNUTLS_PK_EDDSA_ED25519, &wish, &signature, &diag) < 0)
		return;
	assert(request->algorithm == GNUTLS_SIGN_EDDSA_ED25519 && request->size >= 64);
	gnutls_free(signature.data);
}

static void
try_messages(const uint8_t *data, size_t size)
{
	struct signing_request request;
	struct signing_answer answer;

	if (signing_decode_request(&request, data, size) == 0) {
		size_t encoded = signing_encode_request(&request, again);
		assert(encoded == size && memcmp(again, data, size) == 0);
		try_signature(&request);
	}
	if (signing_decode_answer(&answer, data, size) == 0) {
		size_t encoded = signing_encode_answer(&answer, again);
		assert(encoded == size && memcmp(again, data, size) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyring keyring = {0};
	struct diag diag = {""};
	uint8_t *bytes;
	size_t encoded;

	try_messages(data, size);
	if (keyring_decode(&keyring, data, size, &diag) < 0) {
		assert(strncmp(diag.text, "keyring: ", strlen("keyring: ")) == 0);
		assert(!keyring.keys);
		return 0;
	}
	int failed = keyring_encode(&keyring, &bytes, &encoded, &diag);
	assert(failed == 0 && encoded == size && memcmp(bytes, data, size) == 0);
	sealed_free(bytes, encoded);
	keyring_release(&keyring);
	return 0;
}
