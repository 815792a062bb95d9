/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/generation.h"

struct encoded {
	uint8_t *bytes;
	size_t size;
};

/* Two texts, a file with a NUL in it, an empty one, and two listeners. */
static void
fill(struct generation *generation)
{
	char name[] = "/etc/a.conf", data[] = "[a]\nmode = encrypt\n", flags[] = "flags",
	     empty[] = "";
	struct config_text text = {.name = name, .data = data, .size = strlen(data)};
	struct config_text other = {.name = flags, .data = empty, .from_flags = true};
	struct generation_listener tcp = {.service = 3, .accept = 1, .sockets = 4};
	struct generation_listener local = {
		.sockets = 1, .judged = true, .user_count = 2, .users = {0, 1000}};
	struct generation_listener sharing = {.service = 4, .sockets = 0};
	struct diag diag;

	generation->workers = 4;
	assert_int_equal(config_texts_add(&generation->texts, &text, &diag), 0);
	assert_int_equal(config_texts_add(&generation->texts, &other, &diag), 0);
	assert_int_equal(files_add(&generation->files, "/key", "a\0b", 3, &diag), 0);
	assert_int_equal(files_add(&generation->files, "/empty", "", 0, &diag), 0);
	assert_int_equal(generation_add(generation, &tcp, &diag), 0);
	assert_int_equal(generation_add(generation, &local, &diag), 0);
	assert_int_equal(generation_add(generation, &sharing, &diag), 0);
}

static int
setup(void **state)
{
	static struct encoded encoded;
	struct generation generation = {0};
	struct diag diag;

	fill(&generation);
	assert_int_equal(generation_encode(&generation, &encoded.bytes, &encoded.size, &diag), 0);
	generation_release(&generation);
	*state = &encoded;
	return 0;
}

static int
teardown(void **state)
{
	struct encoded *encoded = *state;

	generation_wipe(encoded->bytes, encoded->size);
	return 0;
}

/* From an array of exactly that size, so that a sanitizer sees a byte too far. */
static int
decode(struct generation *generation, const uint8_t *bytes, size_t size, struct diag *diag)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	int result = generation_decode(generation, copy, size, diag);
	free(copy);
	return result;
}

static void
what_was_encoded_comes_back(void **state)
{
	const struct encoded *encoded = *state;
	struct generation got = {0};
	struct diag diag;

	assert_int_equal(decode(&got, encoded->bytes, encoded->size, &diag), 0);
	assert_int_equal(got.workers, 4);
	assert_int_equal(got.texts.count, 2);
	assert_string_equal(got.texts.entries[0].name, "/etc/a.conf");
	assert_string_equal(got.texts.entries[0].data, "[a]\nmode = encrypt\n");
	assert_false(got.texts.entries[0].from_flags);
	assert_true(got.texts.entries[1].from_flags);
	assert_int_equal(got.texts.entries[1].size, 0);
	assert_int_equal(got.files.count, 2);
	assert_int_equal(files_find(&got.files, "/key")->size, 3);
	assert_memory_equal(files_find(&got.files, "/key")->data, "a\0b", 4);
	assert_int_equal(got.listener_count, 3);
	assert_int_equal(got.listeners[0].service, 3);
	assert_int_equal(got.listeners[0].accept, 1);
	assert_false(got.listeners[0].judged);
	assert_true(got.listeners[1].judged);
	assert_int_equal(got.listeners[1].users[1], 1000);
	assert_int_equal(generation_sockets(&got), 5);
	generation_release(&got);
}

static void
files_in_another_order_are_refused(void **state)
{
	struct generation generation = {.workers = 1}, got = {0};
	struct diag diag = {""};
	uint8_t *bytes;
	size_t size;

	(void)state;
	assert_int_equal(files_add(&generation.files, "/a", "1", 1, &diag), 0);
	assert_int_equal(files_add(&generation.files, "/b", "2", 1, &diag), 0);
	assert_int_equal(generation_encode(&generation, &bytes, &size, &diag), 0);
	generation_release(&generation);
	assert_int_equal(decode(&got, bytes, size, &diag), 0);
	generation_release(&got);
	*(char *)memmem(bytes, size, "/a", 2) = '9';
	assert_int_equal(decode(&got, bytes, size, &diag), -1);
	assert_string_equal(diag.text, "generation: the files are not in the order of their paths");
	generation_wipe(bytes, size);
}

static void
every_truncation_is_refused_with_words(void **state)
{
	const struct encoded *encoded = *state;
	struct generation got = {0};

	for (size_t size = 0; size < encoded->size; size++) {
		struct diag diag = {""};
		assert_int_equal(decode(&got, encoded->bytes, size, &diag), -1);
		assert_ptr_equal(strstr(diag.text, "generation: "), diag.text);
		assert_null(got.texts.entries);
		assert_null(got.files.entries);
		assert_null(got.listeners);
	}
}

static void
a_byte_too_many_is_refused(void **state)
{
	const struct encoded *encoded = *state;
	uint8_t *longer = calloc(1, encoded->size + 1);
	struct generation got = {0};
	struct diag diag;

	assert_non_null(longer);
	memcpy(longer, encoded->bytes, encoded->size);
	assert_int_equal(generation_decode(&got, longer, encoded->size + 1, &diag), -1);
	free(longer);
}

/* A changed byte is refused, or means another generation that encodes to the very same bytes. */
static void
no_changed_byte_is_read_in_two_ways(void **state)
{
	const struct encoded *encoded = *state;

	for (size_t i = 0; i < encoded->size * 3; i++) {
		static const uint8_t masks[] = {0x01, 0x02, 0xff};
		struct generation got = {0};
		struct encoded again;
		struct diag diag;

		encoded->bytes[i / 3] ^= masks[i % 3];
		if (decode(&got, encoded->bytes, encoded->size, &diag) == 0) {
			assert_int_equal(
				generation_encode(&got, &again.bytes, &again.size, &diag), 0);
			assert_int_equal(again.size, encoded->size);
			assert_memory_equal(again.bytes, encoded->bytes, again.size);
			generation_wipe(again.bytes, again.size);
		}
		generation_release(&got);
		encoded->bytes[i / 3] ^= masks[i % 3];
	}
}

static void
refuse_listener(const struct generation_listener *listener, uint32_t workers)
{
	struct generation generation = {.workers = workers}, got = {0};
	struct encoded encoded;
	struct diag diag;

	assert_int_equal(generation_add(&generation, listener, &diag), 0);
	assert_int_equal(generation_encode(&generation, &encoded.bytes, &encoded.size, &diag), 0);
	generation_release(&generation);
	assert_int_equal(decode(&got, encoded.bytes, encoded.size, &diag), -1);
	generation_wipe(encoded.bytes, encoded.size);
}

static void
impossible_numbers_are_refused(void **state)
{
	struct generation_listener one = {.sockets = 1}, three = {.sockets = 3};

	(void)state;
	refuse_listener(&three, 2);
	refuse_listener(&one, 0);
	refuse_listener(&one, GENERATION_WORKERS + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_encoded_comes_back, setup, teardown),
		cmocka_unit_test(files_in_another_order_are_refused),
		cmocka_unit_test_setup_teardown(
			every_truncation_is_refused_with_words, setup, teardown),
		cmocka_unit_test_setup_teardown(a_byte_too_many_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			no_changed_byte_is_read_in_two_ways, setup, teardown),
		cmocka_unit_test(impossible_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
