/* SPDX-License-Identifier: MIT */
#include "tunnel/signer.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/log.h"
#include "tunnel/signing.h"
#include "tunnel/spki.h"
#include "tunnel/tls_words.h"

enum { HASH_LIMIT = 64 };

/* A key process that hangs is as good as none; and how often its failures are told. Seconds. */
static const double patience = 5, quiet = 60;

struct signer {
	pthread_mutex_t mutex;
	pthread_cond_t returned; /* a channel came back, or there are new ones */
	int idle[SIGNER_CHANNELS];
	size_t idle_count, count; /* count: those in use, too */
	unsigned epoch;		  /* grows with each new set of channels */
	double told_at;
	_Atomic uint32_t number;
	_Atomic unsigned references;
};

/* A channel that a thread has for itself. */
struct channel {
	int fd;
	unsigned epoch;
};

/* What stands behind a key of GnuTLS. */
struct remote {
	struct signer *signer;
	struct spki public;
};

struct signer *
signer_new(void)
{
	struct signer *signer = calloc(1, sizeof(*signer));
	pthread_condattr_t clock;

	if (!signer)
		return NULL;
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&signer->mutex, NULL);
	(void)pthread_cond_init(&signer->returned, &clock);
	(void)pthread_condattr_destroy(&clock);
	signer->references = 1;
	signer->told_at = -quiet;
	return signer;
}

struct signer *
signer_ref(struct signer *signer)
{
	atomic_fetch_add(&signer->references, 1);
	return signer;
}

static void
close_idle(struct signer *signer)
{
	while (signer->idle_count > 0)
		(void)close(signer->idle[--signer->idle_count]);
}

void
signer_unref(struct signer *signer)
{
	if (!signer || atomic_fetch_sub(&signer->references, 1) > 1)
		return;
	close_idle(signer);
	(void)pthread_cond_destroy(&signer->returned);
	(void)pthread_mutex_destroy(&signer->mutex);
	free(signer);
}

void
signer_connect(struct signer *signer, const int *fds, size_t count)
{
	(void)pthread_mutex_lock(&signer->mutex);
	close_idle(signer);
	signer->epoch++;
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0 && signer->idle_count < SIGNER_CHANNELS)
			signer->idle[signer->idle_count++] = fds[i];
		else if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	signer->count = signer->idle_count;
	(void)pthread_cond_broadcast(&signer->returned);
	(void)pthread_mutex_unlock(&signer->mutex);
}

/* Wait until a channel is idle. 0, or -1 when there is none at all or none in time. */
static int
borrow(struct signer *signer, double deadline, struct channel *channel, struct diag *diag)
{
	const struct timespec until = {.tv_sec = (time_t)deadline,
		.tv_nsec = (long)((deadline - (double)(time_t)deadline) * 1e9)};
	int error = 0, result = 0;

	(void)pthread_mutex_lock(&signer->mutex);
	while (error == 0 && signer->idle_count == 0 && signer->count > 0)
		error = pthread_cond_timedwait(&signer->returned, &signer->mutex, &until);
	if (signer->idle_count > 0)
		*channel = (struct channel){signer->idle[--signer->idle_count], signer->epoch};
	else
		result = diag_set(
			diag, signer->count > 0 ? "it is busy for too long" : "it is not there");
	(void)pthread_mutex_unlock(&signer->mutex);
	return result;
}

static void
give_back(struct signer *signer, const struct channel *channel, bool usable)
{
	(void)pthread_mutex_lock(&signer->mutex);
	bool present = channel->epoch == signer->epoch;
	if (present && usable)
		signer->idle[signer->idle_count++] = channel->fd;
	else
		(void)close(channel->fd);
	if (present && !usable)
		signer->count--;
	/* All that wait must hear of it when there is no channel left. */
	(void)pthread_cond_broadcast(&signer->returned);
	(void)pthread_mutex_unlock(&signer->mutex);
}

/* Receive the next answer. Returns 1; 0 if none came in time; or -1 if the channel is broken. */
static int
receive(int fd, double deadline, uint8_t *bytes, struct signing_answer *answer)
{
	double left = deadline - clock_seconds();
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	int ready = poll(&polled, 1, left > 0 ? (int)(left * 1000) + 1 : 0);

	if (ready == 0)
		return 0;
	if (ready < 0)
		return errno == EINTR && left > 0 ? receive(fd, deadline, bytes, answer) : -1;
	ssize_t got = recv(fd, bytes, SIGNING_ANSWER_SIZE, MSG_DONTWAIT);
	if (got <= 0 || signing_decode_answer(answer, bytes, (size_t)got) < 0)
		return -1;
	return 1;
}

static int
copy_signature(const struct signing_answer *answer, gnutls_datum_t *signature, struct diag *diag)
{
	if (!answer->good)
		return diag_set(diag, "%.*s", (int)answer->size, (const char *)answer->bytes);
	signature->data = gnutls_malloc(answer->size + 1);
	if (!signature->data)
		return diag_set(diag, "out of memory");
	memcpy(signature->data, answer->bytes, answer->size);
	signature->size = (unsigned)answer->size;
	return 0;
}

/*
 * The answer to @request. One that comes for an earlier request, which was not waited for, is passed
 * over.
 */
