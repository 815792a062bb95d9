/* SPDX-License-Identifier: MIT */
#include "tunnel/protection.h"

#include <string.h>

#include "tunnel/aead.h"
#include "tunnel/ciphers.h"
#include "tunnel/records.h"
#include "tunnel/stream.h"
#include "tunnel/window.h"

enum {
	TYPE_DATA = 23, /* of a record: application_data */
	DATA_MAX = 16 << 10,
	SEQUENCE_SIZE = 8,
	TYPE_SIZE = 1, /* behind the data */
	OVERHEAD = TYPE_SIZE + AEAD_TAG,
	/* Every 2^24 records GnuTLS changes the key, but sees that only of what it sends itself. */
	RENEWAL_PERIOD = 1 << 24,
	RENEWAL_MARGIN = 1 << 12,
};

_Static_assert(TYPE_SIZE <= (int)STREAM_SLACK, "a record is decrypted with its type");

enum way { SENT, RECEIVED };

/* The next record of one way. */
struct next {
	const struct aead *aead;
	uint64_t sequence;
	uint8_t nonce[AEAD_NONCE];
};

void
protection_begin(struct protection *protection, gnutls_session_t session, struct ciphers *ciphers)
{
	gnutls_cipher_algorithm_t algorithm = gnutls_cipher_get(session);
	size_t open_max = gnutls_record_get_max_size(session);

	*protection = (struct protection){0};
	if (gnutls_protocol_get_version(session) != GNUTLS_TLS1_3 || !aead_knows(algorithm))
		return;
	protection->session = session;
	protection->ciphers = ciphers;
	protection->algorithm = algorithm;
	protection->open_max = open_max < DATA_MAX ? (uint16_t)open_max : DATA_MAX;
}

void
protection_end(struct protection *protection)
{
	cipher_drop(&protection->opening);
	cipher_drop(&protection->sealing);
	*protection = (struct protection){0};
}

/* Find the keys and the number of the @next record. Returns whether that is possible. */
static bool
prepare(struct protection *protection, enum way way, struct next *next)
{
	struct cipher **holder = way == SENT ? &protection->sealing : &protection->opening;
	uint8_t sequence[SEQUENCE_SIZE];
	gnutls_datum_t iv, key;

	if (gnutls_record_get_state(
		    protection->session, way == RECEIVED, NULL, &iv, &key, sequence) < 0 ||
		iv.size != AEAD_NONCE)
		return false;
	next->sequence = 0;
	memcpy(next->nonce, iv.data, AEAD_NONCE);
	for (size_t i = 0; i < SEQUENCE_SIZE; i++) {
		next->sequence = next->sequence << 8 | sequence[i];
		next->nonce[AEAD_NONCE - SEQUENCE_SIZE + i] ^= sequence[i];
	}
	next->aead = ciphers_get(protection->ciphers, holder, protection->algorithm, &key);
	return next->aead;
}

/* The record is done. Returns whether GnuTLS knows it now. */
static bool
advance(struct protection *protection, enum way way, const struct next *next)
{
	uint8_t sequence[SEQUENCE_SIZE];
	uint64_t number = next->sequence + 1;

	for (size_t i = SEQUENCE_SIZE; i-- > 0; number >>= 8)
		sequence[i] = (uint8_t)number;
	return gnutls_record_set_state(protection->session, way == RECEIVED, sequence) == 0;
}

/* How much of the @length bytes that were decrypted is data; 0 if that is not what they are. */
static size_t
data_in(const uint8_t *bytes, size_t length)
{
	while (length > 0 && bytes[length - 1] == 0)
		length--;
	return length > 0 && bytes[length - 1] == TYPE_DATA ? length - 1 : 0;
}

size_t
protection_open(struct protection *protection, struct window *window, uint8_t *bytes)
{
	const uint8_t *record = window->bytes + window->start;
	size_t ready = window->ready - window->start;
	struct next next;

	if (!protection->opens || ready <= RECORD_HEADER ||
		gnutls_record_check_pending(protection->session) > 0)
		return 0;
	size_t sealed = (size_t)(record[3] << 8 | record[4]);
	if (sealed > ready - RECORD_HEADER || sealed <= OVERHEAD ||
		sealed > (size_t)protection->open_max + OVERHEAD ||
		!prepare(protection, RECEIVED, &next))
		return 0;
	const struct aead_frame frame = {next.nonce, record, RECORD_HEADER};
	if (aead_open(next.aead, &frame, record + RECORD_HEADER, sealed, bytes) < 0)
		return 0;
	size_t length = data_in(bytes, sealed - AEAD_TAG);
	if (length == 0 || !advance(protection, RECEIVED, &next))
		return 0;
	window->start += RECORD_HEADER + sealed;
	return length;
}

void
protection_received(struct protection *protection, bool data)
{
	protection->opens = data && protection->session;
	if (!data)
		protection->seal_max = 0;
}

static bool
is_renewal_near(uint64_t sequence)
{
	return sequence % RENEWAL_PERIOD >= RENEWAL_PERIOD - RENEWAL_MARGIN;
}

size_t
protection_seal(
	struct protection *protection, const void *bytes, size_t size, uint8_t *record, size_t room)
{
	const size_t sealed = size + OVERHEAD;
	const uint8_t header[RECORD_HEADER] = {
		TYPE_DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed};
	struct next next;
	const struct aead_frame frame = {next.nonce, header, RECORD_HEADER};

	if (size > protection->seal_max || room < RECORD_HEADER + sealed ||
		!prepare(protection, SENT, &next) || is_renewal_near(next.sequence))
		return 0;
	memcpy(record, header, RECORD_HEADER);
	if (aead_seal(next.aead, &frame, bytes, size, TYPE_DATA, record + RECORD_HEADER) < 0 ||
		!advance(protection, SENT, &next))
		return 0;
	return RECORD_HEADER + sealed;
}

void
protection_sent(struct protection *protection, size_t size)
{
	if (protection->session && size > protection->seal_max)
		protection->seal_max = size < DATA_MAX ? (uint16_t)size : DATA_MAX;
}
