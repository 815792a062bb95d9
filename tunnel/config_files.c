/* SPDX-License-Identifier: MIT */
/* What a configuration names outside itself: files, users, groups. */
#include "tunnel/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "configured.h"

#include "common/diag.h"
#include "common/files.h"
#include "common/process.h"
#include "common/set.h"
#include "tunnel/identity.h"
#include "tunnel/resolved.h"

/* What is being read. */
struct reading {
	const struct resolved *resolved;
	struct files *files;
	struct set identities; /* that are good and in the files */
	struct complaints complaints;
};

/*
 * Where the value @nth of the option called @name was written; the program's defaults are complained about
 * only once.
 */
static struct subject
subject_of(
	const struct reading *reading, size_t service, const char *name, enum side side, size_t nth)
{
	const struct picks *picks = &reading->resolved->picks[service];
	const struct assignment *assignment = picks_get(picks, name, side);

	if (!assignment && strcmp(name, "key") == 0)
		assignment = picks_get(picks, "cert", side);
	for (; assignment && assignment->again && nth > 0; nth--)
		assignment = assignment->again;
	return assignment ? assignment->subject : picks->scope->subject;
}

static void
complain(struct reading *reading, const struct subject *subject, const struct diag *diag)
{
	complaints_add(&reading->complaints, subject, "cannot be used: %s", diag->text);
}

/* Read a file that others must not read; it is judged whenever it is named, read before or not. */
static int
read_secret(struct files *files, const struct tls_config *tls, const char *path, struct diag *diag)
{
	return tls->key_permissions ? files_read_private(files, path, diag)
				    : files_read(files, path, diag);
}

/* What is no key goes to serve as it is, which must not get to see one. */
static int
refuse_key(const struct files *files, const char *path, struct diag *diag)
{
	static const char mark[] = "PRIVATE KEY-----";
	const struct file *file = files_find(files, path);

	if (!file || !memmem(file->data, file->size, mark, strlen(mark)))
		return 0;
	return diag_set(diag, "there is a private key in it; name a file without one");
}

static int
read_public(struct files *files, const struct tls_config *tls, const char *path, struct diag *diag)
{
	struct stat status;
	int result;

	(void)tls;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		result = files_read_directory(files, path, diag);
	else
		result = files_read(files, path, diag);
	return result < 0 ? result : refuse_key(files, path, diag);
}

/*
 * All that reading an identity depends on, as bytes: a thousand services may have the same. Returns how many;
 * the caller frees *@name. -1 without memory.
 */
static int
name_identity(const struct tls_config *tls, size_t nth, char **name)
{
	const struct identity_config *identity = &tls->identities[nth];
	const char *password = tls->password_file ? tls->password_file : "";
	const char *pin = tls->pin_source ? tls->pin_source : "";

	return asprintf(name, "%d%c%s%c%s%c%s%c%s", tls->key_permissions, '\0', identity->cert,
		'\0', identity->key, '\0', password, '\0', pin);
}

/* A bad one is read, and told of, wherever it is written. */
static int
read_once(struct reading *reading, const struct tls_config *tls, size_t nth, const char **blamed,
	struct diag *diag)
{
	char *name;
	int length = name_identity(tls, nth, &name);

	*blamed = "cert";
	if (length < 0)
		return diag_set(diag, "out of memory");
	int result = 0;
	if (!set_has(&reading->identities, name, (size_t)length))
		result = identity_read(reading->files, tls, nth, blamed, diag);
	/* What is not remembered is only read again. */
	if (result == 0)
		(void)set_add(&reading->identities, name, (size_t)length);
	free(name);
	return result;
}

static void
read_identity(struct reading *reading, size_t service, enum side side, size_t nth)
{
	const struct tls_config *tls = &reading->resolved->services[service].tls[side];
	const char *blamed;
	struct diag diag;

	if (read_once(reading, tls, nth, &blamed, &diag) == 0)
		return;
	struct subject subject = subject_of(reading, service, blamed, side, nth);
	complain(reading, &subject, &diag);
}

/* An option of one side that names a file, and how that is read. */
struct named_file {
	const char *option;
	size_t offset; /* of the path in struct tls_config */
	int (*read)(struct files *files, const struct tls_config *tls, const char *path,
		struct diag *diag);
};

static const struct named_file named_files[] = {
	{"ca", offsetof(struct tls_config, ca), read_public},
	{"crl", offsetof(struct tls_config, crl), read_public},
	{"ocsp-response", offsetof(struct tls_config, ocsp_response), read_public},
	{"psk", offsetof(struct tls_config, psk), read_secret},
	{"ticket-keys", offsetof(struct tls_config, ticket_keys), read_secret},
};

static void
read_side(struct reading *reading, size_t service, enum side side)
{
	const struct tls_config *tls = &reading->resolved->services[service].tls[side];
	struct subject subject = subject_of(reading, service, "ca", side, 0);
	struct diag diag;

	for (size_t i = 0; i < tls->identity_count; i++)
		read_identity(reading, service, side, i);
	if (tls->ca_is_system && files_read(reading->files, SYSTEM_TRUST_FILE, &diag) < 0)
		complain(reading, &subject, &diag);
	for (size_t i = 0; i < ARRAY_SIZE(named_files); i++) {
		const struct named_file *named = &named_files[i];
		const char *path = *(const char *const *)((const char *)tls + named->offset);

		subject = subject_of(reading, service, named->option, side, 0);
		if (path && named->read(reading->files, tls, path, &diag) < 0)
			complain(reading, &subject, &diag);
	}
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
	struct subject owner = subject_of(reading, index, "socket-owner", SIDE_ACCEPT, 0);
	struct subject group = subject_of(reading, index, "socket-group", SIDE_ACCEPT, 0);
	struct subject users = subject_of(reading, index, "socket-users", SIDE_ACCEPT, 0);

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
		for (unsigned side = 0; side < SIDES; side++)
			read_side(&reading, i, (enum side)side);
	}
	set_release(&reading.identities);
	check_program_accounts(&reading);
	for (size_t i = 0; i < config->service_count; i++)
		check_service_accounts(&reading, i);
	return complaints_tell(&reading.complaints) > 0 ? -1 : 0;
}