static int
ask(const struct channel *channel, const struct signing_request *request, double deadline,
	gnutls_datum_t *signature, bool *usable, struct diag *diag)
{
	uint8_t bytes[SIGNING_REQUEST_SIZE], answered[SIGNING_ANSWER_SIZE];
	size_t size = signing_encode_request(request, bytes);
	struct signing_answer answer = {0};
	int result = 1;

	if (send(channel->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size) {
		/* Nobody makes new channels for one that has only stood still for long. */
		*usable = errno == EAGAIN || errno == ENOBUFS;
		return diag_set(diag, "it takes no requests: %s", strerror(errno));
	}
	do
		result = receive(channel->fd, deadline, answered, &answer);
	while (result > 0 && answer.number != request->number);
	*usable = result >= 0;
	if (result < 0)
		return diag_set(diag, "it has hung up");
	if (result == 0)
		return diag_set(diag, "it did not answer within %.0f s", patience);
	return copy_signature(&answer, signature, diag);
}

static void
complain(struct signer *signer, const struct diag *diag)
{
	double now = clock_seconds();

	(void)pthread_mutex_lock(&signer->mutex);
	bool quietly = now - signer->told_at < quiet;
	if (!quietly)
		signer->told_at = now;
	(void)pthread_mutex_unlock(&signer->mutex);
	if (!quietly)
		log_write(LOG_LEVEL_ERROR, "the key process gives no signature: %s", diag->text);
}

static int
sign_with(struct signer *signer, struct signing_request *request, gnutls_datum_t *signature,
	struct diag *diag)
{
	double deadline = clock_seconds() + patience;
	struct channel channel = {.fd = -1};
	bool usable;

	request->number = atomic_fetch_add(&signer->number, 1);
	if (borrow(signer, deadline, &channel, diag) < 0)
		return -1;
	int result = ask(&channel, request, deadline, signature, &usable, diag);
	give_back(signer, &channel, usable);
	return result;
}

/*
 * With PKCS#1 v1.5, GnuTLS hands over a DigestInfo and calls that "raw"; the key process wants to know
 * what it signs. Returns 0, or -1 if it is none.
 */
static int
unwrap(const gnutls_datum_t *info, struct signing_request *request, uint8_t *hash)
{
	gnutls_digest_algorithm_t digest;
	unsigned size = HASH_LIMIT;

	if (gnutls_decode_ber_digest_info(info, &digest, hash, &size) < 0)
		return -1;
	request->algorithm = (uint32_t)gnutls_pk_to_sign(GNUTLS_PK_RSA, digest);
	request->data = hash;
	request->size = size;
	return 0;
}

/* For hashes and, with EdDSA, for data alike: the key process knows by the algorithm which it is. */
static int
sign(gnutls_privkey_t key, gnutls_sign_algorithm_t algorithm, void *userdata, unsigned flags,
	const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	const struct remote *remote = userdata;
	struct signing_request request = {.algorithm = (uint32_t)algorithm,
		.id = remote->public.id,
		.data = data->data,
		.size = data->size};
	uint8_t hash[HASH_LIMIT];
	struct diag diag;

	(void)key;
	(void)flags;
	if (algorithm == GNUTLS_SIGN_RSA_RAW && unwrap(data, &request, hash) < 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	if (!remote->signer || data->size > SIGNING_DATA_LIMIT)
		return GNUTLS_E_PK_SIGN_FAILED;
	if (sign_with(remote->signer, &request, signature, &diag) == 0)
		return 0;
	complain(remote->signer, &diag);
	/* Never GNUTLS_E_AGAIN, at which GnuTLS would leave the signature out. */
	return GNUTLS_E_PK_SIGN_FAILED;
}

/* Only the RSA key exchange, which is never offered, would ask for it. */
static int
refuse_to_decrypt(gnutls_privkey_t key, void *userdata, const gnutls_datum_t *ciphertext,
	gnutls_datum_t *plaintext)
{
	(void)key;
	(void)userdata;
	(void)ciphertext;
	(void)plaintext;
	return GNUTLS_E_PK_DECRYPTION_FAILED;
}

static void
release(gnutls_privkey_t key, void *userdata)
{
	struct remote *remote = userdata;

	(void)key;
	signer_unref(remote->signer);
	free(remote);
}

static int
inform(gnutls_privkey_t key, unsigned flags, void *userdata)
{
	const struct remote *remote = userdata;

	(void)key;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)remote->public.kind;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)remote->public.bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) {
		return (int)gnutls_sign_supports_pk_algorithm(
			(gnutls_sign_algorithm_t)GNUTLS_FLAGS_TO_SIGN_ALGO(flags),
			remote->public.kind);
	}
	return 0;
}

int
signer_key(
	struct signer *signer, const struct spki *public, gnutls_privkey_t *key, struct diag *diag)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote || gnutls_privkey_init(key) < 0) {
		free(remote);
		return diag_set(diag, "out of memory");
	}
	remote->public = *public;
	int error = gnutls_privkey_import_ext4(
		*key, remote, sign, sign, refuse_to_decrypt, release, inform, 0);
	if (error < 0) {
		gnutls_privkey_deinit(*key);
		free(remote);
		return diag_set(diag, "%s", tls_words(error).text);
	}
	remote->signer = signer ? signer_ref(signer) : NULL;
	return 0;
}
