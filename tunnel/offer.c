/* SPDX-License-Identifier: MIT */
#include "tunnel/offer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/text.h"
#include "tunnel/config.h"
#include "tunnel/generation.h"
#include "tunnel/group.h"
#include "tunnel/listener.h"
#include "tunnel/service.h"

static_assert((int)LISTENER_USERS == (int)GENERATION_USERS, "one is copied into the other");

static int
out_of_memory(FILE *errors)
{
	(void)fprintf(errors, "out of memory\n");
	return -1;
}

/* What the listeners of a generation are made of. */
struct gathering {
	struct offer *offer;
	const struct generation *generation;
	struct service **services; /* room for one a listener */
	struct group *latest;
};

static const struct address *
address_of(const struct config *config, const struct generation_listener *listener)
{
	return &config->services[listener->service].accept[listener->accept];
}

/* Has @listener no sockets but those of @first? */
static bool
is_shared(const struct config *config, const struct generation_listener *first,
	const struct generation_listener *listener)
{
	return listener->sockets == 0 &&
		address_is_equal(address_of(config, first), address_of(config, listener));
}

/* Are the service and the sockets of listener @index there? Those before it are. */
static bool
is_possible(const struct generation *generation, const struct config *config, size_t index)
{
	const struct generation_listener *listener = &generation->listeners[index];

	if (listener->service >= config->service_count ||
		listener->accept >= config->services[listener->service].accept_count)
		return false;
	if (listener->sockets > 0)
		return true;
	for (size_t i = 0; i < index; i++)
		if (is_shared(config, &generation->listeners[i], listener))
			return true;
	return false;
}

/* Main has made it, but nothing that comes from outside is used as an index unchecked. */
static int
check(const struct generation *generation, const struct config *config,
	const struct offer_sockets *sockets, FILE *errors)
{
	size_t wanted = generation_sockets(generation);

	if (wanted != sockets->count) {
		(void)fprintf(errors, "%zu listening sockets came instead of %zu\n", sockets->count,
			wanted);
		return -1;
	}
	for (size_t i = 0; i < generation->listener_count; i++) {
		if (is_possible(generation, config, i))
			continue;
		(void)fprintf(errors, "listener %zu belongs to no address\n", i);
		return -1;
	}
	return 0;
}

static struct listener_rule
rule_of(const struct generation_listener *listener)
{
	struct listener_rule rule = {
		.judged = listener->judged, .user_count = listener->user_count};

	memcpy(rule.users, listener->users, sizeof(rule.users));
	return rule;
}

/* A shared socket gets a descriptor a worker, so that each can close its own. */
static int
take_socket(const struct generation_listener *listener, int *fds, unsigned worker)
{
	if (listener->sockets == 1)
		return fcntl(fds[0], F_DUPFD_CLOEXEC, 3);

	int fd = fds[worker];
	fds[worker] = -1;
	return fd;
}

/*
 * The group of the listener at @index, all that share its sockets. Often it is the latest one again,
 * of a service's next address.
 */
static struct group *
find_group(struct gathering *gathering, size_t index)
{
	const struct generation *generation = gathering->generation;
	struct service *const *services = gathering->offer->services;
	struct group *latest = gathering->latest;
	size_t count = 0;

	for (size_t i = index; i < generation->listener_count; i++) {
		const struct generation_listener *listener = &generation->listeners[i];
		if (i == index ||
			is_shared(
				gathering->offer->config, &generation->listeners[index], listener))
			gathering->services[count++] = services[listener->service];
	}
	if (latest && latest->count == count &&
		memcmp(latest->services, gathering->services, count * sizeof(struct service *)) ==
			0)
		return latest;
	group_unref(latest);
	gathering->latest = group_new(gathering->services, count);
	return gathering->latest;
}

