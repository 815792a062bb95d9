/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "common/sealed.h"
#include "tunnel/keyring.h"

static void
add(struct keyring *keyring, bool is_token, const char *secret, const char *pin)
{
	struct keyring_key key = {.is_token = is_token};
	struct diag diag;

	assert_int_equal(keyring_set(&key.spki, "spki", 4, &diag), 0);
	assert_int_equal(keyring_set(&key.secret, secret, strlen(secret), &diag), 0);
	assert_int_equal(keyring_set(&key.pin, pin, strlen(pin), &diag), 0);
	assert_int_equal(keyring_set(&key.blame, "a.conf:1", 8, &diag), 0);
	assert_int_equal(keyring_add(keyring, &key, &diag), 0);
	assert_null(key.secret.bytes);
}

static void
encode(uint8_t **bytes, size_t *size)
{
	struct keyring keyring = {.linger = 35};
	struct diag diag;

	add(&keyring, false, "a PEM", "");
	add(&keyring, true, "pkcs11:x", "1234");
	assert_int_equal(keyring_encode(&keyring, bytes, size, &diag), 0);
	keyring_release(&keyring);
	assert_int_equal(keyring.count, 0);
}

static void
keys_come_out_as_they_went_in_and_as_c_strings(void **state)
{
	struct keyring keyring = {0};
	struct diag diag;
	uint8_t *bytes;
	size_t size;

	(void)state;
	encode(&bytes, &size);
	assert_int_equal(keyring_decode(&keyring, bytes, size, &diag), 0);
	sealed_free(bytes, size);
	assert_int_equal(keyring.linger, 35);
	assert_int_equal(keyring.count, 2);
	assert_false(keyring.keys[0].is_token);
	assert_string_equal((char *)keyring.keys[0].secret.bytes, "a PEM");
	assert_int_equal(keyring.keys[0].pin.size, 0);
	assert_true(keyring.keys[1].is_token);
	assert_string_equal((char *)keyring.keys[1].secret.bytes, "pkcs11:x");
	assert_string_equal((char *)keyring.keys[1].pin.bytes, "1234");
	assert_string_equal((char *)keyring.keys[1].blame.bytes, "a.conf:1");
	keyring_release(&keyring);
}

static void
nothing_is_kept_of_bytes_that_are_cut_or_longer(void **state)
{
	struct keyring keyring = {0};
	struct diag diag;
	uint8_t *bytes;
	size_t size;

	(void)state;
	encode(&bytes, &size);
	for (size_t less = 0; less < size; less++) {
		assert_int_equal(keyring_decode(&keyring, bytes, less, &diag), -1);
		assert_int_equal(strncmp(diag.text, "keyring: ", 9), 0);
		assert_true(!keyring.keys && keyring.count == 0);
	}
	/* What lies behind is the NUL of the array's end at most. */
	bytes[0] ^= 1;
	assert_int_equal(keyring_decode(&keyring, bytes, size, &diag), -1);
	sealed_free(bytes, size);
}

static void
a_field_above_the_limit_is_refused(void **state)
{
	static const uint8_t large[KEYRING_FIELD_LIMIT + 1];
	struct keyring_field field = {0};
	struct diag diag;

	(void)state;
	assert_int_equal(keyring_set(&field, large, sizeof(large), &diag), -1);
	assert_null(field.bytes);
	assert_int_equal(keyring_set(&field, large, sizeof(large) - 1, &diag), 0);
	keyring_clear(&field);
	keyring_clear(&field);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_out_as_they_went_in_and_as_c_strings),
		cmocka_unit_test(nothing_is_kept_of_bytes_that_are_cut_or_longer),
		cmocka_unit_test(a_field_above_the_limit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
