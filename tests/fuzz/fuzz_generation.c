/* SPDX-License-Identifier: MIT */
/* Whatever bytes arrive as a generation: refused with words, or encoded again to the very same bytes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/generation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct generation generation = {0};
	struct diag diag = {""};
	uint8_t *bytes;
	size_t again;

	if (generation_decode(&generation, data, size, &diag) < 0) {
		assert(strncmp(diag.text, "generation: ", strlen("generation: ")) == 0);
		assert(!generation.texts.entries && !generation.files.entries);
		return 0;
	}
	int encoded = generation_encode(&generation, &bytes, &again, &diag);
	assert(encoded == 0);
	assert(again == size && memcmp(bytes, data, size) == 0);
	generation_wipe(bytes, again);
	generation_release(&generation);
	return 0;
}
