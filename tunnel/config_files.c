/* SPDX-License-Identifier: MIT */
/* What a configuration names outside itself: files, users, groups. */
#include "tunnel/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "configured.h"

#include "common/diag.h"
#include "common/files.h"
#include "common/process.h"
#include "tunnel/resolved.h"

/* What is being read. */
struct reading {
	const struct resolved *resolved;
	struct files *files;
	struct complaints complaints;
};

/* Where the value of @name was written; the program's defaults are complained about only once. */
static struct subject
subject_of(const struct reading *reading, size_t service, const char *name, enum side side)
{
	const struct picks *picks = &reading->resolved->picks[service];
	const struct assignment *assignment = picks_get(picks, name, side);

	if (!assignment && strcmp(name, "key") == 0)
		assignment = picks_get(picks, "cert", side);
	return assignment ? assignment->subject : picks->scope->subject;
}

static void
complain(struct reading *reading, const struct subject *subject, const struct diag *diag)
{
	complaints_add(&reading->complaints, subject, "cannot be used: %s", diag->text);
}

/* A key is judged whenever it is named, also where it was read before as something else. */
static void
read_key(struct reading *reading, size_t service, enum side side)
{
	const struct tls_config *tls = &reading->resolved->services[service].tls[side];
	struct subject subject = subject_of(reading, service, "key", side);
	struct diag diag;
	int result = 0;

	if (tls->key && tls->key_permissions)
		result = files_read_private(reading->files, tls->key, &diag);
	else if (tls->key)
		result = files_read(reading->files, tls->key, &diag);
	if (result < 0)
		complain(reading, &subject, &diag);
}

static int
read_anchors(struct files *files, const struct tls_config *tls, struct diag *diag)
{
	struct stat status;

	if (tls->ca_is_system)
		return files_read(files, SYSTEM_TRUST_FILE, diag);
	if (stat(tls->ca, &status) == 0 && S_ISDIR(status.st_mode))
		return files_read_directory(files, tls->ca, diag);
	return files_read(files, tls->ca, diag);
}

static void
read_certificates(struct reading *reading, size_t service, enum side side)
{
	const struct tls_config *tls = &reading->resolved->services[service].tls[side];
	bool is_key = tls->cert && tls->key && strcmp(tls->cert, tls->key) == 0;
	struct subject subject = subject_of(reading, service, "cert", side);
	struct diag diag;

	/* Where both are one file, it was read or refused as a key. */
	if (tls->cert && !is_key && files_read(reading->files, tls->cert, &diag) < 0)
		complain(reading, &subject, &diag);
	subject = subject_of(reading, service, "ca", side);
	if ((tls->ca || tls->ca_is_system) && read_anchors(reading->files, tls, &diag) < 0)
		complain(reading, &subject, &diag);
}

static void
check_user(struct reading *reading, const struct subject *subject, const char *name)
{
	struct process_user found;
	struct diag diag;

	if (name && process_find_user(name, &found, &diag) < 0) {
		complaints_add(&reading->complaints, subject,
			"names no user of this system (%s); create it, or name another", name);
	}
}

static void
check_group(struct reading *reading, const struct subject *subject, const char *name)
{
	gid_t found;
	struct diag diag;

	if (name && process_find_group(name, &found, &diag) < 0) {
		complaints_add(&reading->complaints, subject,
			"names no group of this system (%s); create it, or name another", name);
	}
}

/* A number without an account can be a user, but has no group that could be taken with it. */
static void
check_program_user(struct reading *reading, const struct subject *subject)
{
	const struct config *config = &reading->resolved->config;
	struct process_user found;
	struct diag diag;

	check_user(reading, subject, config->user);
	if (!config->group && process_find_user(config->user, &found, &diag) == 0 &&
		found.gid == (gid_t)-1)
		complaints_add(&reading->complaints, subject,
			"is a number without an account, so it has no group; write group too");
}

static void
check_program_accounts(struct reading *reading)
{
	const struct config *config = &reading->resolved->config;

	for (size_t i = 0; i < options_count(); i++) {
		const struct assignment *assignment = reading->resolved->picked[i];

		if (assignment && strcmp(assignment->option->name, "user") == 0)
			check_program_user(reading, &assignment->subject);
		if (assignment && strcmp(assignment->option->name, "group") == 0)
			check_group(reading, &assignment->subject, config->group);
	}
}

static void
check_service_accounts(struct reading *reading, size_t index)
{
	const struct service_config *service = &reading->resolved->services[index];
	struct subject owner = subject_of(reading, index, "socket-owner", SIDE_ACCEPT);
	struct subject group = subject_of(reading, index, "socket-group", SIDE_ACCEPT);
	struct subject users = subject_of(reading, index, "socket-users", SIDE_ACCEPT);

	check_user(reading, &owner, service->socket_owner);
	check_group(reading, &group, service->socket_group);
	for (size_t i = 0; i < service->socket_users_count; i++)
		check_user(reading, &users, service->socket_users[i]);
}

int
config_read_files(const struct config *config, struct files *files, FILE *errors)
{
	struct reading reading = {.resolved = resolved_of(config), .files = files};

	complaints_init(&reading.complaints, errors);
	for (size_t i = 0; i < config->service_count; i++) {
		for (unsigned side = 0; side < SIDES; side++) {
			read_key(&reading, i, (enum side)side);
			read_certificates(&reading, i, (enum side)side);
		}
	}
	check_program_accounts(&reading);
	for (size_t i = 0; i < config->service_count; i++)
		check_service_accounts(&reading, i);
	return complaints_tell(&reading.complaints) > 0 ? -1 : 0;
}
