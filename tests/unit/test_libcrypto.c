/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "tunnel/libcrypto.h"

/* More than malloc() writes into what is free, and less than what it gives back to the kernel. */
enum { LINKS = 64, SIZE = 4096, LARGER = 16384 };

static struct libcrypto crypto;

static struct {
	__typeof__(CRYPTO_malloc) *allocate;
	__typeof__(CRYPTO_realloc) *resize;
	__typeof__(CRYPTO_free) *discard;
} memory;

static void
take(void *library, const char *name, void *field, size_t size)
{
	void *address = dlsym(library, name);

	assert_non_null(address);
	assert_int_equal(size, sizeof(address));
	memcpy(field, &address, size);
}

/* What the library itself allocates with. */
static int
setup(void **state)
{
	struct diag diag;

	(void)state;
	assert_int_equal(libcrypto_load(&crypto, &diag), 0);
	void *library =
		dlopen("libcrypto.so." OPENSSL_MSTR(OPENSSL_SHLIB_VERSION), RTLD_NOW | RTLD_NOLOAD);
	assert_non_null(library);
	take(library, "CRYPTO_malloc", &memory.allocate, sizeof(memory.allocate));
	take(library, "CRYPTO_realloc", &memory.resize, sizeof(memory.resize));
	take(library, "CRYPTO_free", &memory.discard, sizeof(memory.discard));
	return dlclose(library);
}

/* Is what stands @at, which nobody owns any more, free of the bytes of fill()? */
static bool
is_wiped(uintptr_t at)
{
	uint8_t bytes[SIZE];
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), (off_t)at), sizeof(bytes));
	assert_int_equal(close(fd), 0);
	return !memchr(bytes + LINKS, 0xA5, sizeof(bytes) - LINKS);
}

static uint8_t *
fill(void)
{
	uint8_t *bytes = memory.allocate(SIZE, __FILE__, __LINE__);

	assert_non_null(bytes);
	memset(bytes, 0xA5, SIZE);
	return bytes;
}

static void
what_is_freed_is_wiped(void **state)
{
	uint8_t *bytes = fill();
	uint8_t *after = fill();
	uintptr_t at = (uintptr_t)bytes;

	(void)state;
	assert_false(is_wiped(at));
	memory.discard(bytes, __FILE__, __LINE__);
	assert_true(is_wiped(at));
	memory.discard(after, __FILE__, __LINE__);
	memory.discard(NULL, __FILE__, __LINE__);
}

static void
what_is_resized_keeps_what_fits_and_leaves_nothing_behind(void **state)
{
	uint8_t *bytes = fill();
	uintptr_t at = (uintptr_t)bytes;

	(void)state;
	uint8_t *larger = memory.resize(bytes, LARGER, __FILE__, __LINE__);
	assert_non_null(larger);
	assert_true((uintptr_t)larger != at && is_wiped(at));
	for (size_t i = 0; i < SIZE; i++)
		assert_int_equal(larger[i], 0xA5);
	at = (uintptr_t)larger;
	uint8_t *smaller = memory.resize(larger, 2, __FILE__, __LINE__);
	assert_non_null(smaller);
	assert_true(smaller[0] == 0xA5 && smaller[1] == 0xA5 && is_wiped(at));
	assert_null(memory.resize(smaller, 0, __FILE__, __LINE__));
	uint8_t *fresh = memory.resize(NULL, SIZE, __FILE__, __LINE__);
	assert_non_null(fresh);
	memory.discard(fresh, __FILE__, __LINE__);
}

static void
it_is_loaded_again_as_often_as_it_is_wanted(void **state)
{
	struct libcrypto again;
	struct diag diag;

	(void)state;
	assert_int_equal(libcrypto_load(&again, &diag), 0);
	assert_memory_equal(&again, &crypto, sizeof(crypto));
}

static void
a_failure_is_told_in_its_words_and_forgotten(void **state)
{
	static const unsigned char garbage[] = {0x30, 0x01};
	const unsigned char *next = garbage;
	struct diag diag;

	(void)state;
	assert_null(crypto.d2i_PKCS8_PRIV_KEY_INFO(NULL, &next, sizeof(garbage)));
	assert_int_equal(libcrypto_explain(&crypto, "garbage", &diag), -1);
	assert_non_null(strstr(diag.text, "garbage: libcrypto says: "));
	assert_null(strstr(diag.text, "nothing"));
	assert_int_equal(libcrypto_explain(&crypto, "again", &diag), -1);
	assert_string_equal(diag.text, "again: libcrypto says: nothing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_freed_is_wiped),
		cmocka_unit_test(what_is_resized_keeps_what_fits_and_leaves_nothing_behind),
		cmocka_unit_test(it_is_loaded_again_as_often_as_it_is_wanted),
		cmocka_unit_test(a_failure_is_told_in_its_words_and_forgotten),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
