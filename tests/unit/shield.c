/* SPDX-License-Identifier: MIT */
#include "tests/unit/shield.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/identities.h"
#include "tunnel/ciphers.h"
#include "tunnel/records.h"

struct shield shield;

static struct pki_pair authority, leaf;
static gnutls_certificate_credentials_t credentials[HANDSHAKE_ENDS];
static struct ev_loop *ev;

gnutls_session_t
shield_client(void)
{
	return protection_session(&shield.protection);
}

gnutls_session_t
shield_server(void)
{
	return shield.pair.sessions[HANDSHAKE_SERVER];
}

static ssize_t
on_pull(gnutls_transport_ptr_t pointer, void *bytes, size_t size)
{
	size_t taken = window_take(pointer, bytes, size);

	if (taken > 0)
		return (ssize_t)taken;
	gnutls_transport_set_errno(shield_client(), EAGAIN);
	return -1;
}

void
shield_begin(const char *priority)
{
	handshake_start(&shield.pair, priority, 0);
	for (int end = 0; end < HANDSHAKE_ENDS; end++) {
		assert_int_equal(gnutls_credentials_set(shield.pair.sessions[end],
					 GNUTLS_CRD_CERTIFICATE, credentials[end]),
			0);
	}
	handshake_run(&shield.pair);
	assert_int_equal(shield.pair.results[HANDSHAKE_CLIENT], 0);
	assert_int_equal(shield.pair.results[HANDSHAKE_SERVER], 0);
	protection_init(&shield.protection, shield.pair.sessions[HANDSHAKE_CLIENT]);
	gnutls_transport_set_ptr2(shield_client(), &shield.window,
		(gnutls_transport_ptr_t)(intptr_t)shield.pair.fds[HANDSHAKE_CLIENT]);
	gnutls_transport_set_pull_function(shield_client(), on_pull);
	protection_begin(&shield.protection, shield.ciphers);
}

int
shield_setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shield.data); i++)
		shield.data[i] = (uint8_t)(i * 31 >> 3);
	shield.window = (struct window){.bytes = shield.wire, .size = sizeof(shield.wire)};
	ev = ev_loop_new(EVFLAG_AUTO);
	shield.ciphers = ciphers_new(ev);
	return shield.ciphers ? 0 : -1;
}

int
shield_teardown(void **state)
{
	(void)state;
	protection_end(&shield.protection);
	assert_null(shield.protection.received.cipher);
	assert_null(shield.protection.sent.cipher);
	ciphers_free(shield.ciphers);
	ev_loop_destroy(ev);
	handshake_end(&shield.pair);
	return 0;
}

int
shield_make_credentials(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	for (int end = 0; end < HANDSHAKE_ENDS; end++)
		assert_int_equal(gnutls_certificate_allocate_credentials(&credentials[end]), 0);
	return gnutls_certificate_set_x509_key(
		credentials[HANDSHAKE_SERVER], &leaf.crt, 1, leaf.key);
}

int
shield_free_credentials(void **state)
{
	(void)state;
	for (int end = 0; end < HANDSHAKE_ENDS; end++)
		gnutls_certificate_free_credentials(credentials[end]);
	pki_pair_release(&leaf);
	pki_pair_release(&authority);
	return 0;
}

void
shield_fetch(void)
{
	size_t room = window_make_room(&shield.window);
	ssize_t size = recv(shield.pair.fds[HANDSHAKE_CLIENT],
		shield.window.bytes + shield.window.end, room, 0);

	assert_true(size > 0);
	window_grow(&shield.window, (size_t)size);
}

void
shield_server_sends(size_t size)
{
	assert_int_equal(gnutls_record_send(shield_server(), shield.data, size), size);
	shield_fetch();
}

void
shield_server_receives(size_t size)
{
	memset(shield.got, 0, sizeof(shield.got));
	assert_int_equal(gnutls_record_recv(shield_server(), shield.got, sizeof(shield.got)), size);
	assert_memory_equal(shield.got, shield.data, size);
}

void
shield_opens(size_t size)
{
	memset(shield.got, 0, sizeof(shield.got));
	assert_int_equal(protection_open(&shield.protection, &shield.window, shield.got), size);
	assert_memory_equal(shield.got, shield.data, size);
	assert_false(window_has_record(&shield.window));
}

void
shield_leaves(ssize_t result)
{
	size_t before = shield.window.start;

	assert_int_equal(protection_open(&shield.protection, &shield.window, shield.got), 0);
	assert_int_equal(shield.window.start, before);
	ssize_t length = gnutls_record_recv(shield_client(), shield.got, sizeof(shield.got));
	assert_int_equal(length, result);
	protection_received(&shield.protection, length > 0);
}

bool
shield_seals(size_t size)
{
	static uint8_t record[RECORD_HEADER + SHIELD_DATA + SHIELD_OVERHEAD];
	size_t length =
		protection_seal(&shield.protection, shield.data, size, record, sizeof(record));

	if (length == 0)
		return false;
	assert_int_equal(length, size + SHIELD_OVERHEAD + RECORD_HEADER);
	assert_int_equal(send(shield.pair.fds[HANDSHAKE_CLIENT], record, length, 0), length);
	return true;
}

void
shield_gnutls_sends(size_t size)
{
	assert_int_equal(gnutls_record_send(shield_client(), shield.data, size), size);
	protection_sent(&shield.protection, size);
	shield_server_receives(size);
}
