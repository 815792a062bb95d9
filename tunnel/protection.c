/* SPDX-License-Identifier: MIT */
#include "tunnel/protection.h"

#include <stdlib.h>
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

#define NUMBER_MAX (UINT64_MAX >> 1) /* of a record; long before it the key is another */

_Static_assert(TYPE_SIZE <= (int)STREAM_SLACK, "a record is decrypted with its type");

static uint64_t
decode(const uint8_t *sequence)
{
	uint64_t number = 0;

	for (size_t i = 0; i < SEQUENCE_SIZE; i++)
		number = number << 8 | sequence[i];
	return number;
}

static void
encode(uint64_t number, uint8_t *sequence)
{
	for (size_t i = SEQUENCE_SIZE; i-- > 0; number >>= 8)
		sequence[i] = (uint8_t)number;
}

/* Whether @way is the one that is received, as GnuTLS wants to have it said. */
static unsigned
is_received(const struct protection *protection, const struct protected_way *way)
{
	return way == &protection->received;
}

/*
 * GnuTLS refuses this only where it would have refused to say the number, too. If it did all the same, it would go on
 * with an old one, and give the key away.
 */
static void
give_back(const struct protection *protection, struct protected_way *way)
{
	uint8_t sequence[SEQUENCE_SIZE];

	if (!way->has_number)
		return;
	way->has_number = false;
	encode(way->number, sequence);
	if (gnutls_record_set_state(
		    protection->guarded_session, is_received(protection, way), sequence) < 0)
		abort();
}

void
protection_init(struct protection *protection, gnutls_session_t session)
{
	*protection = (struct protection){.guarded_session = session};
}

gnutls_session_t
protection_session(struct protection *protection)
{
	give_back(protection, &protection->received);
	give_back(protection, &protection->sent);
	return protection->guarded_session;
}

void
protection_begin(struct protection *protection, struct ciphers *ciphers)
{
	gnutls_session_t session = protection_session(protection);
	gnutls_cipher_algorithm_t algorithm = gnutls_cipher_get(session);
	size_t open_max = gnutls_record_get_max_size(session);

	if (gnutls_protocol_get_version(session) != GNUTLS_TLS1_3 || !aead_knows(algorithm))
		return;
	protection->ciphers = ciphers;
	protection->algorithm = algorithm;
	protection->open_max = open_max < DATA_MAX ? (uint16_t)open_max : DATA_MAX;
}

void
protection_end(struct protection *protection)
{
	cipher_drop(&protection->received.cipher);
	cipher_drop(&protection->sent.cipher);
	*protection = (struct protection){0};
}

/* Have the key and the number of the next record of @way here. Returns whether that is possible. */
static bool
fetch(struct protection *protection, struct protected_way *way)
{
	struct cipher_secret secret = {.algorithm = protection->algorithm};
	uint8_t sequence[SEQUENCE_SIZE];

	if (gnutls_record_get_state(protection->guarded_session, is_received(protection, way), NULL,
		    &secret.iv, &secret.key, sequence) < 0 ||
		ciphers_hold(protection->ciphers, &way->cipher, &secret) < 0)
		return false;
	if (!way->has_number)
		way->number = decode(sequence) & NUMBER_MAX;
	way->has_number = true;
	return true;
}

/* Be ready for the next record of @way. Returns whether that is possible. */
static inline bool
prepare(struct protection *protection, struct protected_way *way)
{
	/* While the number is here, the key cannot have changed. */
	return (way->has_number && way->cipher) || fetch(protection, way);
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
	struct protected_way *way = &protection->received;
	size_t ready = window->ready - window->start;
	uint8_t nonce[AEAD_NONCE];

	if (!protection->opens || ready <= RECORD_HEADER)
		return 0;
	size_t sealed = (size_t)(record[3] << 8 | record[4]);
	if (sealed > ready - RECORD_HEADER || sealed <= OVERHEAD ||
		sealed > (size_t)protection->open_max + OVERHEAD || !prepare(protection, way))
		return 0;
	const struct aead *aead = cipher_use(way->cipher, way->number, nonce);
	const struct aead_frame frame = {nonce, record, RECORD_HEADER};
	if (aead_open(aead, &frame, record + RECORD_HEADER, sealed, bytes) < 0)
		return 0;
	size_t length = data_in(bytes, sealed - AEAD_TAG);
	if (length == 0)
		return 0;
	way->number++;
	window->start += RECORD_HEADER + sealed;
	return length;
}

void
protection_received(struct protection *protection, bool data)
{
	protection->opens = data && protection->ciphers &&
		gnutls_record_check_pending(protection->guarded_session) == 0;
	if (!data)
		protection->seal_max = 0;
}

static bool
is_renewal_near(uint64_t number)
{
	return number % RENEWAL_PERIOD >= RENEWAL_PERIOD - RENEWAL_MARGIN;
}

size_t
protection_seal(
	struct protection *protection, const void *bytes, size_t size, uint8_t *record, size_t room)
{
	const size_t sealed = size + OVERHEAD;
	const uint8_t header[RECORD_HEADER] = {
		TYPE_DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed};
	struct protected_way *way = &protection->sent;
	uint8_t nonce[AEAD_NONCE];
	const struct aead_frame frame = {nonce, header, RECORD_HEADER};

	if (size > protection->seal_max || room < RECORD_HEADER + sealed ||
		!prepare(protection, way) || is_renewal_near(way->number))
		return 0;
	const struct aead *aead = cipher_use(way->cipher, way->number, nonce);
	memcpy(record, header, RECORD_HEADER);
	if (aead_seal(aead, &frame, bytes, size, TYPE_DATA, record + RECORD_HEADER) < 0)
		return 0;
	way->number++;
	return RECORD_HEADER + sealed;
}

void
protection_sent(struct protection *protection, size_t size)
{
	if (protection->ciphers && size > protection->seal_max)
		protection->seal_max = size < DATA_MAX ? (uint16_t)size : DATA_MAX;
}
