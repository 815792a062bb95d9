/* SPDX-License-Identifier: MIT */
/*
 * records.h - where TLS records begin and end in a run of bytes (RFC 8446 section 5.1).
 *
 * GnuTLS is given whole records only: a partial one would cost it a buffer of its own for as long as
 * the rest is missing, and at the end of the stream a cut inside a record could not be told from one
 * between records.
 */
#ifndef TUNNEL_RECORDS_H
#define TUNNEL_RECORDS_H

#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_HEADER = 5,
	RECORD_PAYLOAD_MAX = (16 << 10) + 2048, /* TLS 1.2; TLS 1.3 has less */
};

/*
 * How many of the @length bytes of @bytes, which begin at the start of a record, GnuTLS may be given:
 * all whole records, or everything if a record is not possible here, so that GnuTLS says what is
 * wrong with it at once.
 */
size_t records_ready(const uint8_t *bytes, size_t length);

#endif
