/* SPDX-License-Identifier: MIT */
#include "tunnel/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "tunnel/trail.h"

/* Not IN_MODIFY: a log file in the same directory would wake us with every line. */
static const uint32_t mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
	IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/* After these other directories may lie on the way. */
static const uint32_t moving = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
	IN_DELETE_SELF | IN_MOVE_SELF | IN_Q_OVERFLOW | IN_UNMOUNT;

enum { READS_LIMIT = 64 }; /* in one turn */

/* Entries while they are collected. */
struct collection {
	int fd;
	struct watch_entry *entries;
	size_t count;
	struct diag *diag;
	bool failed; /* with words */
};

static void
free_entries(struct watch_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(entries[i].name);
	free(entries);
}

static void
add_entry(struct collection *collection, int descriptor, const char *name)
{
	struct watch_entry *entries = reallocarray(
		collection->entries, collection->count + 1, sizeof(*collection->entries));
	char *copy = name ? strdup(name) : NULL;

	if (entries)
		collection->entries = entries;
	if (entries && (copy || !name)) {
		entries[collection->count++] = (struct watch_entry){descriptor, copy};
		return;
	}
	free(copy);
	collection->failed = true;
	(void)diag_set(collection->diag, "out of memory");
}

/* A directory that is gone meanwhile is missed by the one above it. */
static void
collect(void *user, const char *directory, const char *name)
{
	struct collection *collection = user;
	int descriptor = inotify_add_watch(collection->fd, directory, mask);

	if (descriptor >= 0) {
		add_entry(collection, descriptor, name);
	} else if (errno != ENOENT && errno != ENOTDIR && !collection->failed) {
		collection->failed = true;
		(void)diag_set(collection->diag, "\"%s\": %s%s", directory, strerror(errno),
			errno == ENOSPC ? " (raise fs.inotify.max_user_watches)" : "");
	}
}

static int
compare(const void *left, const void *right)
{
	const struct watch_entry *a = left, *b = right;

	if (a->descriptor != b->descriptor)
		return a->descriptor < b->descriptor ? -1 : 1;
	if (!a->name || !b->name)
		return (a->name != NULL) - (b->name != NULL);
	return strcmp(a->name, b->name);
}

static void
sort(struct collection *collection)
{
	struct watch_entry *entries = collection->entries;
	size_t count = 0;

	if (collection->count > 0)
		qsort(entries, collection->count, sizeof(*entries), compare);
	for (size_t i = 0; i < collection->count; i++) {
		if (count > 0 && compare(&entries[i], &entries[count - 1]) == 0)
			free(entries[i].name);
		else
			entries[count++] = entries[i];
	}
	collection->count = count;
}

static bool
has_descriptor(const struct watch *watch, int descriptor)
{
	for (size_t i = 0; i < watch->count; i++)
		if (watch->entries[i].descriptor == descriptor)
			return true;
	return false;
}

/* Put the entries of @collection in the place of those of @watch. */
static void
replace_entries(struct watch *watch, const struct collection *collection)
{
	struct watch_entry *old = watch->entries;
	size_t count = watch->count;

	watch->entries = collection->entries;
	watch->count = collection->count;
	for (size_t i = 0; i < count; i++) {
		bool is_first = i == 0 || old[i].descriptor != old[i - 1].descriptor;
		if (is_first && !has_descriptor(watch, old[i].descriptor))
			(void)inotify_rm_watch(watch->fd, old[i].descriptor);
	}
	free_entries(old, count);
}

/* Nobody who could find two states with one digest gains anything by it. */
static uint64_t
digest(uint64_t state, uint64_t number)
{
	state = (state ^ number) * UINT64_C(0x9e3779b97f4a7c15);
	return state ^ state >> 29;
}

/* A directory is the same as long as it is there, whatever comes and goes in it. */
static uint64_t
digest_file(int directory, const char *name)
{
	uint64_t state = 1;
	struct stat status;

	for (const char *c = name; *c; c++)
		state = digest(state, (unsigned char)*c);
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return state;
	state = digest(digest(digest(state, status.st_dev), status.st_ino), status.st_mode);
	if (S_ISDIR(status.st_mode))
		return state;
	state = digest(state, (uint64_t)status.st_size);
	state = digest(state, (uint64_t)status.st_mtim.tv_sec);
	state = digest(state, (uint64_t)status.st_mtim.tv_nsec);
	state = digest(state, (uint64_t)status.st_ctim.tv_sec);
	return digest(state, (uint64_t)status.st_ctim.tv_nsec);
}

/* In any order. */
static uint64_t
digest_members(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	uint64_t sum = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, "..") != 0)
			sum += digest_file(dirfd(directory), entry->d_name);
	(void)closedir(directory);
	return sum;
}

static void
look_at(void *user, const char *directory, const char *name)
{
	uint64_t *seen = user, found;

	if (name) {
		int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		found = fd >= 0 ? digest_file(fd, name) : 0;
		if (fd >= 0)
			(void)close(fd);
	} else {
		found = digest_members(directory);
	}
	*seen = digest(*seen, found);
}

