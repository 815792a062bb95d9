/* SPDX-License-Identifier: MIT */
#include "common/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int
write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, data, size);

		if (put < 0 && errno != EINTR)
			return -1;
		if (put > 0) {
			data += put;
			size -= (size_t)put;
		}
	}
	return 0;
}

int
sealed_new(const void *data, size_t size, struct diag *diag)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return diag_set(diag, "make a memory file: %s", strerror(errno));
	if (write_all(fd, data, size) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return fd;
	diag_set(diag, "fill and seal a memory file: %s", strerror(errno));
	close(fd);
	return -1;
}

/* See that @fd can never change, and how large it is. */
static int
check(int fd, size_t limit, size_t *size, struct diag *diag)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat status;

	if (seals < 0 || (seals & SEALS) != SEALS)
		return diag_set(diag, "what another process handed over is not sealed");
	if (fstat(fd, &status))
		return diag_set(diag, "stat: %s", strerror(errno));
	if ((uintmax_t)status.st_size > limit)
		return diag_set(
			diag, "what another process handed over is larger than %zu bytes", limit);
	*size = (size_t)status.st_size;
	return 0;
}

int
sealed_read(int fd, size_t limit, uint8_t **data, size_t *size, struct diag *diag)
{
	size_t whole = 0, done = 0;

	if (check(fd, limit, &whole, diag))
		return -1;
	uint8_t *copy = malloc(whole + 1);
	if (!copy)
		return diag_set(diag, "out of memory");
	while (done < whole) {
		ssize_t got = pread(fd, copy + done, whole - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			diag_set(diag, "read a memory file: %s",
				got ? strerror(errno) : "it ends early");
			sealed_free(copy, done);
			return -1;
		}
		done += (size_t)got;
	}
	copy[whole] = '\0';
	*data = copy;
	*size = whole;
	return 0;
}

bool
sealed_is_same(int a, int b)
{
	uint8_t *first = NULL, *second = NULL;
	size_t size = 0, second_size = 0;
	struct diag diag;
	bool same = false;

	if (sealed_read(a, SIZE_MAX, &first, &size, &diag) == 0 &&
		sealed_read(b, size, &second, &second_size, &diag) == 0)
		same = first && second && size == second_size && memcmp(first, second, size) == 0;
	sealed_free(first, size);
	sealed_free(second, second_size);
	return same;
}

void
sealed_free(uint8_t *data, size_t size)
{
	if (!data)
		return;
	explicit_bzero(data, size);
	free(data);
}
