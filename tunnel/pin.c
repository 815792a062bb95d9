/* SPDX-License-Identifier: MIT */
#include "tunnel/pin.h"

#include <stddef.h>
#include <string.h>

#include "common/diag.h"

enum { DIGIT_COUNT = 43 }; /* six bits each for 32 bytes, and one "=" for what is missing to 44 */

static const char prefix[] = "sha256:";

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decode the digits of @text. Returns the bits that are left over behind the last byte. */
static unsigned
decode(struct pin *pin, const char *text)
{
	size_t size = 0;
	unsigned bits = 0, held = 0;

	for (size_t i = 0; i < DIGIT_COUNT; i++) {
		held = held << 6 | (unsigned)(strchr(alphabet, text[i]) - alphabet);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		pin->bytes[size++] = (uint8_t)(held >> bits);
		held &= (1U << bits) - 1;
	}
	return held;
}

int
pin_parse(struct pin *pin, const char *text, struct diag *diag)
{
	struct pin parsed;

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0) {
		return diag_set(diag,
			"is not a pin, which begins with \"%s\"; write what \"pki show\" prints",
			prefix);
	}
	text += sizeof(prefix) - 1;
	if (strspn(text, alphabet) != DIGIT_COUNT || strcmp(text + DIGIT_COUNT, "=") != 0) {
		return diag_set(diag,
			"is not the base64 of the 32 bytes of a SHA-256; write %d letters, "
			"digits, \"+\" or \"/\" and a \"=\" behind \"%s\", as \"pki show\" prints "
			"them",
			DIGIT_COUNT, prefix);
	}
	if (decode(&parsed, text) != 0) {
		return diag_set(diag,
			"is not the base64 of any 32 bytes, so its end was mistyped; write what "
			"\"pki show\" prints");
	}
	*pin = parsed;
	return 0;
}
