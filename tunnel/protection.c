/* SPDX-License-Identifier: MIT */
#include "tunnel/protection.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "tunnel/ciphers.h"
#include "tunnel/records.h"
#include "tunnel/stream.h"
#include "tunnel/window.h"

enum {
	TYPE_DATA = 23, /* of a record: application_data */
	DATA_MAX = 16 << 10,
	NONCE_SIZE = 12,
	SEQUENCE_SIZE = 8,
	TYPE_SIZE = 1, /* behind the data */
	TAG_SIZE = 16, /* of every cipher that is_known() */
	OVERHEAD = TYPE_SIZE + TAG_SIZE,
	/* Every 2^24 records GnuTLS changes the key, but sees that only of what it sends itself. */
	RENEWAL_PERIOD = 1 << 24,
	RENEWAL_MARGIN = 1 << 12,
};

_Static_assert(TYPE_SIZE <= (int)STREAM_SLACK, "a record is decrypted with its type");

enum way { SENT, RECEIVED };

/* The next record of one way. */
struct next {
	gnutls_aead_cipher_hd_t aead;
	uint64_t sequence;
	uint8_t nonce[NONCE_SIZE];
};

static bool
is_known(gnutls_cipher_algorithm_t algorithm)
{
	return algorithm == GNUTLS_CIPHER_AES_128_GCM || algorithm == GNUTLS_CIPHER_AES_256_GCM ||
		algorithm == GNUTLS_CIPHER_CHACHA20_POLY1305;
}

void
protection_begin(struct protection *protection, gnutls_session_t session, struct ciphers *ciphers)
{
	gnutls_cipher_algorithm_t algorithm = gnutls_cipher_get(session);
	size_t open_max = gnutls_record_get_max_size(session);

	*protection = (struct protection){0};
	if (gnutls_protocol_get_version(session) != GNUTLS_TLS1_3 || !is_known(algorithm))
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
		iv.size != NONCE_SIZE)
		return false;
	next->sequence = 0;
	memcpy(next->nonce, iv.data, NONCE_SIZE);
	for (size_t i = 0; i < SEQUENCE_SIZE; i++) {
		next->sequence = next->sequence << 8 | sequence[i];
		next->nonce[NONCE_SIZE - SEQUENCE_SIZE + i] ^= sequence[i];
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
	size_t length = sealed - TAG_SIZE;
	if (gnutls_aead_cipher_decrypt(next.aead, next.nonce, NONCE_SIZE, record, RECORD_HEADER,
		    TAG_SIZE, record + RECORD_HEADER, sealed, bytes, &length) < 0)
		return 0;
	length = data_in(bytes, length);
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
	uint8_t type = TYPE_DATA;
	size_t sealed = size + OVERHEAD;
	const uint8_t header[RECORD_HEADER] = {
		TYPE_DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed};
	const giovec_t authentic = {record, RECORD_HEADER};
	const giovec_t plain[] = {{(void *)(uintptr_t)bytes, size}, {&type, TYPE_SIZE}};
	struct next next;

	if (size > protection->seal_max || room < RECORD_HEADER + sealed ||
		!prepare(protection, SENT, &next) || is_renewal_near(next.sequence))
		return 0;
	memcpy(record, header, RECORD_HEADER);
	if (gnutls_aead_cipher_encryptv(next.aead, next.nonce, NONCE_SIZE, &authentic, 1, TAG_SIZE,
		    plain, 2, record + RECORD_HEADER, &sealed) < 0 ||
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