static uint64_t
look(const struct watch *watch)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < watch->paths.count; i++)
		trail_walk(watch->paths.list[i], look_at, &seen);
	return seen;
}

static void
note(struct watch *watch, double now)
{
	if (watch->first <= 0)
		watch->first = now;
	watch->last = now;
}

/* Watch every directory on the way to the paths as they are now. */
static int
walk(struct watch *watch, double now, struct diag *diag)
{
	struct diag words;
	struct collection collection = {.fd = watch->fd, .diag = &words};

	if (watch->paths.incomplete) {
		collection.failed = true;
		(void)diag_set(&words, "out of memory");
	} else if (watch->fd < 0 && watch->paths.count > 0) {
		collection.failed = true;
		(void)diag_set(
			&words, "no more can be watched (raise fs.inotify.max_user_instances)");
	}
	for (size_t i = 0; i < watch->paths.count && watch->fd >= 0; i++)
		trail_walk(watch->paths.list[i], collect, &collection);
	sort(&collection);
	replace_entries(watch, &collection);
	if (collection.failed == watch->asks)
		return 0;
	watch->asks = collection.failed;
	if (!watch->asks)
		return 0;
	watch->seen = look(watch);
	watch->ask_at = now + WATCH_INTERVAL;
	*diag = words;
	return -1;
}

/* What does @event say about the paths? The bits of it that matter. */
static uint32_t
judge(const struct watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return event->mask;
	for (size_t i = 0; i < watch->count; i++) {
		const struct watch_entry *entry = &watch->entries[i];
		if (entry->descriptor != event->wd)
			continue;
		if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
			return event->mask;
		if (event->len > 0 && (!entry->name || strcmp(entry->name, event->name) == 0))
			return event->mask;
	}
	return 0;
}

/* What do the events say that have come? @any tells whether there were any. */
static uint32_t
hear(const struct watch *watch, bool *any)
{
	union {
		struct inotify_event aligned;
		char bytes[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	} buffer;
	uint32_t heard = 0;

	for (unsigned i = 0; i < READS_LIMIT; i++) {
		ssize_t got = read(watch->fd, buffer.bytes, sizeof(buffer.bytes));
		if (got <= 0)
			break;
		*any = true;
		for (const char *at = buffer.bytes; at < buffer.bytes + got;) {
			const struct inotify_event *event = (const void *)at;
			heard |= judge(watch, event);
			at += sizeof(*event) + event->len;
		}
	}
	return heard;
}

static void
ask(struct watch *watch, double now)
{
	uint64_t seen = look(watch);

	if (seen != watch->seen)
		note(watch, now);
	watch->seen = seen;
	watch->ask_at = now + (watch->first > 0 ? WATCH_SETTLE : WATCH_INTERVAL);
}

void
watch_init(struct watch *watch)
{
	*watch = (struct watch){.fd = -1};
}

void
watch_release(struct watch *watch)
{
	free_entries(watch->entries, watch->count);
	paths_release(&watch->paths);
	if (watch->fd >= 0)
		(void)close(watch->fd);
	*watch = (struct watch){.fd = -1};
}

int
watch_set(struct watch *watch, struct paths *paths, double now, struct diag *diag)
{
	paths_release(&watch->paths);
	watch->paths = *paths;
	*paths = (struct paths){0};
	if (watch->fd < 0 && watch->paths.count > 0)
		watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int result = walk(watch, now, diag);
	if (watch->asks)
		watch->seen = look(watch);
	return result;
}

int
watch_fd(const struct watch *watch)
{
	return watch->rest_at > 0 ? -1 : watch->fd;
}

static double
settled_at(const struct watch *watch)
{
	double silent = watch->last + WATCH_SETTLE, late = watch->first + WATCH_PATIENCE;

	return silent < late ? silent : late;
}

double
watch_deadline(const struct watch *watch)
{
	double until = watch->rest_at;

	if (watch->first > 0 && (until <= 0 || settled_at(watch) < until))
		until = settled_at(watch);
	if (watch->asks && (until <= 0 || watch->ask_at < until))
		until = watch->ask_at;
	return until;
}

int
watch_turn(struct watch *watch, double now, struct diag *diag)
{
	bool any = false;
	uint32_t heard = 0;

	if (watch->asks && now >= watch->ask_at)
		ask(watch, now);
	if (watch->fd < 0 || now < watch->rest_at)
		return 0;
	heard = hear(watch, &any);
	watch->rest_at = any && !heard ? now + WATCH_REST : 0;
	if (!heard)
		return 0;
	note(watch, now);
	return heard & moving ? walk(watch, now, diag) : 0;
}

bool
watch_take(struct watch *watch, double now)
{
	if (watch->first <= 0 || now < settled_at(watch))
		return false;
	watch->first = watch->last = 0;
	return true;
}
