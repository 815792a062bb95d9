/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/workshop.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/diag.h"
#include "tests/unit/capture.h"
#include "tunnel/pki_store.h"

struct workshop workshop;

/* What is run at the moment: a command of capture.h has no arguments of its own. */
static struct {
	int (*run)(const struct pki_arguments *arguments, struct diag *diag);
	const struct pki_arguments *arguments;
} task;

int
workshop_setup(void **state)
{
	(void)state;
	(void)snprintf(
		workshop.directory, sizeof(workshop.directory), "/tmp/test_pki_workshop.XXXXXX");
	return mkdtemp(workshop.directory) ? 0 : -1;
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
workshop_teardown(void **state)
{
	(void)state;
	return nftw(workshop.directory, on_entry, 4, FTW_DEPTH | FTW_PHYS);
}

const char *
workshop_path(const char *name)
{
	static char paths[8][WORKSHOP_PATH];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, WORKSHOP_PATH, "%s/%s", workshop.directory, name);
	return path;
}

void
workshop_write(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(workshop_path(name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(workshop_path(name), 0644), 0);
}

size_t
workshop_read(const char *name, char *data, size_t room)
{
	FILE *file = fopen(workshop_path(name), "rb");

	assert_non_null(file);
	size_t size = fread(data, 1, room, file);
	assert_int_equal(fclose(file), 0);
	assert_true(size < room);
	data[size] = '\0';
	return size;
}

void
workshop_save(const char *stem, const struct pki_pair *pair)
{
	struct diag diag;

	if (pki_store_save(workshop.directory, stem, pair, &diag) < 0)
		fail_msg("%s", diag.text);
}

unsigned
workshop_count(void)
{
	DIR *stream = opendir(workshop.directory);
	unsigned count = 0;

	assert_non_null(stream);
	while (readdir(stream))
		count++;
	assert_int_equal(closedir(stream), 0);
	return count - 2; /* but for "." and ".." */
}

static int
do_task(int argc, char **argv)
{
	struct diag diag = {.text = ""};

	(void)argc;
	(void)argv;
	int status = task.run(task.arguments, &diag);
	fputs(diag.text, stderr);
	return status;
}

int
workshop_run(int (*run)(const struct pki_arguments *arguments, struct diag *diag),
	const struct pki_arguments *arguments)
{
	task.run = run;
	task.arguments = arguments;
	return capture_run(do_task, "pki");
}

void
workshop_expect(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
}
