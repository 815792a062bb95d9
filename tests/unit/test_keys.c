/* SPDX-License-Identifier: MIT */
/* The key process and the signer of serve, over real channels, with the test as main. */
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/message.h"
#include "common/sealed.h"
#include "tests/unit/keypairs.h"
#include "tunnel/keyring.h"
#include "tunnel/keys.h"
#include "tunnel/protocol.h"
#include "tunnel/signer.h"
#include "tunnel/signing.h"

enum { PATIENCE = 10000 /* milliseconds */, THREADS = 4, ROUNDS = 50 };

static struct stage {
	int channel; /* main's end; -1: none */
	pthread_t thread;
	bool result;
	struct signer *signer;
	struct message message;
} stage;

static void *
run_keys(void *opaque)
{
	const int *channel = opaque;

	stage.result = keys_run(*channel);
	return NULL;
}

static int
setup(void **state)
{
	static int pair[2];
	struct diag diag;

	(void)state;
	assert_int_equal(message_pair(pair, &diag), 0);
	stage.channel = pair[0];
	stage.signer = signer_new();
	assert_non_null(stage.signer);
	return pthread_create(&stage.thread, NULL, run_keys, &pair[1]);
}

/* Main hangs up, and the key process ends. */
static void
hang_up(void)
{
	if (stage.channel < 0)
		return;
	(void)close(stage.channel);
	stage.channel = -1;
	assert_int_equal(pthread_join(stage.thread, NULL), 0);
}

static int
teardown(void **state)
{
	(void)state;
	hang_up();
	signer_unref(stage.signer);
	return stage.result ? 0 : -1;
}

static uint32_t
hear(void)
{
	struct pollfd polled = {.fd = stage.channel, .events = POLLIN};
	struct diag diag;

	assert_int_equal(poll(&polled, 1, PATIENCE), 1);
	assert_int_equal(message_receive(stage.channel, &stage.message, &diag), MESSAGE_DONE);
	return stage.message.type;
}

static uint32_t
offer(enum keypair public, enum keypair secret)
{
	struct keyring keyring = {.linger = 60};
	struct message *message = &stage.message;
	uint8_t *bytes;
	size_t size;
	struct diag diag;

	keypairs_add(&keyring, public, secret);
	assert_int_equal(keyring_encode(&keyring, &bytes, &size, &diag), 0);
	keyring_release(&keyring);
	*message = (struct message){.type = PROTOCOL_KEYRING, .fd_count = 1};
	message->fds[0] = sealed_new(bytes, size, &diag);
	sealed_free(bytes, size);
	assert_int_equal(protocol_send(stage.channel, message, &diag), 0);
	message_release(message);
	return hear();
}

static void
commit(void)
{
	struct diag diag;

	assert_int_equal(protocol_say(stage.channel, PROTOCOL_COMMIT, "", &diag), 0);
}

/* Give the key process one end each of @count channels, and the others back. */
static void
make_channels(int *fds, size_t count)
{
	struct message *message = &stage.message;
	struct diag diag;

	*message = (struct message){.type = PROTOCOL_CHANNELS, .fd_count = count};
	for (size_t i = 0; i < count; i++) {
		int pair[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		fds[i] = pair[0];
		message->fds[i] = pair[1];
	}
	assert_int_equal(protocol_send(stage.channel, message, &diag), 0);
	message_release(message);
}

static void
connect_signer(size_t count)
{
	int fds[THREADS];

	make_channels(fds, count);
	signer_connect(stage.signer, fds, count);
}

static const struct {
	enum keypair which;
	gnutls_sign_algorithm_t algorithm;
	unsigned size;
} kinds[] = {
	{KEYPAIR_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 32},
	{KEYPAIR_ED25519, GNUTLS_SIGN_EDDSA_ED25519, 130},
	{KEYPAIR_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 32},
	{KEYPAIR_RSA, GNUTLS_SIGN_RSA_SHA384, 48},
};

/* Sign as GnuTLS would. Returns what it would say; a signature is verified. */
static int
sign(size_t kind)
{
	unsigned char data[130] = "something that is to be signed";
	const gnutls_datum_t datum = {data, kinds[kind].size};
	enum keypair which = kinds[kind].which;
	gnutls_datum_t signature;
	gnutls_privkey_t key;
	struct diag diag;

	assert_int_equal(signer_key(stage.signer, keypairs_spki(which), &key, &diag), 0);
	int error = which == KEYPAIR_ED25519
		? gnutls_privkey_sign_data2(key, kinds[kind].algorithm, 0, &datum, &signature)
		: gnutls_privkey_sign_hash2(key, kinds[kind].algorithm, 0, &datum, &signature);
	gnutls_privkey_deinit(key);
	if (error < 0)
		return error;
	keypairs_verify(which, kinds[kind].algorithm, &datum, &signature);
	gnutls_free(signature.data);
	return 0;
}

static void
each_kind_of_key_signs_from_afar(void **state)
{
	(void)state;
	connect_signer(1);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(offer(kinds[i].which, kinds[i].which), PROTOCOL_ACCEPTED);
		commit();
		assert_int_equal(sign(i), 0);
	}
	/* The first was replaced, and signs for the handshakes that began with it. */
	assert_int_equal(sign(0), 0);
}

