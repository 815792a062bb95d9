/* SPDX-License-Identifier: MIT */
#include "common/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"

/* Bytes that grow, and are wiped wherever they leave a copy behind. */
struct bytes {
	uint8_t *data;
	size_t size, room;
};

static void
bytes_release(struct bytes *bytes)
{
	if (bytes->data)
		explicit_bzero(bytes->data, bytes->size);
	free(bytes->data);
	*bytes = (struct bytes){0};
}

/* Make room for @more bytes and a NUL. Not by realloc(), which may leave a copy of a key behind. */
static int
bytes_reserve(struct bytes *bytes, size_t more, struct diag *diag)
{
	struct bytes larger = {.size = bytes->size, .room = 2 * bytes->room};

	if (bytes->data && bytes->room - bytes->size > more)
		return 0;
	if (larger.room <= bytes->size + more)
		larger.room = bytes->size + more + 1;
	larger.data = malloc(larger.room);
	if (!larger.data) {
		diag_set(diag, "out of memory");
		return -1;
	}
	if (bytes->data)
		memcpy(larger.data, bytes->data, bytes->size);
	bytes_release(bytes);
	*bytes = larger;
	return 0;
}

static int
bytes_add(struct bytes *bytes, const void *data, size_t size, struct diag *diag)
{
	if (bytes_reserve(bytes, size, diag))
		return -1;
	if (size > 0)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
	return 0;
}

static int
too_large(struct diag *diag)
{
	return diag_set(diag, "it is larger than %d MiB", FILES_LIMIT >> 20);
}

/* Append all that @fd, a regular file, has. Its size is a hint only: files change, and /proc says 0. */
static int
bytes_read(struct bytes *bytes, int fd, size_t hint, struct diag *diag)
{
	if (hint > FILES_LIMIT)
		return too_large(diag);
	for (;;) {
		if (bytes_reserve(bytes, hint > 0 ? hint : 4096, diag))
			return -1;
		size_t room = bytes->room - bytes->size - 1;
		ssize_t got = read(fd, bytes->data + bytes->size, room);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return diag_set(diag, "read: %s", strerror(errno));
		if (got == 0)
			return 0;
		bytes->size += (size_t)got;
		hint -= hint < (size_t)got ? hint : (size_t)got;
		if (bytes->size > FILES_LIMIT)
			return too_large(diag);
	}
}

/* Open @path below @directory, and see that it is a regular file. A FIFO does not make us wait. */
static int
open_regular(int directory, const char *path, struct stat *status, struct diag *diag)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return diag_set(diag, "open: %s", strerror(errno));
	if (fstat(fd, status))
		diag_set(diag, "stat: %s", strerror(errno));
	else if (S_ISREG(status->st_mode))
		return fd;
	else
		diag_set(diag, "it is not a regular file");
	close(fd);
	return -1;
}

