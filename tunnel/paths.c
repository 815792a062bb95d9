/* SPDX-License-Identifier: MIT */
#include "tunnel/paths.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "configured.h"

#include "tunnel/config.h"

#define WILD "*?["

static bool
has(const struct paths *paths, const char *path)
{
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(paths->list[i], path) == 0)
			return true;
	return false;
}

void
paths_release(struct paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->list[i]);
	free(paths->list);
	*paths = (struct paths){0};
}

void
paths_add(struct paths *paths, const char *path)
{
	if (!path || strncasecmp(path, "pkcs11:", 7) == 0 || has(paths, path))
		return;
	char **list = reallocarray(paths->list, paths->count + 1, sizeof(*list));
	char *copy = strdup(path);

	if (list)
		paths->list = list;
	if (list && copy) {
		list[paths->count++] = copy;
		return;
	}
	free(copy);
	paths->incomplete = true;
}

/* Add the directories that @pattern matches, or itself, there or not, if it is none. */
static void
add_directories(struct paths *paths, const char *pattern)
{
	glob_t found = {0};

	if (!strpbrk(pattern, WILD))
		paths_add(paths, pattern);
	else if (glob(pattern, GLOB_ONLYDIR, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			paths_add(paths, found.gl_pathv[i]);
	globfree(&found);
}

/* Where a pattern begins to match, and on every level below, something may come that it matches. */
static void
add_include(void *user, const char *pattern)
{
	struct paths *paths = user;
	const char *wild = strpbrk(pattern, WILD);

	if (!wild || !strchr(pattern, '/')) {
		paths_add(paths, wild ? "." : pattern);
		return;
	}
	for (const char *at = pattern; (at = strchr(at, '/')); at++) {
		if (at + 1 + strcspn(at + 1, "/") < wild)
			continue;
		char *prefix = strndup(pattern, (size_t)(at - pattern) + (at == pattern));
		if (prefix)
			add_directories(paths, prefix);
		else
			paths->incomplete = true;
		free(prefix);
	}
}

void
paths_add_texts(struct paths *paths, const struct config_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		if (!texts->entries[i].from_flags)
			paths_add(paths, texts->entries[i].name);
	if (texts->count > 0 && !texts->entries[0].from_flags)
		config_visit_includes(texts, add_include, paths);
}

static void
add_side(struct paths *paths, const struct tls_config *tls)
{
	for (size_t i = 0; i < tls->identity_count; i++) {
		paths_add(paths, tls->identities[i].cert);
		paths_add(paths, tls->identities[i].key);
	}
	paths_add(paths, tls->password_file);
	paths_add(paths, tls->pin_source);
	paths_add(paths, tls->ca_is_system ? SYSTEM_TRUST_FILE : tls->ca);
	paths_add(paths, tls->crl);
	paths_add(paths, tls->ocsp_response);
	paths_add(paths, tls->ticket_keys);
	paths_add(paths, tls->psk);
}

void
paths_add_config(struct paths *paths, const struct config *config)
{
	for (size_t i = 0; i < config->service_count; i++)
		for (unsigned side = 0; side < SIDES; side++)
			add_side(paths, &config->services[i].tls[side]);
}

void
paths_add_staples(struct paths *paths, const struct config *config)
{
	for (size_t i = 0; i < config->service_count; i++)
		for (unsigned side = 0; side < SIDES; side++)
			paths_add(paths, config->services[i].tls[side].ocsp_response);
}
