/* SPDX-License-Identifier: MIT */
#include "tunnel/trail.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_LIMIT = 40 }; /* as the kernel has it */

struct walk {
	trail_step *step;
	void *user;
	char here
		[PATH_MAX]; /* a directory without a link in it, and at the end whatever is there */
	char rest[PATH_MAX];
	unsigned links;
};

/* Take the first name of the rest into @name. False at the end. */
static bool
next_name(struct walk *walk, char name[NAME_MAX + 1])
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");

	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(name, start, length);
	name[length] = '\0';
	memmove(walk->rest, start + length, strlen(start + length) + 1);
	return true;
}

static void
go_up(struct walk *walk)
{
	char *slash = strrchr(walk->here, '/');

	slash[slash == walk->here] = '\0';
}

static bool
put(char path[PATH_MAX], const char *string)
{
	return snprintf(path, PATH_MAX, "%s", string) < PATH_MAX;
}

static bool
join(char path[PATH_MAX], const char *directory, const char *name)
{
	const char *slash = directory[strlen(directory) - 1] == '/' ? "" : "/";

	return snprintf(path, PATH_MAX, "%s%s%s", directory, slash, name) < PATH_MAX;
}

/* What the link at @path says is what is left to go, before the rest. */
static bool
follow(struct walk *walk, const char *path)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length <= 0 || ++walk->links > LINKS_LIMIT)
		return false;
	target[length] = '\0';
	if (target[0] == '/')
		(void)put(walk->here, "/");
	return put(rest, walk->rest) && join(walk->rest, target, rest);
}

/* Go to @name. False if there is nothing, or no way on. */
static bool
go(struct walk *walk, const char *name, mode_t *mode)
{
	char path[PATH_MAX];
	struct stat status;

	if (strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") == 0) {
		go_up(walk);
		return true;
	}
	walk->step(walk->user, walk->here, name);
	if (!join(path, walk->here, name) || lstat(path, &status) < 0)
		return false;
	if (S_ISLNK(status.st_mode))
		return follow(walk, path);
	*mode = status.st_mode;
	(void)put(walk->here, path);
	return S_ISDIR(status.st_mode) || walk->rest[strspn(walk->rest, "/")] == '\0';
}

/* Walk to the end of @path. True if there is a directory. */
static bool
walk_path(struct walk *walk, const char *path)
{
	char name[NAME_MAX + 1];
	mode_t mode = S_IFDIR;

	walk->links = 0;
	(void)put(walk->here, "/");
	if (path[0] != '/' && !getcwd(walk->here, sizeof(walk->here)))
		return false;
	if (!put(walk->rest, path))
		return false;
	while (next_name(walk, name))
		if (!go(walk, name, &mode))
			return false;
	return S_ISDIR(mode);
}

/* A hidden name is no member that anybody reads. */
static void
walk_members(struct walk *walk, const char *directory)
{
	DIR *opened = opendir(directory);
	const struct dirent *entry;
	char path[PATH_MAX];

	if (!opened)
		return;
	while ((entry = readdir(opened))) {
		bool may_be_link = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
		if (may_be_link && entry->d_name[0] != '.' && join(path, directory, entry->d_name))
			(void)walk_path(walk, path);
	}
	(void)closedir(opened);
}

void
trail_walk(const char *path, trail_step *step, void *user)
{
	struct walk walk = {.step = step, .user = user};
	char directory[PATH_MAX];

	if (!walk_path(&walk, path))
		return;
	(void)put(directory, walk.here);
	step(user, directory, NULL);
	walk_members(&walk, directory);
}
