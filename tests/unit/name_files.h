/* SPDX-License-Identifier: MIT */
/*
 * name_files.h - a resolv.conf of its own and a hosts file of its own for a test.
 *
 * The environment names the hosts file, for who asks with dns_settings.hosts_of_environment.
 */
#ifndef TESTS_UNIT_NAME_FILES_H
#define TESTS_UNIT_NAME_FILES_H

struct name_files {
	char directory[64], resolv_conf[96], hosts[96];
};

/* Make @files: the server at 127.0.0.1, and @hosts as the text of the hosts file. */
void name_files_make(struct name_files *files, const char *hosts);

/* Write @text to @path, the resolv_conf or hosts of a name_files. */
void name_files_write(const char *path, const char *text);

/* Remove what name_files_make() made, as far as it is still there. */
void name_files_remove(const struct name_files *files);

#endif
