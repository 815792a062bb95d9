/* SPDX-License-Identifier: MIT */
/* With the test as the key process: its answers wait in the channel before they are asked for. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "tests/unit/keypairs.h"
#include "tunnel/signer.h"
#include "tunnel/signing.h"

static const unsigned char hash[64] = "what is to be signed, or its hash";

static struct signer *signer;
static int keys; /* the key process's end of the channel */

static void
connect_one(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	keys = pair[0];
	signer_connect(signer, &pair[1], 1);
}

static int
setup(void **state)
{
	(void)state;
	signer = signer_new();
	assert_non_null(signer);
	connect_one();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	signer_unref(signer);
	(void)close(keys);
	return 0;
}

/* Answer the request @number, the first being 0. */
static void
answer(uint32_t number, bool good, const char *bytes)
{
	const struct signing_answer answered = {.number = number,
		.good = good,
		.bytes = (const uint8_t *)bytes,
		.size = strlen(bytes)};
	uint8_t encoded[SIGNING_ANSWER_SIZE];
	size_t size = signing_encode_answer(&answered, encoded);

	assert_int_equal(send(keys, encoded, size, MSG_NOSIGNAL), size);
}

static gnutls_privkey_t
make_key(enum keypair which)
{
	gnutls_privkey_t key;
	struct diag diag;

	assert_int_equal(signer_key(signer, keypairs_spki(which), &key, &diag), 0);
	return key;
}

/* Have @size bytes signed. Returns what GnuTLS says; a signature is "signature". */
static int
sign(enum keypair which, gnutls_sign_algorithm_t algorithm, unsigned size)
{
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t)hash, size};
	gnutls_privkey_t key = make_key(which);
	gnutls_datum_t signature;
	int error = which == KEYPAIR_ED25519
		? gnutls_privkey_sign_data2(key, algorithm, 0, &data, &signature)
		: gnutls_privkey_sign_hash2(key, algorithm, 0, &data, &signature);

	gnutls_privkey_deinit(key);
	if (error < 0)
		return error;
	assert_int_equal(signature.size, 9);
	assert_memory_equal(signature.data, "signature", 9);
	gnutls_free(signature.data);
	return 0;
}

static int
sign_hash(void)
{
	return sign(KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 32);
}

static void
a_request_says_which_key_and_how_and_what(void **state)
{
	static const struct {
		enum keypair which;
		gnutls_sign_algorithm_t algorithm;
		unsigned size;
	} rows[] = {
		{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 32},
		{KEYPAIR_ED25519, GNUTLS_SIGN_EDDSA_ED25519, 40},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 32},
		{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA384, 48},
	};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t bytes[SIGNING_REQUEST_SIZE];
		struct signing_request request;

		answer(i, true, "signature");
		assert_int_equal(sign(rows[i].which, rows[i].algorithm, rows[i].size), 0);
		ssize_t got = recv(keys, bytes, sizeof(bytes), MSG_DONTWAIT);
		assert_true(got > 0);
		assert_int_equal(signing_decode_request(&request, bytes, (size_t)got), 0);
		assert_int_equal(request.number, i);
		assert_int_equal(request.algorithm, rows[i].algorithm);
		assert_memory_equal(request.id, keypairs_spki(rows[i].which)->id, SPKI_ID_SIZE);
		assert_int_equal(request.size, rows[i].size);
		assert_memory_equal(request.data, hash, rows[i].size);
	}
}

static void
words_instead_of_a_signature_leave_the_channel_usable(void **state)
{
	(void)state;
	answer(0, false, "there is no such key");
	answer(1, true, "signature");
	assert_int_equal(sign_hash(), GNUTLS_E_PK_SIGN_FAILED);
	assert_int_equal(sign_hash(), 0);
}

static void
an_answer_to_another_request_is_passed_over(void **state)
{
	(void)state;
	answer(4711, true, "forged");
	answer(0, true, "signature");
	assert_int_equal(sign_hash(), 0);
}

static void
a_channel_that_gives_garbage_is_not_used_again(void **state)
{
	char byte;

	(void)state;
	assert_int_equal(send(keys, "?", 1, 0), 1);
	assert_int_equal(sign_hash(), GNUTLS_E_PK_SIGN_FAILED);
	assert_int_equal(sign_hash(), GNUTLS_E_PK_SIGN_FAILED);
	assert_true(recv(keys, &byte, 1, 0) > 0);
	assert_int_equal(recv(keys, &byte, 1, 0), 0);
}

