/* SPDX-License-Identifier: MIT */
#include "tunnel/keys.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/list.h"
#include "common/log.h"
#include "common/message.h"
#include "common/sealed.h"
#include "tunnel/keyring.h"
#include "tunnel/keyset.h"
#include "tunnel/keyshelf.h"
#include "tunnel/protocol.h"
#include "tunnel/signature.h"
#include "tunnel/signing.h"

/* How long threads may take to end, seconds: a token may hang. */
static const double patience = 2;

struct keys {
	int channel, log_fd;
	struct keyshelf *shelf;
	bool over, broken;
	pthread_mutex_t mutex; /* for what is below */
	pthread_cond_t ended;
	struct list counters;
	size_t counter_count;
	struct message message;
};

/* A thread's end of one channel of serve. */
struct counter {
	struct list link;
	struct keys *keys;
	int fd;
};

static int
sign(struct keyshelf *shelf, const struct signing_request *request, gnutls_datum_t *signature,
	struct diag *diag)
{
	const struct signature_wish wish = {
		.algorithm = request->algorithm, .data = request->data, .size = request->size};
	struct keyset *keyset = keyshelf_find(shelf, request->id);

	if (!keyset)
		return diag_set(diag, "it does not know the key");
	const struct keyset_key *key = keyset_find(keyset, request->id);
	int result = signature_make(key->key, key->public.kind, &wish, signature, diag);
	keyset_unref(keyset);
	return result;
}

