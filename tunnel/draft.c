/* SPDX-License-Identifier: MIT */
#include "tunnel/draft.h"

#include <unistd.h>

#include "common/diag.h"
#include "common/socket.h"
#include "tunnel/config.h"
#include "tunnel/lending.h"
#include "tunnel/origin.h"

static int
find_user(struct draft *draft, struct diag *diag)
{
	const struct config *config = draft->config;

	draft->user = (struct process_user){.uid = getuid(), .gid = getgid()};
	if (config->user && process_find_user(config->user, &draft->user, diag) < 0)
		return diag_prefix(diag, "user");
	if (config->group && process_find_group(config->group, &draft->user.gid, diag) < 0)
		return diag_prefix(diag, "group");
	if (draft->user.gid == (gid_t)-1)
		return diag_set(
			diag, "user: \"%s\" has no primary group: set group too", config->user);
	draft->changes_user = draft->user.uid != getuid() || draft->user.gid != getgid();
	return 0;
}

static int
add_user(struct generation_listener *listener, uid_t user, struct diag *diag)
{
	if (listener->user_count == GENERATION_USERS)
		return diag_set(diag, "more than %d users: use a path and its group instead",
			GENERATION_USERS);
	listener->users[listener->user_count++] = user;
	return 0;
}

static int
add_named_users(struct generation_listener *listener, const struct service_config *service,
	struct diag *diag)
{
	for (size_t i = 0; i < service->socket_users_count; i++) {
		struct process_user user;
		if (process_find_user(service->socket_users[i], &user, diag) < 0 ||
			add_user(listener, user.uid, diag) < 0)
			return -1;
	}
	return 0;
}

/* An abstract name has no mode, so whoever connects in plaintext is asked who it is. */
static int
add_users(const struct draft *draft, struct generation_listener *listener,
	const struct service_config *service, struct diag *diag)
{
	const struct address *address = &service->accept[listener->accept];

	if (address->kind != ADDRESS_UNIX || address->host[0] != '@' ||
		service->tls[SIDE_ACCEPT].used)
		return 0;
	listener->judged = true;
	if (service->socket_users_count > 0)
		return add_named_users(listener, service, diag);
	if (add_user(listener, 0, diag) < 0 || add_user(listener, getuid(), diag) < 0)
		return -1;
	return add_user(listener, draft->user.uid, diag);
}

/* Does an earlier service listen on @address, which both then share? */
static bool
is_taken(const struct draft *draft, const struct address *address)
{
	for (size_t i = 0; i < draft->generation.listener_count; i++) {
		const struct generation_listener *earlier = &draft->generation.listeners[i];
		const struct service_config *service = &draft->config->services[earlier->service];
		if (address_is_equal(&service->accept[earlier->accept], address))
			return true;
	}
	return false;
}

static int
add_listeners(struct draft *draft, size_t index, struct diag *diag)
{
	const struct service_config *service = &draft->config->services[index];

	for (size_t i = 0; i < service->accept_count; i++) {
		struct generation_listener listener = {
			.service = (uint32_t)index,
			.accept = (uint32_t)i,
			.sockets = is_taken(draft, &service->accept[i]) ? 0 : 1,
		};
		if (add_users(draft, &listener, service, diag) < 0) {
			config_blame(draft->config, service, SIDE_ACCEPT, "socket-users", diag);
			return -1;
		}
		if (generation_add(&draft->generation, &listener, diag) < 0)
			return -1;
	}
	return 0;
}

/* What config_read_files() found good leaves little to fail; all of it is tried. */
static int
judge(struct draft *draft, FILE *errors)
{
	struct diag diag;
	int result = 0;

	if (find_user(draft, &diag) < 0) {
		(void)fprintf(errors, "%s\n", diag.text);
		result = -1;
	}
	for (size_t i = 0; i < draft->config->service_count; i++) {
		const struct service_config *service = &draft->config->services[i];
		struct socket_options options;
		if (draft_socket_options(draft->config, service, &options, &diag) == 0 &&
			add_listeners(draft, i, &diag) == 0)
			continue;
		(void)fprintf(errors, "%s\n", diag.text);
		result = -1;
	}
	return result;
}

static int
take_keys(struct draft *draft, FILE *errors)
{
	struct diag diag;

	if (lending_collect(&draft->keyring, draft->config, &draft->generation.files, &diag) == 0)
		return 0;
	(void)fprintf(errors, "%s\n", diag.text);
	return -1;
}

static int
read_all(struct draft *draft, const struct origin *origin, FILE *errors)
{
	if (origin_gather(origin, &draft->generation.texts, errors) < 0)
		return -1;
	draft->config = config_new(&draft->generation.texts, errors);
	if (!draft->config)
		return -1;

	if (config_read_files(draft->config, &draft->generation.files, errors) < 0 ||
		take_keys(draft, errors) < 0)
		return -1;
	return judge(draft, errors);
}

int
draft_read(struct draft *draft, const struct origin *origin, FILE *errors)
{
	draft->generation.workers = 1;
	if (read_all(draft, origin, errors) == 0)
		return 0;
	draft_release(draft);
	return -1;
}

void
draft_release(struct draft *draft)
{
	generation_release(&draft->generation);
	keyring_release(&draft->keyring);
	config_unref(draft->config);
	*draft = (struct draft){0};
}

int
draft_socket_options(const struct config *config, const struct service_config *service,
	struct socket_options *options, struct diag *diag)
{
	struct process_user owner = {.uid = (uid_t)-1};

	*options = (struct socket_options){
		.keepalive = (unsigned)service->keepalive,
		.mode = service->socket_mode,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
	if (service->socket_owner && process_find_user(service->socket_owner, &owner, diag) < 0) {
		config_blame(config, service, SIDE_ACCEPT, "socket-owner", diag);
		return -1;
	}
	options->owner = owner.uid;
	if (service->socket_group &&
		process_find_group(service->socket_group, &options->group, diag) < 0) {
		config_blame(config, service, SIDE_ACCEPT, "socket-group", diag);
		return -1;
	}
	return 0;
}