static void
a_key_process_that_hung_up_is_not_waited_for(void **state)
{
	double begin = clock_seconds();

	(void)state;
	(void)shutdown(keys, SHUT_RDWR);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sign_hash(), GNUTLS_E_PK_SIGN_FAILED);
	assert_true(clock_seconds() - begin < 2);
}

static void
one_that_says_nothing_is_waited_for_a_while_and_may_come_back(void **state)
{
	double begin = clock_seconds();

	(void)state;
	assert_int_equal(sign_hash(), GNUTLS_E_PK_SIGN_FAILED);
	assert_true(clock_seconds() - begin >= 4);
	answer(0, true, "too late");
	answer(1, true, "signature");
	assert_int_equal(sign_hash(), 0);
}

static void
a_channel_that_was_full_is_used_again(void **state)
{
	static const uint8_t junk[SIGNING_REQUEST_SIZE];
	uint8_t bytes[SIGNING_REQUEST_SIZE];
	int pair[2];

	(void)state;
	(void)close(keys);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	keys = pair[0];
	while (send(pair[1], junk, sizeof(junk), MSG_DONTWAIT) > 0)
		;
	signer_connect(signer, &pair[1], 1);
	assert_int_equal(sign_hash(), GNUTLS_E_PK_SIGN_FAILED);
	while (recv(keys, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	answer(1, true, "signature");
	assert_int_equal(sign_hash(), 0);
}

static void
a_key_without_a_signer_never_signs(void **state)
{
	struct signer *ours = signer;

	(void)state;
	signer = NULL;
	assert_int_equal(sign_hash(), GNUTLS_E_PK_SIGN_FAILED);
	signer = ours;
}

static void
new_channels_take_the_place_of_the_old_ones(void **state)
{
	int old = keys;
	char byte;

	(void)state;
	connect_one();
	assert_int_equal(recv(old, &byte, 1, MSG_DONTWAIT), 0);
	(void)close(old);
	answer(0, true, "signature");
	assert_int_equal(sign_hash(), 0);
}

static void
channels_above_the_limit_are_closed(void **state)
{
	int ours[SIGNER_CHANNELS + 1], fds[SIGNER_CHANNELS + 1];
	char byte;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int pair[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		ours[i] = pair[0];
		fds[i] = pair[1];
	}
	signer_connect(signer, fds, ARRAY_SIZE(fds));
	assert_int_equal(recv(ours[SIGNER_CHANNELS], &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(recv(ours[SIGNER_CHANNELS - 1], &byte, 1, MSG_DONTWAIT), -1);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		(void)close(ours[i]);
}

static void
a_key_keeps_its_signer(void **state)
{
	const gnutls_datum_t data = {(unsigned char *)(uintptr_t)hash, 32};
	gnutls_privkey_t key = make_key(KEYPAIR_ECDSA);
	gnutls_datum_t signature;
	char byte;

	(void)state;
	signer_unref(signer);
	signer = NULL;
	answer(0, true, "signature");
	assert_int_equal(
		gnutls_privkey_sign_hash2(key, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &signature), 0);
	gnutls_free(signature.data);
	gnutls_privkey_deinit(key);
	assert_true(recv(keys, &byte, 1, 0) > 0);
	assert_int_equal(recv(keys, &byte, 1, MSG_DONTWAIT), 0);
}

static void
what_no_request_can_hold_is_not_signed(void **state)
{
	static unsigned char large[SIGNING_DATA_LIMIT + 1];
	const gnutls_datum_t data = {large, sizeof(large)};
	gnutls_privkey_t key = make_key(KEYPAIR_ED25519);
	gnutls_datum_t signature;
	char byte;

	(void)state;
	assert_int_equal(
		gnutls_privkey_sign_data2(key, GNUTLS_SIGN_EDDSA_ED25519, 0, &data, &signature),
		GNUTLS_E_PK_SIGN_FAILED);
	assert_int_equal(recv(keys, &byte, 1, MSG_DONTWAIT), -1);
	gnutls_privkey_deinit(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_request_says_which_key_and_how_and_what, setup, teardown),
		cmocka_unit_test_setup_teardown(
			words_instead_of_a_signature_leave_the_channel_usable, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_to_another_request_is_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_channel_that_gives_garbage_is_not_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_process_that_hung_up_is_not_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_says_nothing_is_waited_for_a_while_and_may_come_back, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_channel_that_was_full_is_used_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_without_a_signer_never_signs, setup, teardown),
		cmocka_unit_test_setup_teardown(
			new_channels_take_the_place_of_the_old_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(
			channels_above_the_limit_are_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_keeps_its_signer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_no_request_can_hold_is_not_signed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, keypairs_make, keypairs_release);
}
