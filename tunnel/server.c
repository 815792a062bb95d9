/* SPDX-License-Identifier: MIT */
#include "tunnel/server.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/log.h"
#include "common/message.h"
#include "common/pool.h"
#include "common/sealed.h"
#include "tunnel/admission.h"
#include "tunnel/config.h"
#include "tunnel/generation.h"
#include "tunnel/loan.h"
#include "tunnel/offer.h"
#include "tunnel/place.h"
#include "tunnel/protocol.h"
#include "tunnel/signer.h"
#include "tunnel/totals.h"
#include "tunnel/worker.h"

/* How often old services are let go, and memory that is not needed any more is given back. */
static const double tidy_period = 5;

struct server {
	int channel, log_fd;
	struct pool_budget budget;
	struct admission admission;
	struct worker_common common;
	atomic_bool busy_wait;
	struct places places;
	struct worker **workers;
	unsigned worker_count;
	struct totals totals;
	struct signer *signer;
	struct offer_sockets sockets; /* of the generation that is about to come */
	struct offer *offer;	      /* accepted, not committed */
	struct config *config;	      /* what runs; NULL: nothing yet */
	bool committing;	      /* workers have yet to take what runs */
	bool draining, aborting, main_is_gone;
	double deadline; /* 0: none */
	double tidy_at;
	size_t trimmed; /* tunnels when memory was given back */
	struct message message;
};

static void
take_log(struct server *server, struct message *message)
{
	struct log_settings settings = protocol_log_settings(message->number);

	settings.fd = message_take(message, 0);
	if (settings.fd < 0)
		return;
	log_configure(&settings);
	if (server->log_fd >= 0)
		(void)close(server->log_fd);
	server->log_fd = settings.fd;
}

static void
answer(struct server *server, enum protocol_kind kind, const char *words)
{
	struct diag diag;

	if (protocol_say(server->channel, kind, words, &diag) < 0)
		log_write(LOG_LEVEL_ERROR, "answer the main process: %s", diag.text);
}

static void
drain_all(struct server *server)
{
	if (server->draining)
		return;
	server->draining = true;
	if (server->config && server->config->drain_timeout > 0)
		server->deadline = clock_seconds() + server->config->drain_timeout;
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_drain(server->workers[i]);
}

static void
abort_all(struct server *server, const char *reason)
{
	server->draining = server->aborting = true;
	server->deadline = 0;
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_abort(server->workers[i], reason);
}

/* One that is missing shows when the generation is looked at. */
static void
take_sockets(struct server *server, struct message *message)
{
	for (size_t i = 0; i < message->fd_count; i++)
		if (offer_sockets_add(&server->sockets, message_take(message, i)) < 0)
			log_write(LOG_LEVEL_ERROR, "out of memory for a listening socket");
}

static void
take_channels(struct server *server, struct message *message)
{
	int fds[MESSAGE_FDS_LIMIT];
	size_t count = message->fd_count;

	for (size_t i = 0; i < count; i++)
		fds[i] = message_take(message, i);
	signer_connect(server->signer, fds, count);
	if (message->lost)
		answer(server, PROTOCOL_LOST, "");
}

/* The first generation says how many workers there are, for good. */
static int
start_workers(struct server *server, unsigned count, FILE *errors)
{
	struct diag diag;

	if (server->worker_count == count)
		return 0;
	if (server->workers) {
		(void)fprintf(errors, "the number of workers changes only by a restart\n");
		return -1;
	}
	server->workers = calloc(count, sizeof(struct worker *));
	server->common.helpers = loan_helpers_new(loan_threads(count));
	if (!server->workers || !server->common.helpers) {
		(void)fprintf(errors, "out of memory\n");
		return -1;
	}
	server->budget.limit = SIZE_MAX;
	server->places.workers = count;
	while (server->worker_count < count) {
		struct worker *worker = worker_new(&server->common, server->worker_count, &diag);
		if (!worker) {
			(void)fprintf(errors, "start a worker: %s\n", diag.text);
			return -1;
		}
		server->workers[server->worker_count++] = worker;
	}
	return 0;
}

