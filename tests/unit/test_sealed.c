/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/sealed.h"

static void
what_was_sealed_is_read_back(void **state)
{
	static uint8_t large[300000];
	struct diag diag;
	uint8_t *data;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 7);
	for (int round = 0; round < 2; round++) {
		size_t wanted = round ? sizeof(large) : 0;
		int fd = sealed_new(large, wanted, &diag);

		assert_true(fd >= 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		/* Twice: reading leaves no trace in the descriptor. */
		for (int i = 0; i < 2; i++) {
			assert_int_equal(sealed_read(fd, sizeof(large), &data, &size, &diag), 0);
			assert_int_equal(size, wanted);
			assert_memory_equal(data, large, wanted);
			assert_int_equal(data[size], 0);
			sealed_free(data, size);
		}
		close(fd);
	}
	sealed_free(NULL, 0);
}

static void
nobody_can_change_what_was_sealed(void **state)
{
	struct diag diag;
	int fd = sealed_new("secret", 6, &diag);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(pwrite(fd, "x", 1, 6), -1);
	assert_int_equal(ftruncate(fd, 3), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_ptr_equal(mmap(NULL, 6, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	close(fd);
}

static void
what_is_not_sealed_or_too_large_is_refused(void **state)
{
	int fds[2], open_file = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct diag diag;
	uint8_t *data;
	size_t size;

	(void)state;
	assert_int_equal(write(open_file, "secret", 6), 6);
	assert_int_equal(fcntl(open_file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(sealed_read(open_file, 100, &data, &size, &diag), -1);
	assert_string_equal(diag.text, "what another process handed over is not sealed");
	close(open_file);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(sealed_read(fds[0], 100, &data, &size, &diag), -1);
	assert_string_equal(diag.text, "what another process handed over is not sealed");
	close(fds[0]);
	close(fds[1]);
	int fd = sealed_new("secret", 6, &diag);
	assert_int_equal(sealed_read(fd, 5, &data, &size, &diag), -1);
	assert_string_equal(diag.text, "what another process handed over is larger than 5 bytes");
	assert_int_equal(sealed_read(fd, 6, &data, &size, &diag), 0);
	sealed_free(data, size);
	close(fd);
}

static void
only_the_same_bytes_are_the_same(void **state)
{
	static const char *const others[] = {"secreT", "secre", "secrets", ""};
	struct diag diag;
	int fd = sealed_new("secret", 6, &diag), same = sealed_new("secret", 6, &diag);

	(void)state;
	assert_true(sealed_is_same(fd, same));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		int other = sealed_new(others[i], strlen(others[i]), &diag);
		assert_false(sealed_is_same(fd, other));
		close(other);
	}
	assert_false(sealed_is_same(fd, -1));
	close(fd);
	close(same);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_is_read_back),
		cmocka_unit_test(nobody_can_change_what_was_sealed),
		cmocka_unit_test(what_is_not_sealed_or_too_large_is_refused),
		cmocka_unit_test(only_the_same_bytes_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
