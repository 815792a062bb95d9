/* SPDX-License-Identifier: MIT */
#include "tunnel/plan.h"

#include <stdint.h>
#include <unistd.h>

#include "common/diag.h"
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
bind_service(struct plan *plan, const struct plan *present, const struct service_config *service,
	unsigned workers, struct diag *diag)
{
	struct socket_options options;

	if (draft_socket_options(plan->config, service, &options, diag) < 0)
		return -1;
	for (size_t i = 0; i < service->accept_count; i++) {
		if (bindings_add(&plan->bindings, &present->bindings, &service->accept[i], &options,
			    workers, diag) == 0)
			continue;
		config_blame(plan->config, service, SIDE_ACCEPT, "accept", diag);
		return -1;
	}
	return 0;
}

static int
bind_all(struct plan *plan, const struct plan *present, unsigned workers, struct diag *diag)
{
	for (size_t i = 0; i < plan->config->service_count; i++)
		if (bind_service(plan, present, &plan->config->services[i], workers, diag) < 0)
			return -1;
	return 0;
}

/* The listeners of the draft and the bindings are in the same order: that of the configuration. */
static int
seal(struct plan *plan, struct draft *draft, unsigned workers, struct diag *diag)
{
	struct generation *generation = &draft->generation;
	uint8_t *bytes = NULL;
	size_t size = 0;

	generation->workers = workers;
	for (size_t i = 0; i < generation->listener_count; i++)
		generation->listeners[i].sockets = plan->bindings.entries[i].fd_count;
	if (generation_encode(generation, &bytes, &size, diag) < 0)
		return -1;
	plan->sealed = sealed_new(bytes, size, diag);
	generation_wipe(bytes, size);
	return plan->sealed < 0 ? -1 : 0;
}

int
plan_make(struct plan *plan, const struct plan *present, struct draft *draft, unsigned workers,
	struct diag *diag)
{
	plan->config = config_ref(draft->config);
	plan->sealed = -1;
	if (bind_all(plan, present, workers, diag) == 0 && seal(plan, draft, workers, diag) == 0)
		return 0;
	plan_cancel(plan);
	return -1;
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
	config_unref(plan->config);
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

void
plan_log_listeners(const struct plan *plan)
{
	const struct binding *binding = plan->bindings.entries;

	for (size_t i = 0; i < plan->config->service_count; i++) {
		const struct service_config *service = &plan->config->services[i];
		for (size_t j = 0; j < service->accept_count; j++, binding++)
			if (!binding->shared)
				log_listener(service, binding);
	}
}
