/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hello.c - whatever a client sends first, whole and in pieces.
 *
 * The answer does not depend on how the bytes came, and what is said of them is bounded: a name is a
 * string without capitals, the protocols fill their array exactly, and a refusal has words and an alert.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_whole(const struct hello *hello)
{
	char array[HELLO_ALPN_SIZE * 6];
	struct text text;
	size_t at = 0;

	assert(strnlen(hello->name, HELLO_NAME_SIZE) < HELLO_NAME_SIZE);
	for (const char *c = hello->name; *c; c++)
		assert(*c < 'A' || *c > 'Z');
	while (at < hello->alpn_length) {
		assert(hello->alpn[at] > 0);
		at += 1 + hello->alpn[at];
	}
	assert(at == hello->alpn_length && at <= HELLO_ALPN_SIZE);
	text_init(&text, array, sizeof(array));
	hello_print_alpn(hello, &text);
	assert(!text.cut);
}

/* In pieces whose sizes the input chooses, each in an array that ends where it ends. */
static void
try_pieces(const uint8_t *data, size_t size, const struct hello *expected, enum hello_answer all)
{
	struct hello hello = {.at = 0};
	enum hello_answer answer = HELLO_MORE;
	struct diag diag;

	for (size_t end = 0; answer == HELLO_MORE && end < size;) {
		size_t piece = size < 600 ? 1 : 1 + data[size - 1] + (size >> 5);
		end = size - end < piece ? size : end + piece;
		uint8_t *copy = malloc(end);
		assert(copy);
		memcpy(copy, data, end);
		answer = hello_read(&hello, copy, end, &diag);
		free(copy);
	}
	assert(answer == all && hello.alert == expected->alert);
	assert(strcmp(hello.name, expected->name) == 0);
	assert(hello.alpn_length == expected->alpn_length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hello hello = {.at = 0};
	struct diag diag = {""};
	enum hello_answer answer = hello_read(&hello, data, size, &diag);

	assert((answer == HELLO_BAD) == (diag.text[0] != '\0'));
	assert((answer == HELLO_BAD) == (hello.alert != 0));
	assert(answer != HELLO_MORE || size < HELLO_LIMIT);
	if (answer == HELLO_WHOLE)
		try_whole(&hello);
	try_pieces(data, size, &hello, answer);
	return 0;
}