static void
a_remote_key_says_what_it_is_and_decrypts_nothing(void **state)
{
	unsigned char data[256] = {0};
	const gnutls_datum_t datum = {data, sizeof(data)};
	gnutls_datum_t plain;
	gnutls_privkey_t key;
	struct diag diag;

	(void)state;
	connect_signer(1);
	assert_int_equal(offer(KEYPAIR_RSA, KEYPAIR_RSA), PROTOCOL_ACCEPTED);
	assert_int_equal(signer_key(stage.signer, keypairs_spki(KEYPAIR_RSA), &key, &diag), 0);
	assert_int_equal(gnutls_privkey_get_pk_algorithm(key, NULL), GNUTLS_PK_RSA);
	assert_int_equal(
		gnutls_privkey_decrypt_data(key, 0, &datum, &plain), GNUTLS_E_PK_DECRYPTION_FAILED);
	gnutls_privkey_deinit(key);
}

static void
a_key_that_is_not_known_signs_nothing(void **state)
{
	(void)state;
	connect_signer(1);
	assert_int_equal(sign(0), GNUTLS_E_PK_SIGN_FAILED);
	assert_int_equal(offer(KEYPAIR_OTHER, KEYPAIR_OTHER), PROTOCOL_ACCEPTED);
	commit();
	assert_int_equal(sign(0), GNUTLS_E_PK_SIGN_FAILED);
	assert_int_equal(offer(KEYPAIR_ECDSA, KEYPAIR_ECDSA), PROTOCOL_ACCEPTED);
	assert_int_equal(sign(0), 0);
}

static void
a_bad_keyring_is_refused_with_words_and_changes_nothing(void **state)
{
	struct diag diag;

	(void)state;
	connect_signer(1);
	assert_int_equal(offer(KEYPAIR_ECDSA, KEYPAIR_ECDSA), PROTOCOL_ACCEPTED);
	commit();
	assert_int_equal(offer(KEYPAIR_OTHER, KEYPAIR_ECDSA), PROTOCOL_REFUSED);
	assert_string_equal(stage.message.text,
		"a.conf:7: key: in the key process: the key does not match the certificate\n");
	commit();
	assert_int_equal(sign(0), 0);
	assert_int_equal(protocol_say(stage.channel, PROTOCOL_KEYRING, "", &diag), 0);
	assert_int_equal(hear(), PROTOCOL_REFUSED);
	assert_string_equal(stage.message.text, "a keyring came without its bytes\n");
}

static void
without_a_key_process_a_signature_fails_at_once(void **state)
{
	(void)state;
	assert_int_equal(sign(0), GNUTLS_E_PK_SIGN_FAILED);
	connect_signer(2);
	assert_int_equal(offer(KEYPAIR_ECDSA, KEYPAIR_ECDSA), PROTOCOL_ACCEPTED);
	assert_int_equal(sign(0), 0);
	hang_up();
	for (int i = 0; i < 3; i++)
		assert_int_equal(sign(0), GNUTLS_E_PK_SIGN_FAILED);
}

static void
new_channels_take_the_place_of_the_old_ones(void **state)
{
	int fds[2], byte;

	(void)state;
	assert_int_equal(offer(KEYPAIR_ECDSA, KEYPAIR_ECDSA), PROTOCOL_ACCEPTED);
	make_channels(fds, 2);
	int watched = dup(fds[0]);
	signer_connect(stage.signer, fds, 2);
	assert_int_equal(sign(0), 0);
	connect_signer(1);
	assert_int_equal(sign(0), 0);
	/* Of the old one this is the last descriptor; the thread behind it is still there. */
	assert_int_equal(recv(watched, &byte, sizeof(byte), MSG_DONTWAIT), -1);
	(void)close(watched);
}

static void *
sign_often(void *opaque)
{
	size_t *failures = opaque;

	for (int i = 0; i < ROUNDS; i++)
		if (sign(0) != 0)
			(*failures)++;
	return NULL;
}

static void
more_threads_than_channels_wait_for_each_other(void **state)
{
	pthread_t threads[THREADS];
	size_t failures[THREADS] = {0};

	(void)state;
	assert_int_equal(offer(KEYPAIR_ECDSA, KEYPAIR_ECDSA), PROTOCOL_ACCEPTED);
	connect_signer(2);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &failures[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(failures[i], 0);
	}
}

/* What serve could say if it were somebody else's: the channel is closed, and the others go on. */
static void
a_channel_with_garbage_is_closed(void **state)
{
	static uint8_t large[SIGNING_REQUEST_SIZE + 64];
	struct timeval patience = {.tv_sec = PATIENCE / 1000};
	int fds[2];
	char byte;

	(void)state;
	connect_signer(1);
	assert_int_equal(offer(KEYPAIR_ECDSA, KEYPAIR_ECDSA), PROTOCOL_ACCEPTED);
	make_channels(fds, 2);
	assert_int_equal(send(fds[0], "garbage", 7, MSG_NOSIGNAL), 7);
	assert_int_equal(send(fds[1], large, sizeof(large), MSG_NOSIGNAL), sizeof(large));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
			0);
		assert_int_equal(recv(fds[i], &byte, 1, 0), 0);
		(void)close(fds[i]);
	}
	assert_int_equal(sign(0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kind_of_key_signs_from_afar, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_remote_key_says_what_it_is_and_decrypts_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_that_is_not_known_signs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_bad_keyring_is_refused_with_words_and_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_a_key_process_a_signature_fails_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			new_channels_take_the_place_of_the_old_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(
			more_threads_than_channels_wait_for_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(a_channel_with_garbage_is_closed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, keypairs_make, keypairs_release);
}
