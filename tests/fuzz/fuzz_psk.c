/* SPDX-License-Identifier: MIT */
/* Files of pre-shared keys: what is taken is within its bounds and found again, and nothing else is. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/psk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int holds)
{
	if (!holds)
		abort();
}

static void
judge(const struct psk *psk)
{
	require(psk->count > 0);
	for (size_t i = 0; i < psk->count; i++) {
		const struct psk_key *key = &psk->keys[i];
		size_t length = strnlen(key->identity, sizeof(key->identity));

		require(length > 0 && length <= PSK_IDENTITY_MAX);
		require(key->size >= PSK_KEY_MIN && key->size <= PSK_KEY_MAX);
		require(psk_find(psk, key->identity, length) == key);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psk psk = {0};
	struct diag diag = {""};

	(void)psk_find(&psk, data, size);
	if (psk_parse(&psk, (const char *)data, size, &diag)) {
		require(psk.count == 0 && !psk.keys && diag.text[0] != '\0');
		return 0;
	}
	judge(&psk);
	(void)psk_find(&psk, data, size);
	psk_release(&psk);
	return 0;
}
