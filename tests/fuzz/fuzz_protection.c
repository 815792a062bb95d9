/* SPDX-License-Identifier: MIT */
/*
 * fuzz_protection.c - records that come to a session, whose key the peer has too.
 *
 * The first byte of the input says what the rest is: bytes as they come, or what is inside of a record that is
 * authentic, or was until one bit of it was turned. What is opened must be data as RFC 8446 section 5.4 has it, and
 * what GnuTLS makes of the same record; all else must be left as it is.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/defs.h"
#include "tunnel/aead.h"
#include "tunnel/ciphers.h"
#include "tunnel/protection.h"
#include "tunnel/records.h"
#include "tunnel/session.h"
#include "tunnel/stream.h"
#include "tunnel/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENT, SERVER, ENDS };
enum {
	DATA_MAX = 16 << 10,
	TYPE_DATA = 23,
	KEY_SIZE = 32,
	INNER_MAX = DATA_MAX + 300,
	EDGE = 64 << 10
};
enum kind { RAW, AUTHENTIC, TURNED, KINDS };

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:-CIPHER-ALL:+AES-128-GCM"

static gnutls_session_t sessions[ENDS];
static struct window window;
static struct protection protection;
static uint8_t *
	edge; /* of memory: what is read behind it is seen, by assembler too, which no sanitizer looks at */

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static int
on_psk(gnutls_session_t session, const char *name, gnutls_datum_t *key)
{
	(void)session;
	(void)name;
	key->data = gnutls_calloc(1, KEY_SIZE);
	key->size = KEY_SIZE;
	return key->data ? 0 : -1;
}

static ssize_t
on_pull(gnutls_transport_ptr_t pointer, void *bytes, size_t size)
{
	size_t taken = window_take(pointer, bytes, size);

	if (taken > 0)
		return (ssize_t)taken;
	gnutls_transport_set_errno(sessions[CLIENT], EAGAIN);
	return -1;
}

static void
give_credentials(void)
{
	uint8_t zeros[KEY_SIZE] = {0};
	const gnutls_datum_t key = {zeros, sizeof(zeros)};
	static gnutls_psk_client_credentials_t client;
	static gnutls_psk_server_credentials_t server;

	must(gnutls_psk_allocate_client_credentials(&client) == 0);
	must(gnutls_psk_allocate_server_credentials(&server) == 0);
	must(gnutls_psk_set_client_credentials(client, "name", &key, GNUTLS_PSK_KEY_RAW) == 0);
	gnutls_psk_set_server_credentials_function(server, on_psk);
	must(gnutls_credentials_set(sessions[CLIENT], GNUTLS_CRD_PSK, client) == 0);
	must(gnutls_credentials_set(sessions[SERVER], GNUTLS_CRD_PSK, server) == 0);
}

