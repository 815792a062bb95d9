/* SPDX-License-Identifier: MIT */
#include "tunnel/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "common/log.h"
#include "common/message.h"
#include "common/sealed.h"
#include "common/socket.h"
#include "common/text.h"
#include "tunnel/config.h"
#include "tunnel/draft.h"
#include "tunnel/generation.h"
#include "tunnel/protocol.h"

static const char *const mode_names[] = {
	[MODE_ENCRYPT] = "encrypt",
	[MODE_OFFLOAD] = "offload",
	[MODE_BRIDGE] = "bridge",
};

static int
bind_listener(struct plan *plan, const struct plan *present,
	const struct generation_listener *listener, unsigned workers, struct diag *diag)
{
	const struct service_config *service = &plan->config->services[listener->service];
	struct socket_options options;

	if (draft_socket_options(plan->config, service, &options, diag) < 0)
		return -1;
	if (bindings_add(&plan->bindings, &present->bindings, &service->accept[listener->accept],
		    &options, workers, diag) == 0)
		return 0;
	config_blame(plan->config, service, SIDE_ACCEPT, "accept", diag);
	return -1;
}

/* An address that several services share is bound for the first of them. */
static int
bind_all(struct plan *plan, const struct plan *present, const struct generation *generation,
	unsigned workers, struct diag *diag)
{
	for (size_t i = 0; i < generation->listener_count; i++) {
		const struct generation_listener *listener = &generation->listeners[i];
		if (listener->sockets > 0 &&
			bind_listener(plan, present, listener, workers, diag) < 0)
			return -1;
	}
	return 0;
}

/* What tickets are made of that no file has the secret for; serve forgets it with its process, main does not. */
static int
add_ticket_master(
	struct plan *plan, const struct plan *present, struct files *files, struct diag *diag)
{
	size_t size = sizeof(plan->ticket_master);

	if (present->config)
		memcpy(plan->ticket_master, present->ticket_master, size);
	else if (getentropy(plan->ticket_master, size))
		return diag_set(diag, "no random bytes: %s", strerror(errno));
	return files_add(files, TICKET_MASTER_FILE, plan->ticket_master, size, diag);
}

/* The listeners with sockets and the bindings are in the same order: that of the configuration. */
static int
seal(struct plan *plan, struct generation *generation, unsigned workers, struct diag *diag)
{
	const struct binding *binding = plan->bindings.entries;
	uint8_t *bytes = NULL;
	size_t size = 0;

	generation->workers = workers;
	for (size_t i = 0; i < generation->listener_count; i++)
		if (generation->listeners[i].sockets > 0)
			generation->listeners[i].sockets = (binding++)->fd_count;
	if (generation_encode(generation, &bytes, &size, diag) < 0)
		return -1;
	plan->sealed = sealed_new(bytes, size, diag);
	generation_wipe(bytes, size);
	return plan->sealed < 0 ? -1 : 0;
}

static int
seal_keyring(struct plan *plan, const struct keyring *keyring, struct diag *diag)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	if (keyring->count == 0)
		return 0;
	if (keyring_encode(keyring, &bytes, &size, diag) < 0)
		return -1;
	plan->keyring = sealed_new(bytes, size, diag);
	sealed_free(bytes, size);
	return plan->keyring < 0 ? -1 : 0;
}

int
plan_make(struct plan *plan, const struct plan *present, struct draft *draft, unsigned workers,
	struct diag *diag)
{
	plan->config = config_ref(draft->config);
	plan->sealed = plan->keyring = -1;
	if (bind_all(plan, present, &draft->generation, workers, diag) == 0 &&
		add_ticket_master(plan, present, &draft->generation.files, diag) == 0 &&
		seal(plan, &draft->generation, workers, diag) == 0 &&
		seal_keyring(plan, &draft->keyring, diag) == 0)
		return 0;
	plan_cancel(plan);
	return -1;
}

static int
remake(struct plan *plan, const struct plan *present, struct generation *generation,
	const struct files *files, struct diag *diag)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = &files->entries[i];
		if (files_put(&generation->files, file->path, file->data, file->size, diag) < 0)
			return -1;
	}
	if (bind_all(plan, present, generation, generation->workers, diag) < 0 ||
		seal(plan, generation, generation->workers, diag) < 0)
		return -1;
	if (present->keyring < 0)
		return 0;
	plan->keyring = fcntl(present->keyring, F_DUPFD_CLOEXEC, 0);
	return plan->keyring < 0 ? diag_set(diag, "keep a keyring: %s", strerror(errno)) : 0;
}