static int
add_listener(struct offer *offer, const struct generation_listener *listener, struct group *group,
	int *fds, FILE *errors)
{
	const struct address *accept = address_of(offer->config, listener);
	struct listener_rule rule = rule_of(listener);
	char address[ADDRESS_TEXT_SIZE];
	struct text text;

	text_init(&text, address, sizeof(address));
	address_print(accept, &text);
	for (unsigned i = 0; i < offer->workers; i++) {
		int fd = take_socket(listener, fds, i);
		if (fd < 0) {
			(void)fprintf(errors,
				"service %s: listener %s: %s: raise the limit of descriptors, see "
				"\"ulimit -n\"\n",
				offer->config->services[listener->service].name, address,
				strerror(errno));
			return -1;
		}
		if (listener_add(&offer->listeners[i], address, fd, group, &rule) < 0)
			return out_of_memory(errors);
	}
	offer->sockets += offer->workers;
	return 0;
}

static int
add_each(struct gathering *gathering, int *fds, FILE *errors)
{
	const struct generation *generation = gathering->generation;

	for (size_t i = 0; i < generation->listener_count; i++) {
		const struct generation_listener *listener = &generation->listeners[i];
		if (listener->sockets == 0)
			continue;
		struct group *group = find_group(gathering, i);
		if (!group)
			return out_of_memory(errors);
		if (add_listener(gathering->offer, listener, group, fds, errors) < 0)
			return -1;
		fds += listener->sockets;
	}
	return 0;
}

static int
add_listeners(struct offer *offer, const struct generation *generation,
	const struct offer_sockets *sockets, FILE *errors)
{
	struct gathering gathering = {.offer = offer, .generation = generation};

	gathering.services = calloc(generation->listener_count + 1, sizeof(struct service *));
	if (!gathering.services)
		return out_of_memory(errors);
	int result = add_each(&gathering, sockets->fds, errors);
	group_unref(gathering.latest);
	free(gathering.services);
	return result;
}

static int
allocate(struct offer *offer, unsigned workers, FILE *errors)
{
	offer->services = calloc(offer->config->service_count, sizeof(struct service *));
	offer->listeners = calloc(workers, sizeof(*offer->listeners));
	if (!offer->services || !offer->listeners)
		return out_of_memory(errors);
	offer->workers = workers;
	for (unsigned i = 0; i < workers; i++)
		list_init(&offer->listeners[i]);
	return 0;
}

static int
make(struct offer *offer, const struct generation *generation, const struct offer_sockets *sockets,
	struct signer *signer, FILE *errors)
{
	offer->config = config_new(&generation->texts, errors);
	if (!offer->config || check(generation, offer->config, sockets, errors) < 0 ||
		allocate(offer, generation->workers, errors) < 0)
		return -1;
	if (services_new(offer->config, &generation->files, signer, offer->services, errors) < 0) {
		free(offer->services);
		offer->services = NULL;
		return -1;
	}
	return add_listeners(offer, generation, sockets, errors);
}

struct offer *
offer_new(const uint8_t *bytes, size_t size, struct offer_sockets *sockets, struct signer *signer,
	FILE *errors)
{
	struct offer *offer = calloc(1, sizeof(*offer));
	struct generation generation = {0};
	struct diag diag;
	int result = -1;

	if (!offer)
		(void)out_of_memory(errors);
	else if (generation_decode(&generation, bytes, size, &diag) < 0)
		(void)fprintf(errors, "%s\n", diag.text);
	else
		result = make(offer, &generation, sockets, signer, errors);
	generation_release(&generation);
	offer_sockets_release(sockets);
	if (result == 0)
		return offer;
	offer_free(offer);
	return NULL;
}

void
offer_free(struct offer *offer)
{
	if (!offer)
		return;
	for (unsigned i = 0; i < offer->workers; i++)
		listener_free_all(&offer->listeners[i]);
	for (size_t i = 0; offer->services && i < offer->config->service_count; i++)
		service_unref(offer->services[i]);
	free(offer->listeners);
	free(offer->services);
	config_unref(offer->config);
	free(offer);
}

int
offer_sockets_add(struct offer_sockets *sockets, int fd)
{
	int *grown = realloc(sockets->fds, (sockets->count + 1) * sizeof(*grown));

	if (!grown) {
		(void)close(fd);
		return -1;
	}
	sockets->fds = grown;
	grown[sockets->count++] = fd;
	return 0;
}

void
offer_sockets_release(struct offer_sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->fds[i] >= 0)
			(void)close(sockets->fds[i]);
	free(sockets->fds);
	*sockets = (struct offer_sockets){0};
}
