/* SPDX-License-Identifier: MIT */
/*
 * fuzz_address.c - texts of addresses, and socket addresses as a kernel might tell them.
 *
 * What is taken prints in a form that is taken again and means the same; what is printed is whole and
 * printable whatever the bytes were.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_endpoint(const struct endpoint *endpoint)
{
	char array[ADDRESS_TEXT_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	endpoint_print(endpoint, &text);
	assert(!text.cut && text.length == strlen(array));
	for (size_t i = 0; i < text.length; i++)
		assert(array[i] >= ' ' && array[i] <= '~');
	(void)endpoint_is_local(endpoint);
	(void)endpoint_is_equal(endpoint, endpoint);
}

static void
try_text(const char *string, bool listening)
{
	char array[ADDRESS_TEXT_SIZE];
	struct address address, again;
	struct endpoint endpoint;
	struct diag diag = {""};
	struct text text;

	if (address_parse(&address, string, listening, &diag)) {
		assert(diag.text[0]);
		return;
	}
	text_init(&text, array, sizeof(array));
	address_print(&address, &text);
	assert(!text.cut && address_parse(&again, array, listening, &diag) == 0);
	assert(address.kind == again.kind && address.port == again.port);
	assert(strcmp(address.host, again.host) == 0);
	if (address.kind == ADDRESS_NAME)
		return;
	address_endpoint(&address, &endpoint);
	assert(endpoint_is_local(&endpoint) == address_is_local(&address));
	assert(endpoint_is_equal(&endpoint, &endpoint));
	try_endpoint(&endpoint);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint endpoint = {.length = (socklen_t)size};
	size_t room = sizeof(endpoint.local);
	char *string = malloc(size + 1);

	assert(string);
	if (size > 0) {
		memcpy(string, data, size);
		memcpy(&endpoint.local, data, size < room ? size : room);
	}
	string[size] = '\0';
	try_text(string, false);
	try_text(string, true);
	try_endpoint(&endpoint);
	free(string);
	return 0;
}