/* Returns -1 when the other end breaks the rules, or is gone. */
static int
serve_one(const struct counter *counter, uint8_t *bytes)
{
	ssize_t got = recv(counter->fd, bytes, SIGNING_REQUEST_SIZE + 1, 0);
	gnutls_datum_t signature = {NULL, 0};
	struct signing_request request;
	uint8_t answered[SIGNING_ANSWER_SIZE];
	struct diag diag;

	if (got < 0 && errno == EINTR)
		return 0;
	if (got <= 0 || signing_decode_request(&request, bytes, (size_t)got) < 0)
		return -1;
	struct signing_answer answer = {.number = request.number};
	answer.good = sign(counter->keys->shelf, &request, &signature, &diag) == 0;
	answer.bytes = answer.good ? signature.data : (const uint8_t *)diag.text;
	answer.size = answer.good ? signature.size : strlen(diag.text);
	size_t size = signing_encode_answer(&answer, answered);
	gnutls_free(signature.data);
	/* Who does not take what it asked for must not hold up a thread, but may have been slow only. */
	if (send(counter->fd, answered, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	return errno == EAGAIN || errno == ENOBUFS ? 0 : -1;
}

static void
enter(struct counter *counter)
{
	struct keys *keys = counter->keys;

	(void)pthread_mutex_lock(&keys->mutex);
	list_append(&keys->counters, &counter->link);
	keys->counter_count++;
	(void)pthread_mutex_unlock(&keys->mutex);
}

/* The last that a thread does with @counter, and with what it belongs to. */
static void
leave(struct counter *counter)
{
	struct keys *keys = counter->keys;

	(void)pthread_mutex_lock(&keys->mutex);
	list_remove(&counter->link);
	keys->counter_count--;
	(void)close(counter->fd);
	free(counter);
	(void)pthread_cond_signal(&keys->ended);
	(void)pthread_mutex_unlock(&keys->mutex);
}

static void *
attend(void *opaque)
{
	struct counter *counter = opaque;
	uint8_t *bytes = malloc(SIGNING_REQUEST_SIZE + 1);

	while (bytes && serve_one(counter, bytes) == 0)
		;
	free(bytes);
	leave(counter);
	return NULL;
}

/* Attend to @fd, which is taken over, in a thread of its own. */
static int
start_thread(struct keys *keys, int fd)
{
	struct counter *counter = malloc(sizeof(*counter));
	pthread_attr_t attributes;
	pthread_t thread;

	if (!counter) {
		(void)close(fd);
		return -1;
	}
	*counter = (struct counter){.keys = keys, .fd = fd};
	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	enter(counter);
	int error = pthread_create(&thread, &attributes, attend, counter);
	(void)pthread_attr_destroy(&attributes);
	if (error != 0)
		leave(counter);
	return error == 0 ? 0 : -1;
}

static void
take_channels(struct keys *keys, struct message *message)
{
	for (size_t i = 0; i < message->fd_count; i++) {
		int fd = message_take(message, i);
		if (fd >= 0 && start_thread(keys, fd) < 0)
			log_write(LOG_LEVEL_ERROR, "the key process cannot start another thread");
	}
}

static void
take_log(struct keys *keys, struct message *message)
{
	struct log_settings settings = protocol_log_settings(message->number);

	settings.fd = message_take(message, 0);
	if (settings.fd < 0)
		return;
	log_configure(&settings);
	if (keys->log_fd >= 0)
		(void)close(keys->log_fd);
	keys->log_fd = settings.fd;
}

static struct keyset *
make_keyset(struct keyshelf *shelf, const struct message *message, FILE *errors)
{
	struct keyset *present = keyshelf_present(shelf);
	struct keyring keyring = {0};
	struct keyset *keyset = NULL;
	uint8_t *bytes = NULL;
	size_t size = 0;
	struct diag diag;

	if (message->fd_count != 1)
		(void)fprintf(errors, "a keyring came without its bytes\n");
	else if (sealed_read(message->fds[0], KEYRING_LIMIT, &bytes, &size, &diag) < 0 ||
		keyring_decode(&keyring, bytes, size, &diag) < 0)
		(void)fprintf(errors, "%s\n", diag.text);
	else
		keyset = keyset_new(&keyring, present, errors);
	keyset_unref(present);
	sealed_free(bytes, size);
	return keyset;
}

static void
answer(struct keys *keys, enum protocol_kind kind, const char *words)
{
	struct diag diag;

	if (protocol_say(keys->channel, kind, words, &diag) == 0)
		return;
	log_write(LOG_LEVEL_ERROR, "the key process: answer the main process: %s", diag.text);
	keys->over = keys->broken = true;
}

static void
take_keyring(struct keys *keys, const struct message *message)
{
	char *words = NULL;
	size_t length = 0;
	FILE *errors = open_memstream(&words, &length);
	struct keyset *keyset = errors ? make_keyset(keys->shelf, message, errors) : NULL;

	/* Serve may ask for a signature as soon as main has heard the answer. */
	keyshelf_offer(keys->shelf, keyset);
	if (!errors || fclose(errors) != 0)
		answer(keys, PROTOCOL_REFUSED, "out of memory");
	else if (keyset)
		answer(keys, PROTOCOL_ACCEPTED, "");
	else
		answer(keys, PROTOCOL_REFUSED, words);
	free(words);
}

static void
obey(struct keys *keys, struct message *message)
{
	switch ((enum protocol_kind)message->type) {
	case PROTOCOL_LOG:
		take_log(keys, message);
		break;
	case PROTOCOL_KEYRING:
		take_keyring(keys, message);
		break;
	case PROTOCOL_COMMIT:
		keyshelf_commit(keys->shelf, clock_seconds());
		break;
	case PROTOCOL_CHANNELS:
		take_channels(keys, message);
		break;
	case PROTOCOL_DRAIN:
		keyshelf_retire(keys->shelf, clock_seconds());
		break;
	case PROTOCOL_SOCKETS:
	case PROTOCOL_GENERATION:
	case PROTOCOL_ABORT:
	case PROTOCOL_ACCEPTED:
	case PROTOCOL_REFUSED:
	default:
		log_write(LOG_LEVEL_ERROR,
			"the main process said %u to the key process, which means nothing",
			(unsigned)message->type);
	}
}

static void
hear_main(struct keys *keys)
{
	struct diag diag;

	switch (message_receive(keys->channel, &keys->message, &diag)) {
	case MESSAGE_DONE:
		if (keys->message.lost)
			log_write(LOG_LEVEL_ERROR, "the key process: %s", protocol_lost);
		obey(keys, &keys->message);
		message_release(&keys->message);
		return;
	case MESSAGE_AGAIN:
		return;
	case MESSAGE_END:
		break;
	case MESSAGE_ERROR:
		log_write(LOG_LEVEL_ERROR, "the key process: listen to the main process: %s",
			diag.text);
		keys->broken = true;
		break;
	}
	keys->over = true;
}

static void
turn(struct keys *keys)
{
	struct pollfd polled = {.fd = keys->channel, .events = POLLIN};
	double left = keyshelf_tidy(keys->shelf, clock_seconds());
	int ready = poll(&polled, 1, left < 0 ? -1 : (int)(left * 1000) + 1);

	if (ready > 0)
		hear_main(keys);
	else if (ready < 0 && errno != EINTR)
		keys->over = keys->broken = true;
}

/* Returns whether all threads have ended. */
static bool
end_threads(struct keys *keys)
{
	struct timespec until;
	struct list *link;
	int error = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)patience;
	(void)pthread_mutex_lock(&keys->mutex);
	list_for_each (link, &keys->counters)
		(void)shutdown(container_of(link, struct counter, link)->fd, SHUT_RDWR);
	while (error == 0 && keys->counter_count > 0)
		error = pthread_cond_timedwait(&keys->ended, &keys->mutex, &until);
	bool ended = keys->counter_count == 0;
	(void)pthread_mutex_unlock(&keys->mutex);
	return ended;
}

/* A thread that hangs in a token keeps what it uses. */
static void
finish(struct keys *keys)
{
	bool ended = end_threads(keys);

	log_stop();
	(void)close(keys->channel);
	if (keys->log_fd >= 0)
		(void)close(keys->log_fd);
	if (!ended)
		return;
	keyshelf_free(keys->shelf);
	(void)pthread_cond_destroy(&keys->ended);
	(void)pthread_mutex_destroy(&keys->mutex);
	free(keys);
}

bool
keys_run(int channel)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	if (keys)
		keys->shelf = keyshelf_new();
	if (!keys || !keys->shelf) {
		log_write(LOG_LEVEL_ERROR, "the key process: out of memory");
		free(keys);
		return false;
	}
	keys->channel = channel;
	keys->log_fd = -1;
	list_init(&keys->counters);
	(void)pthread_mutex_init(&keys->mutex, NULL);
	(void)pthread_cond_init(&keys->ended, NULL);
	while (!keys->over)
		turn(keys);
	bool good = !keys->broken;
	finish(keys);
	return good;
}
