/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "common/text.h"
#include "tunnel/pki_pair.h"
#include "tunnel/tls_words.h"

static const char key_suffix[] = ".key";
static const char crt_suffix[] = ".crt";
static const char list_suffix[] = ".crl";

enum { KEY_MODE = 0600, CRT_MODE = 0644, DIRECTORY_MODE = 0700 };

static int
make_path(char path[PATH_MAX], const char *directory, const char *stem, const char *suffix,
	struct diag *diag)
{
	struct text text;

	text_init(&text, path, PATH_MAX);
	text_format(&text, "%s/%s%s", directory, stem, suffix);
	return text.cut ? diag_set(diag, "the path of the directory is too long") : 0;
}

static int
check_absent(const char *path, struct diag *diag)
{
	struct stat status;

	if (lstat(path, &status) == 0) {
		return diag_set(diag,
			"%s exists and is not overwritten: take another name, or move it away",
			path);
	}
	if (errno != ENOENT)
		return diag_set(diag, "%s: %s", path, strerror(errno));
	return 0;
}

static int
write_pair(const char *key_path, const char *crt_path, const gnutls_datum_t *key,
	const gnutls_datum_t *crt, struct diag *diag)
{
	if (files_create(key_path, KEY_MODE, key->data, key->size, diag) < 0)
		return -1;
	if (files_create(crt_path, CRT_MODE, crt->data, crt->size, diag) == 0)
		return 0;
	if (unlink(key_path) < 0) {
		return diag_prefix(
			diag, "%s is left behind (%s) because of", key_path, strerror(errno));
	}
	return -1;
}

int
pki_store_make(const char *directory, bool *made, struct diag *diag)
{
	struct stat status;

	*made = mkdir(directory, DIRECTORY_MODE) == 0;
	if (*made)
		return 0;
	if (errno != EEXIST)
		return diag_set(diag, "%s: %s", directory, strerror(errno));
	if (stat(directory, &status) < 0 || !S_ISDIR(status.st_mode))
		return diag_set(diag, "%s exists and is not a directory", directory);
	return 0;
}

int
pki_store_check_free(const char *directory, const char *stem, struct diag *diag)
{
	char path[PATH_MAX];

	if (make_path(path, directory, stem, key_suffix, diag) < 0 || check_absent(path, diag) < 0)
		return -1;
	if (make_path(path, directory, stem, crt_suffix, diag) < 0 || check_absent(path, diag) < 0)
		return -1;
	return 0;
}

int
pki_store_save(
	const char *directory, const char *stem, const struct pki_pair *pair, struct diag *diag)
{
	char key_path[PATH_MAX], crt_path[PATH_MAX];
	gnutls_datum_t key, crt;

	if (make_path(key_path, directory, stem, key_suffix, diag) < 0 ||
		make_path(crt_path, directory, stem, crt_suffix, diag) < 0 ||
		pki_pair_export(pair, &key, &crt, diag) < 0)
		return -1;
	int ret = write_pair(key_path, crt_path, &key, &crt, diag);
	gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	return ret;
}

int
pki_store_load_authority(const char *directory, struct pki_pair *authority, struct diag *diag)
{
	char key_path[PATH_MAX], crt_path[PATH_MAX];
	struct files files = {0};
	int ret = -1;

	if (make_path(key_path, directory, "ca", key_suffix, diag) < 0 ||
		make_path(crt_path, directory, "ca", crt_suffix, diag) < 0)
		return -1;
	if (files_read(&files, crt_path, diag) < 0 ||
		files_read_private(&files, key_path, diag) < 0)
		goto out;
	const struct file *crt = files_find(&files, crt_path), *key = files_find(&files, key_path);
	gnutls_datum_t crt_data = {crt->data, (unsigned)crt->size};
	gnutls_datum_t key_data = {key->data, (unsigned)key->size};
	ret = pki_pair_load_authority(authority, &crt_data, &key_data, diag);
	if (ret < 0)
		(void)diag_prefix(diag, "the authority in %s", directory);
out:
	files_release(&files);
	return ret;
}

gnutls_x509_crt_t
pki_store_load_certificate(const char *directory, const char *stem, struct diag *diag)
{
	struct files files = {0};
	gnutls_x509_crt_t crt = NULL;
	char path[PATH_MAX];

	if (make_path(path, directory, stem, crt_suffix, diag) < 0 ||
		files_read(&files, path, diag) < 0)
		goto out;
	const struct file *file = files_find(&files, path);
	const gnutls_datum_t pem = {file->data, (unsigned)file->size};
	int ret = gnutls_x509_crt_init(&crt);
	if (ret == 0)
		ret = gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM);
	if (ret < 0) {
		(void)diag_set(diag, "%s: %s", path, tls_words(ret).text);
		gnutls_x509_crt_deinit(crt);
		crt = NULL;
	}
out:
	files_release(&files);
	return crt;
}

int
pki_store_lock(const char *directory, struct diag *diag)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return diag_set(diag, "%s: %s", directory, strerror(errno));
	if (flock(fd, LOCK_EX) == 0)
		return fd;
	(void)diag_set(diag, "%s: lock: %s", directory, strerror(errno));
	(void)close(fd);
	return -1;
}

int
pki_store_load_list(const char *directory, gnutls_datum_t *pem, struct diag *diag)
{
	struct files files = {0};
	struct stat status;
	char path[PATH_MAX];
	int ret = -1;

	*pem = (gnutls_datum_t){NULL, 0};
	if (make_path(path, directory, "ca", list_suffix, diag) < 0)
		return -1;
	if (stat(path, &status) < 0 && errno == ENOENT)
		return 0;
	if (files_read(&files, path, diag) < 0)
		goto out;
	const struct file *file = files_find(&files, path);
	pem->data = gnutls_malloc(file->size + 1);
	if (!pem->data) {
		(void)diag_set(diag, "out of memory");
		goto out;
	}
	memcpy(pem->data, file->data, file->size + 1);
	pem->size = (unsigned)file->size;
	ret = 0;
out:
	files_release(&files);
	return ret;
}

int
pki_store_save_list(const char *directory, const gnutls_datum_t *pem, struct diag *diag)
{
	char path[PATH_MAX];

	if (make_path(path, directory, "ca", list_suffix, diag) < 0)
		return -1;
	return pki_store_replace(path, CRT_MODE, pem, diag);
}

/*
 * The new file stands beside the old one, where a rename is one step. Its name begins with a dot, which
 * whoever reads all files of a directory leaves out.
 */
int
pki_store_replace(const char *path, unsigned mode, const gnutls_datum_t *data, struct diag *diag)
{
	const char *slash = strrchr(path, '/');
	int directory_length = slash ? (int)(slash - path) + 1 : 0;
	char beside[PATH_MAX];
	struct text text;

	text_init(&text, beside, sizeof(beside));
	text_format(&text, "%.*s.%s.%ld", directory_length, path, path + directory_length,
		(long)getpid());
	if (text.cut)
		return diag_set(diag, "the path is too long");
	if (files_create(beside, mode, data->data, data->size, diag) < 0)
		return -1;
	if (rename(beside, path) == 0)
		return 0;
	(void)diag_set(diag, "%s: %s", path, strerror(errno));
	(void)unlink(beside);
	return -1;
}