static struct offer *
make_offer(struct server *server, const struct message *message, FILE *errors)
{
	struct offer *offer = NULL;
	struct diag diag;
	uint8_t *bytes = NULL;
	size_t size = 0;

	if (message->fd_count != 1)
		(void)fprintf(errors, "a generation came without its bytes\n");
	else if (sealed_read(message->fds[0], GENERATION_LIMIT, &bytes, &size, &diag) < 0)
		(void)fprintf(errors, "%s\n", diag.text);
	else
		offer = offer_new(bytes, size, &server->sockets, server->signer, errors);
	sealed_free(bytes, size);
	offer_sockets_release(&server->sockets);
	if (offer && start_workers(server, offer->workers, errors) == 0)
		return offer;
	offer_free(offer);
	return NULL;
}

static void
take_generation(struct server *server, const struct message *message)
{
	char *words = NULL;
	size_t length = 0;
	FILE *errors = open_memstream(&words, &length);

	offer_free(server->offer);
	server->offer = errors ? make_offer(server, message, errors) : NULL;
	if (!errors || fclose(errors) != 0)
		answer(server, PROTOCOL_REFUSED, "out of memory");
	else if (server->offer)
		answer(server, PROTOCOL_ACCEPTED, "");
	else
		answer(server, PROTOCOL_REFUSED, words);
	free(words);
}

static void
set_limits(struct server *server, const struct offer *offer)
{
	struct rlimit descriptors = {.rlim_cur = 1024};

	(void)getrlimit(RLIMIT_NOFILE, &descriptors);
	server->admission.limit =
		admission_limit(descriptors.rlim_cur, offer->workers, offer->sockets);
	server->budget.limit = offer->config->buffer_memory;
	atomic_store(&server->busy_wait, offer->config->busy_wait);
}

static void
commit(struct server *server)
{
	struct offer *offer = server->offer;

	if (!offer || server->draining)
		return;
	server->offer = NULL;
	set_limits(server, offer);
	totals_collect(&server->totals);
	for (size_t i = 0; i < offer->config->service_count; i++) {
		if (totals_add(&server->totals, offer->services[i]) < 0)
			log_write(
				LOG_LEVEL_WARNING, "out of memory: the totals will be incomplete");
	}
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_listen(server->workers[i], &offer->listeners[i]);
	server->committing = true;
	config_unref(server->config);
	server->config = config_ref(offer->config);
	offer_free(offer);
}

/* Once that is the case for all workers. Of a server that ends, main wants to know nothing any more. */
static void
tell_committed(struct server *server)
{
	if (!server->committing || server->draining)
		return;
	for (unsigned i = 0; i < server->worker_count; i++)
		if (!worker_is_current(server->workers[i]))
			return;
	server->committing = false;
	answer(server, PROTOCOL_COMMITTED, "");
}

static void
obey(struct server *server, struct message *message)
{
	switch ((enum protocol_kind)message->type) {
	case PROTOCOL_LOG:
		take_log(server, message);
		break;
	case PROTOCOL_SOCKETS:
		take_sockets(server, message);
		break;
	case PROTOCOL_GENERATION:
		take_generation(server, message);
		break;
	case PROTOCOL_COMMIT:
		commit(server);
		break;
	case PROTOCOL_DRAIN:
		drain_all(server);
		break;
	case PROTOCOL_ABORT:
		abort_all(server, "the program was told twice to end");
		break;
	case PROTOCOL_CHANNELS:
		take_channels(server, message);
		break;
	case PROTOCOL_KEYRING:
	case PROTOCOL_ACCEPTED:
	case PROTOCOL_REFUSED:
	case PROTOCOL_COMMITTED:
	case PROTOCOL_LOST:
	default:
		log_write(LOG_LEVEL_ERROR, "the main process said %u, which means nothing",
			(unsigned)message->type);
	}
}

