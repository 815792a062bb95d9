/* SPDX-License-Identifier: MIT */
/*
 * pin.h - the SHA-256 of a public key, written `sha256:BASE64` (RFC 7469 section 2.4).
 */
#ifndef TUNNEL_PIN_H
#define TUNNEL_PIN_H

#include <stdint.h>

#include "common/defs.h"

struct diag;

enum { PIN_SIZE = 32 };

struct pin {
	uint8_t bytes[PIN_SIZE];
};

/* Parse @text. Returns 0, or -1 with words: what is wrong; the remedy. */
MUST_USE int pin_parse(struct pin *pin, const char *text, struct diag *diag);

#endif
