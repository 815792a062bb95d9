/* SPDX-License-Identifier: MIT */
/*
 * forgery.h - authentic records of TLS 1.3 with insides that GnuTLS would not send.
 *
 * Sealed by GnuTLS's cipher, so that they also judge ours.
 */
#ifndef TESTS_UNIT_FORGERY_H
#define TESTS_UNIT_FORGERY_H

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdint.h>

enum { FORGERY_OVERHEAD = 5 + 16 }; /* bytes of a record around what is inside */

/*
 * Make at @record the next record that @sender, whose cipher is AES-128-GCM, would send: of @size bytes of
 * @inner, the content type among them. Returns how long it is. @sender does not know of it.
 */
size_t forgery_make(gnutls_session_t sender, const uint8_t *inner, size_t size, uint8_t *record);

#endif
