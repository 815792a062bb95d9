/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/slow_key.h"

#include <time.h>

#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/pki_pair.h"

struct slow_key slow_key;

static int
on_sign_hash(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *pointer, unsigned flags,
	const gnutls_datum_t *hash, gnutls_datum_t *signature)
{
	unsigned milliseconds = slow_key.milliseconds;
	const struct timespec delay = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = (long)(milliseconds % 1000) * 1000 * 1000,
	};

	(void)key;
	(void)pointer;
	(void)flags;
	atomic_fetch_add(&slow_key.signatures, 1);
	if (pthread_equal(pthread_self(), slow_key.loop_thread))
		atomic_store(&slow_key.elsewhere, false);
	(void)sem_post(&slow_key.begun);
	if (slow_key.gated)
		(void)sem_wait(&slow_key.gate);
	(void)nanosleep(&delay, NULL);
	if (slow_key.fails)
		return GNUTLS_E_PK_SIGN_FAILED;
	return gnutls_privkey_sign_hash2(slow_key.key, algorithm, 0, hash, signature);
}

static int
on_sign_data(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *pointer, unsigned flags,
	const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	(void)key;
	(void)algorithm;
	(void)pointer;
	(void)flags;
	(void)data;
	(void)signature;
	return GNUTLS_E_UNIMPLEMENTED_FEATURE;
}

static int
on_info(gnutls_privkey_t key, unsigned flags, void *pointer)
{
	(void)key;
	(void)pointer;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_ECDSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return 256;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_ECDSA_SECP256R1_SHA256 ||
			GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_ECDSA_SHA256;
	return -1;
}

void
slow_key_init(const struct pki_pair *pair)
{
	assert_int_equal(gnutls_privkey_init(&slow_key.key), 0);
	assert_int_equal(
		gnutls_privkey_import_x509(slow_key.key, pair->key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
}

void
slow_key_release(void)
{
	gnutls_privkey_deinit(slow_key.key);
}

void
slow_key_give(struct credentials *party, const struct pki_pair *pair)
{
	gnutls_pcert_st chain;
	gnutls_privkey_t key;

	gnutls_certificate_free_credentials(party->certificate);
	assert_int_equal(gnutls_certificate_allocate_credentials(&party->certificate), 0);
	gnutls_certificate_set_verify_function(party->certificate, authorise_callback);
	assert_int_equal(gnutls_pcert_import_x509(&chain, pair->crt, 0), 0);
	assert_int_equal(gnutls_privkey_init(&key), 0);
	assert_int_equal(gnutls_privkey_import_ext4(
				 key, NULL, on_sign_data, on_sign_hash, NULL, NULL, on_info, 0),
		0);
	assert_int_equal(
		gnutls_certificate_set_key(party->certificate, NULL, 0, &chain, 1, key), 0);
	party->slow = true;
}

void
slow_key_start(void)
{
	slow_key.loop_thread = pthread_self();
	slow_key.milliseconds = 0;
	slow_key.fails = slow_key.gated = false;
	atomic_store(&slow_key.signatures, 0);
	atomic_store(&slow_key.elsewhere, true);
	assert_int_equal(sem_init(&slow_key.begun, 0, 0), 0);
	assert_int_equal(sem_init(&slow_key.gate, 0, 0), 0);
}

void
slow_key_open_gate(void)
{
	atomic_store(&slow_key.gated, false);
	for (int i = 0; i < 4; i++)
		(void)sem_post(&slow_key.gate);
}

void
slow_key_stop(void)
{
	(void)sem_destroy(&slow_key.begun);
	(void)sem_destroy(&slow_key.gate);
}

void
slow_key_await(void)
{
	while (sem_wait(&slow_key.begun) != 0)
		continue;
}
