/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/name_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
name_files_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void
name_files_make(struct name_files *files, const char *hosts)
{
	(void)snprintf(files->directory, sizeof(files->directory), "/tmp/test_names.XXXXXX");
	assert_non_null(mkdtemp(files->directory));
	(void)snprintf(
		files->resolv_conf, sizeof(files->resolv_conf), "%s/resolv.conf", files->directory);
	(void)snprintf(files->hosts, sizeof(files->hosts), "%s/hosts", files->directory);
	name_files_write(files->resolv_conf, "nameserver 127.0.0.1\n");
	name_files_write(files->hosts, hosts);
	assert_int_equal(setenv("CARES_HOSTS", files->hosts, 1), 0);
}

void
name_files_remove(const struct name_files *files)
{
	(void)unlink(files->resolv_conf);
	(void)unlink(files->hosts);
	(void)rmdir(files->directory);
}