/* Shake hands once; then the client reads from the window. */
static void
begin(void)
{
	int fds[ENDS], results[ENDS] = {GNUTLS_E_AGAIN, GNUTLS_E_AGAIN};

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	for (int end = 0; end < ENDS; end++) {
		const unsigned role = end == CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER;

		must(gnutls_init(&sessions[end], role | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS) == 0);
		must(gnutls_priority_set_direct(sessions[end], PRIORITY, NULL) == 0);
		gnutls_transport_set_int(sessions[end], fds[end]);
	}
	give_credentials();
	for (int i = 0; i < 20; i++)
		if (results[i % ENDS] == GNUTLS_E_AGAIN)
			results[i % ENDS] = gnutls_handshake(sessions[i % ENDS]);
	must(results[CLIENT] == 0 && results[SERVER] == 0);
	for (int end = 0; end < ENDS; end++)
		session_forget_handshake(sessions[end]);
	gnutls_transport_set_ptr(sessions[CLIENT], &window);
	gnutls_transport_set_pull_function(sessions[CLIENT], on_pull);
	edge = mmap(
		NULL, (size_t)2 * EDGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(edge != MAP_FAILED);
	edge += EDGE;
	must(mprotect(edge, EDGE, PROT_NONE) == 0);
	protection_init(&protection, sessions[CLIENT]);
	protection_begin(&protection, ciphers_new(ev_default_loop(0)));
	protection_received(&protection, true);
}

/* Make an authentic record, the first of all, of @size bytes that are inside. Returns how long it is. */
static size_t
forge(const uint8_t *inner, size_t size, uint8_t *record)
{
	const size_t sealed = size + AEAD_TAG;
	uint8_t sequence[8];
	gnutls_datum_t iv, key;

	must(gnutls_record_get_state(sessions[CLIENT], 1, NULL, &iv, &key, sequence) == 0);
	struct aead *aead = aead_new(GNUTLS_CIPHER_AES_128_GCM, &key);
	const struct aead_frame frame = {iv.data, record, RECORD_HEADER};
	must(aead);
	memcpy(record, (const uint8_t[]){TYPE_DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed},
		RECORD_HEADER);
	must(aead_seal(aead, &frame, inner, size - 1, inner[size - 1], record + RECORD_HEADER) ==
		0);
	aead_free(aead);
	return RECORD_HEADER + sealed;
}

/* How much of what is inside is data: nothing, if it is anything else. */
static size_t
data_in(const uint8_t *inner, size_t size)
{
	if (size > DATA_MAX + 1)
		return 0;
	while (size > 0 && inner[size - 1] == 0)
		size--;
	return size > 0 && inner[size - 1] == TYPE_DATA ? size - 1 : 0;
}

static void
set_sequence(uint8_t last)
{
	const uint8_t sequence[8] = {[7] = last};

	must(gnutls_record_set_state(protection_session(&protection), 1, sequence) == 0);
}

static uint8_t
sequence(void)
{
	uint8_t sequence[8];

	must(gnutls_record_get_state(
		     protection_session(&protection), 1, NULL, NULL, NULL, sequence) == 0);
	return sequence[7];
}

/* What was opened is no record that may come next. */
static void
refuse_again(void)
{
	static uint8_t opened[DATA_MAX + STREAM_SLACK];

	window.start = 0;
	must(protection_open(&protection, &window, opened) == 0);
	must(window.start == 0);
}

/* Have @size bytes at @record opened; @inner of them must be data, which is @expected. */
static void
judge(uint8_t *record, size_t size, const uint8_t *expected, size_t inner)
{
	static uint8_t opened[DATA_MAX + STREAM_SLACK], by_gnutls[DATA_MAX];

	window = (struct window){.bytes = record, .size = size};
	window_grow(&window, size);
	set_sequence(0);
	size_t length = protection_open(&protection, &window, opened);
	must(length == inner);
	must(window.start == (inner > 0 ? size : 0));
	must(memcmp(opened, expected, inner) == 0);
	if (inner > 0)
		refuse_again();
	must(sequence() == (inner > 0));
	if (inner == 0)
		return;
	set_sequence(0);
	window.start = 0;
	must(gnutls_record_recv(sessions[CLIENT], by_gnutls, sizeof(by_gnutls)) == (ssize_t)inner);
	must(memcmp(by_gnutls, expected, inner) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t record[RECORD_HEADER + INNER_MAX + AEAD_TAG];

	if (!sessions[CLIENT])
		begin();
	if (size < 2 || size > INNER_MAX)
		return 0;
	const enum kind kind = *data++ % KINDS;
	size--;
	set_sequence(0);
	size_t length = kind == RAW ? size : forge(data, size, record);
	uint8_t *exact = edge - length;
	memcpy(exact, kind == RAW ? data : record, length);
	if (kind == TURNED)
		exact[data[0] * (size_t)251 % length] ^= (uint8_t)(1 << data[0] % 8);
	judge(exact, length, data, kind == AUTHENTIC ? data_in(data, size) : 0);
	return 0;
}
