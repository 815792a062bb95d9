/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch scratch;

static struct rlimit limit; /* as it was before scratch_limit() */

int
scratch_setup(void **state)
{
	(void)state;
	(void)snprintf(scratch.directory, sizeof(scratch.directory), "/tmp/%.32s.XXXXXX",
		program_invocation_short_name);
	return mkdtemp(scratch.directory) ? 0 : -1;
}

static int
on_entry(const char *path, const struct stat *status, int type, struct FTW *position)
{
	(void)status;
	(void)type;
	(void)position;
	return remove(path);
}

int
scratch_teardown(void **state)
{
	(void)state;
	return nftw(scratch.directory, on_entry, 4, FTW_DEPTH | FTW_PHYS);
}

int
scratch_enter(void **state)
{
	return scratch_setup(state) || chdir(scratch.directory);
}

int
scratch_leave(void **state)
{
	return chdir("/") || scratch_teardown(state);
}

int
scratch_remove(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)unlink(scratch_path(names[i]));
	return rmdir(scratch.directory);
}

void
scratch_place(char path[SCRATCH_PATH], const char *name)
{
	(void)snprintf(path, SCRATCH_PATH, "%s/%s", scratch.directory, name);
}

const char *
scratch_path(const char *name)
{
	static char paths[8][SCRATCH_PATH];
	static unsigned next;
	char *path = paths[next++ % 8];

	scratch_place(path, name);
	return path;
}

void
scratch_write(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(scratch_path(name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(scratch_path(name), 0644), 0);
}

size_t
scratch_read(const char *name, char *data, size_t room)
{
	FILE *file = fopen(scratch_path(name), "rb");

	assert_non_null(file);
	size_t size = fread(data, 1, room, file);
	assert_int_equal(fclose(file), 0);
	assert_true(size < room);
	data[size] = '\0';
	return size;
}

unsigned
scratch_count(void)
{
	DIR *stream = opendir(scratch.directory);
	unsigned count = 0;

	assert_non_null(stream);
	while (readdir(stream))
		count++;
	assert_int_equal(closedir(stream), 0);
	return count - 2; /* but for "." and ".." */
}

void
scratch_limit(unsigned bytes)
{
	struct rlimit small;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = bytes;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
}

void
scratch_unlimit(void)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