int
plan_make_with(
	struct plan *plan, const struct plan *present, const struct files *files, struct diag *diag)
{
	struct generation generation = {0};

	if (plan_open(present, &generation, diag) < 0)
		return -1;
	plan->config = config_ref(present->config);
	plan->sealed = plan->keyring = -1;
	memcpy(plan->ticket_master, present->ticket_master, sizeof(plan->ticket_master));
	int result = remake(plan, present, &generation, files, diag);
	generation_release(&generation);
	if (result < 0)
		plan_cancel(plan);
	return result;
}

int
plan_open(const struct plan *plan, struct generation *generation, struct diag *diag)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	if (sealed_read(plan->sealed, GENERATION_LIMIT, &bytes, &size, diag) < 0)
		return -1;
	int result = generation_decode(generation, bytes, size, diag);
	sealed_free(bytes, size);
	return result;
}

bool
plan_is_same(const struct plan *plan, const struct plan *present)
{
	bool has_keys = plan->keyring >= 0;

	return sealed_is_same(plan->sealed, present->sealed) &&
		has_keys == (present->keyring >= 0) &&
		(!has_keys || sealed_is_same(plan->keyring, present->keyring));
}

int
plan_keyring(const struct plan *plan)
{
	return plan->config ? plan->keyring : -1;
}

static int
add_socket(struct message *message, int channel, int fd, struct diag *diag)
{
	message->fds[message->fd_count++] = fd;
	if (message->fd_count < MESSAGE_FDS_LIMIT)
		return 0;
	int result = protocol_send(channel, message, diag);
	message->fd_count = 0;
	return result;
}

static int
send_sockets(const struct plan *plan, int channel, struct message *message, struct diag *diag)
{
	message->type = PROTOCOL_SOCKETS;
	for (size_t i = 0; i < plan->bindings.count; i++) {
		const struct binding *binding = &plan->bindings.entries[i];
		for (unsigned j = 0; j < binding->fd_count; j++)
			if (add_socket(message, channel, binding->fds[j], diag) < 0)
				return -1;
	}
	return message->fd_count > 0 ? protocol_send(channel, message, diag) : 0;
}

int
plan_send(const struct plan *plan, int channel, struct diag *diag)
{
	struct message message;

	message.number = message.length = message.fd_count = 0;
	if (send_sockets(plan, channel, &message, diag) < 0)
		return -1;
	message.type = PROTOCOL_GENERATION;
	message.fd_count = 1;
	message.fds[0] = plan->sealed;
	return protocol_send(channel, &message, diag);
}

static void
forget(struct plan *plan)
{
	if (plan->config && plan->sealed >= 0)
		(void)close(plan->sealed);
	if (plan_keyring(plan) >= 0)
		(void)close(plan->keyring);
	config_unref(plan->config);
	explicit_bzero(plan->ticket_master, sizeof(plan->ticket_master));
	*plan = (struct plan){0};
}

void
plan_replace(struct plan *present, struct plan *plan)
{
	struct bindings bindings = present->bindings;

	bindings_replace(&bindings, &plan->bindings);
	forget(present);
	*present = *plan;
	present->bindings = bindings;
	explicit_bzero(plan->ticket_master, sizeof(plan->ticket_master));
	*plan = (struct plan){0};
}

void
plan_cancel(struct plan *plan)
{
	bindings_cancel(&plan->bindings);
	forget(plan);
}

void
plan_release(struct plan *present)
{
	bindings_release(&present->bindings);
	forget(present);
}

static void
log_listener(const struct service_config *service, const struct binding *binding)
{
	char address[ADDRESS_TEXT_SIZE];
	struct text text;
	const struct log_field fields[] = {
		{.key = "service", .text = service->name},
		{.key = "mode", .text = mode_names[service->mode]},
		{.key = "address", .text = address},
		{.key = "sockets", .number = binding->fd_count},
	};

	text_init(&text, address, sizeof(address));
	address_print(&binding->address, &text);
	log_fields(LOG_LEVEL_NOTICE, "listening", fields, ARRAY_SIZE(fields));
}

/* The bindings are in the order of the configuration, and one that is shared stands where it is first. */
void
plan_log_listeners(const struct plan *plan)
{
	const struct binding *binding = plan->bindings.entries;
	const struct binding *end = binding + plan->bindings.count;

	for (size_t i = 0; i < plan->config->service_count; i++) {
		const struct service_config *service = &plan->config->services[i];
		for (size_t j = 0; j < service->accept_count && binding < end; j++) {
			if (!address_is_equal(&service->accept[j], &binding->address))
				continue;
			if (!binding->shared)
				log_listener(service, binding);
			binding++;
		}
	}
}