/* One message; it is large, so there is one for all. */
static void
hear_main(struct server *server)
{
	struct diag diag;

	switch (message_receive(server->channel, &server->message, &diag)) {
	case MESSAGE_DONE:
		if (server->message.lost)
			log_write(LOG_LEVEL_ERROR, "%s", protocol_lost);
		obey(server, &server->message);
		message_release(&server->message);
		return;
	case MESSAGE_AGAIN:
		return;
	case MESSAGE_END:
		break;
	case MESSAGE_ERROR:
		log_write(LOG_LEVEL_ERROR, "listen to the main process: %s", diag.text);
		break;
	}
	server->main_is_gone = true;
	abort_all(server, "the main process is gone");
}

static bool
all_have_ended(const struct server *server)
{
	for (unsigned i = 0; i < server->worker_count; i++)
		if (!worker_has_ended(server->workers[i]))
			return false;
	return true;
}

/*
 * Handshakes leave holes in the heap. Closing them takes long with a large one, so it is done when the number
 * of tunnels has doubled or halved.
 */
static void
give_memory_back(struct server *server)
{
	size_t tunnels = server->admission.tunnels, before = server->trimmed;

	if (tunnels > 0 && tunnels > before / 2 && tunnels < before * 2)
		return;
	(void)malloc_trim(0);
	server->trimmed = tunnels;
}

static void
watch_clock(struct server *server)
{
	double now = clock_seconds();

	if (server->deadline > 0 && now >= server->deadline)
		abort_all(server, "drain-timeout");
	if (now < server->tidy_at)
		return;
	server->tidy_at = now + tidy_period;
	totals_collect(&server->totals);
	give_memory_back(server);
}

static int
milliseconds_left(const struct server *server)
{
	double until = server->tidy_at;

	if (server->deadline > 0 && server->deadline < until)
		until = server->deadline;
	double left = until - clock_seconds();
	return left > 0 ? (int)(left * 1000) + 1 : 0;
}

static void
loop(struct server *server)
{
	while (!server->draining || !all_have_ended(server)) {
		struct pollfd polled[] = {
			{.fd = server->common.news, .events = POLLIN},
			{.fd = server->channel, .events = POLLIN},
		};
		nfds_t count = server->main_is_gone ? 1 : 2;
		uint64_t news;

		if (poll(polled, count, milliseconds_left(server)) < 0 && errno != EINTR)
			abort_all(server, "poll fails");
		if (polled[0].revents &&
			read(server->common.news, &news, sizeof(news)) < (ssize_t)sizeof(news))
			log_write(
				LOG_LEVEL_ERROR, "read the workers' eventfd: %s", strerror(errno));
		if (count == 2 && polled[1].revents)
			hear_main(server);
		tell_committed(server);
		watch_clock(server);
	}
}

/* Returns how many tunnels were aborted. */
static size_t
finish(struct server *server)
{
	size_t aborted = 0;

	for (unsigned i = 0; i < server->worker_count; i++) {
		aborted += worker_aborted(server->workers[i]);
		worker_free(server->workers[i]);
	}
	loan_helpers_free(server->common.helpers);
	free(server->workers);
	offer_free(server->offer);
	offer_sockets_release(&server->sockets);
	config_unref(server->config);
	totals_finish(&server->totals);
	signer_unref(server->signer);
	if (aborted > 0)
		log_write(LOG_LEVEL_WARNING, "%zu tunnel%s aborted at the end", aborted,
			aborted == 1 ? " was" : "s were");
	return aborted;
}

bool
server_run(int channel)
{
	struct server server = {.channel = channel, .log_fd = -1, .signer = signer_new()};

	if (!server.signer) {
		log_write(LOG_LEVEL_ERROR, "out of memory");
		return false;
	}
	server.common = (struct worker_common){
		.budget = &server.budget,
		.admission = &server.admission,
		.news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.busy_wait = &server.busy_wait,
		.places = &server.places,
	};
	if (server.common.news < 0) {
		log_write(LOG_LEVEL_ERROR, "make an eventfd: %s", strerror(errno));
		signer_unref(server.signer);
		return false;
	}
	server.tidy_at = clock_seconds() + tidy_period;
	loop(&server);
	size_t aborted = finish(&server);
	log_stop();
	(void)close(server.common.news);
	(void)close(channel);
	if (server.log_fd >= 0)
		(void)close(server.log_fd);
	return aborted == 0 && !server.main_is_gone;
}