/* The place of the first entry that is not before @path. What comes in order is found at once. */
static size_t
place_of(const struct files *files, const char *path)
{
	size_t low = 0, high = files->count;

	if (high > 0 && strcmp(files->entries[high - 1].path, path) < 0)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(files->entries[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct file *
find(const struct files *files, const char *path)
{
	size_t place = place_of(files, path);

	if (place == files->count || strcmp(files->entries[place].path, path) != 0)
		return NULL;
	return &files->entries[place];
}

/* Make room for one more entry. */
static int
make_room(struct files *files)
{
	size_t room = files->room > 0 ? 2 * files->room : 8;

	if (files->count < files->room)
		return 0;
	struct file *entries = reallocarray(files->entries, room, sizeof(*entries));
	if (!entries)
		return -1;
	files->entries = entries;
	files->room = room;
	return 0;
}

/* Add @bytes under @path, which is not there. Takes over @bytes, on success only. */
static int
insert(struct files *files, const char *path, struct bytes *bytes, struct diag *diag)
{
	/* An empty file has a NUL as well. */
	if (bytes_reserve(bytes, 0, diag))
		return -1;
	char *name = strdup(path);
	if (!name || make_room(files) < 0) {
		free(name);
		return diag_set(diag, "out of memory");
	}
	size_t place = place_of(files, path);
	struct file *entry = &files->entries[place];
	memmove(entry + 1, entry, (files->count - place) * sizeof(*entry));
	bytes->data[bytes->size] = '\0';
	*entry = (struct file){.path = name, .data = bytes->data, .size = bytes->size};
	files->count++;
	*bytes = (struct bytes){0};
	return 0;
}

/* Put @bytes in the place of what @file has. Takes over @bytes, on success only. */
static int
replace(struct file *file, struct bytes *bytes, struct diag *diag)
{
	if (bytes_reserve(bytes, 0, diag))
		return -1;
	bytes->data[bytes->size] = '\0';
	explicit_bzero(file->data, file->size);
	free(file->data);
	file->data = bytes->data;
	file->size = bytes->size;
	*bytes = (struct bytes){0};
	return 0;
}

static void
release_entry(struct file *file)
{
	explicit_bzero(file->data, file->size);
	free(file->data);
	free(file->path);
}

void
files_release(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		release_entry(&files->entries[i]);
	free(files->entries);
	*files = (struct files){0};
}

const struct file *
files_find(const struct files *files, const char *path)
{
	return find(files, path);
}

const struct file *
files_get(const struct files *files, const char *path, struct diag *diag)
{
	const struct file *file = find(files, path);

	if (!file)
		(void)diag_set(diag, "the file was not read");
	return file;
}

int
files_add(struct files *files, const char *path, const void *data, size_t size, struct diag *diag)
{
	struct bytes bytes = {0};
	int failed;

	if (find(files, path))
		return diag_set(diag, "\"%s\" is there twice", path);
	if (size > FILES_LIMIT)
		failed = too_large(diag);
	else
		failed = bytes_add(&bytes, data, size, diag) || insert(files, path, &bytes, diag);
	bytes_release(&bytes);
	return failed ? diag_prefix(diag, "\"%s\"", path) : 0;
}

int
files_put(struct files *files, const char *path, const void *data, size_t size, struct diag *diag)
{
	struct file *old = find(files, path);
	struct bytes bytes = {0};
	int failed;

	if (!old)
		return files_add(files, path, data, size, diag);
	if (size > FILES_LIMIT)
		failed = too_large(diag);
	else
		failed = bytes_add(&bytes, data, size, diag) || replace(old, &bytes, diag);
	bytes_release(&bytes);
	return failed ? diag_prefix(diag, "\"%s\"", path) : 0;
}

void
files_remove(struct files *files, const char *path)
{
	struct file *file = find(files, path);

	if (!file)
		return;
	release_entry(file);
	size_t behind = (size_t)(files->entries + files->count - (file + 1));
	memmove(file, file + 1, behind * sizeof(*file));
	files->count--;
}

int
files_read(struct files *files, const char *path, struct diag *diag)
{
	struct bytes bytes = {0};
	struct stat status = {0};

	if (find(files, path))
		return 0;
	int fd = open_regular(AT_FDCWD, path, &status, diag);
	if (fd < 0)
		return diag_prefix(diag, "\"%s\"", path);
	int failed = bytes_read(&bytes, fd, (size_t)status.st_size, diag) ||
		insert(files, path, &bytes, diag);
	close(fd);
	bytes_release(&bytes);
	return failed ? diag_prefix(diag, "\"%s\"", path) : 0;
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/*
 * Append the file @name of @directory, if it is a regular one. A dangling link is an error: what the
 * operator put there, perhaps a revocation list, must not be left out silently.
 */
static int
read_member(struct bytes *bytes, int directory, const char *name, struct diag *diag)
{
	struct stat status = {0};

	if (fstatat(directory, name, &status, 0))
		return diag_set(diag, "stat: %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return 0;
	int fd = open_regular(directory, name, &status, diag);
	if (fd < 0)
		return -1;
	int failed = bytes_read(bytes, fd, (size_t)status.st_size, diag);
	close(fd);
	if (failed)
		return -1;
	return bytes_add(bytes, "\n", 1, diag);
}

static int
read_members(struct bytes *bytes, int directory, struct diag *diag)
{
	struct dirent **entries;
	int count = scandirat(directory, ".", &entries, is_visible, by_name), failed = 0;

	if (count < 0)
		return diag_set(diag, "list: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		if (!failed && read_member(bytes, directory, entries[i]->d_name, diag))
			failed = diag_prefix(diag, "\"%s\"", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return failed;
}

int
files_read_directory(struct files *files, const char *path, struct diag *diag)
{
	struct bytes bytes = {0};

	if (find(files, path))
		return 0;
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return diag_set(diag, "\"%s\": open: %s", path, strerror(errno));
	int failed = read_members(&bytes, directory, diag) || insert(files, path, &bytes, diag);
	close(directory);
	bytes_release(&bytes);
	return failed ? diag_prefix(diag, "\"%s\"", path) : 0;
}

/* Refuse a private key that somebody else may read or change; tell what makes it good. */
static int
check_private(const struct stat *status, const char *path, struct diag *diag)
{
	unsigned mode = status->st_mode & 07777, group_allowed = status->st_uid == 0 ? 0040 : 0;
	unsigned good = (mode & (0600 | group_allowed)) | 0400;
	const char *who = "others can read it";

	if (!(mode & 0077 & ~group_allowed & ~0111U))
		return 0;
	if (mode & 0002)
		who = "others can change it";
	else if (!(mode & 0004) && (mode & 0020))
		who = "its group can change it";
	else if (!(mode & 0004))
		who = "its group can read it, and its owner is not root";
	return diag_set(diag,
		"a private key must be private, but %s (mode %04o): chmod %04o \"%s\"", who, mode,
		good, path);
}

int
files_read_private(struct files *files, const char *path, struct diag *diag)
{
	struct file *old = find(files, path);
	struct bytes bytes = {0};
	struct stat status = {0};
	int fd = open_regular(AT_FDCWD, path, &status, diag);

	if (fd < 0)
		return diag_prefix(diag, "\"%s\"", path);
	int failed = check_private(&status, path, diag) ||
		bytes_read(&bytes, fd, (size_t)status.st_size, diag);
	close(fd);
	if (!failed)
		failed = old ? replace(old, &bytes, diag) : insert(files, path, &bytes, diag);
	bytes_release(&bytes);
	return failed ? diag_prefix(diag, "\"%s\"", path) : 0;
}

static int
write_all(int fd, const uint8_t *data, size_t size, struct diag *diag)
{
	while (size > 0) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return diag_set(diag, "write: %s", strerror(errno));
		data += put;
		size -= (size_t)put;
	}
	return 0;
}

/* Make the name of a new file last through a power cut, too. */
static int
sync_parent(const char *path, struct diag *diag)
{
	const char *slash = strrchr(path, '/');
	char *parent = !slash	? strdup(".")
		: slash == path ? strdup("/")
				: strndup(path, (size_t)(slash - path));

	if (!parent)
		return diag_set(diag, "out of memory");
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A file system that cannot sync a directory says EINVAL, and there is nothing to do about it. */
	int failed = fd >= 0 && fsync(fd) && errno != EINVAL
		? diag_set(diag, "sync \"%s\": %s", parent, strerror(errno))
		: 0;
	if (fd >= 0)
		close(fd);
	free(parent);
	return failed;
}

int
files_create(const char *path, unsigned mode, const void *data, size_t size, struct diag *diag)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags, mode & 0700), failed;

	if (fd < 0 && errno == EEXIST)
		return diag_set(diag,
			"\"%s\": it exists and is never overwritten: move it away first", path);
	if (fd < 0)
		return diag_set(diag, "\"%s\": create: %s", path, strerror(errno));
	failed = write_all(fd, data, size, diag);
	/* The mode is the one that was asked for, whatever the umask. */
	if (!failed && (fchmod(fd, mode) || fsync(fd)))
		failed = diag_set(diag, "write: %s", strerror(errno));
	if (close(fd) && !failed)
		failed = diag_set(diag, "close: %s", strerror(errno));
	if (!failed)
		failed = sync_parent(path, diag);
	if (failed) {
		(void)unlink(path);
		return diag_prefix(diag, "\"%s\"", path);
	}
	return 0;
}
