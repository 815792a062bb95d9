/* SPDX-License-Identifier: MIT */
/*
 * paths.h - every file and directory that a configuration is made of, by its name.
 *
 * Names only: nothing is opened, and what does not exist has its place here too.
 */
#ifndef TUNNEL_PATHS_H
#define TUNNEL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct config_texts;

/* All zero is empty. */
struct paths {
	char **list; /* each once */
	size_t count;
	bool incomplete; /* there was not enough memory */
};

void paths_release(struct paths *paths);

/* Add a copy of @path, unless it is NULL, the URL of a token, or there already. */
void paths_add(struct paths *paths, const char *path);

/* Add the files of @texts, and the directories in which `include` looks for more. */
void paths_add_texts(struct paths *paths, const struct config_texts *texts);

/* Add the files that @config names: certificates, keys, and what is trusted, revoked, stapled, shared. */
void paths_add_config(struct paths *paths, const struct config *config);

/* Add those of them that are stapled. */
void paths_add_staples(struct paths *paths, const struct config *config);

#endif
