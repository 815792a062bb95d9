/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/encounter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tunnel/credentials.h"
#include "tunnel/service.h"
#include "tunnel/session.h"
#include "tunnel/ticket_key.h"

struct pki_pair authority, stranger, good;
struct encounter encounter = {.fds = {-1, -1}};

int
encounter_begin(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_authority(&stranger, "stranger");
	identities_make_leaf(&good, &authority, "localhost", -1, 1);
	return 0;
}

int
encounter_end(void **state)
{
	(void)state;
	pki_pair_release(&good);
	pki_pair_release(&stranger);
	pki_pair_release(&authority);
	return 0;
}

int
encounter_teardown(void **state)
{
	(void)state;
	for (int end = 0; end < ENDS; end++) {
		if (encounter.sessions[end])
			gnutls_deinit(encounter.sessions[end]);
		service_unref(encounter.services[end]);
		free(encounter.judgements[end].identity);
		if (encounter.fds[end] >= 0)
			(void)close(encounter.fds[end]);
	}
	files_release(&encounter.files);
	encounter = (struct encounter){.fds = {-1, -1}};
	return 0;
}

int
encounter_setup(void **state)
{
	static const uint8_t master[64] = {1};
	struct diag diag;

	(void)encounter_teardown(state);
	identities_add(&encounter.files, "ca", &authority);
	identities_add(&encounter.files, "good", &good);
	assert_int_equal(
		files_add(&encounter.files, TICKET_MASTER_FILE, master, sizeof(master), &diag), 0);
	return 0;
}

void
encounter_make(const char *client, const char *server, const char *name)
{
	char text[1024];
	struct diag diag;

	(void)snprintf(text, sizeof(text),
		"%s"
		"[c]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n%s"
		"[s]\nmode = offload\naccept = 127.0.0.1:2\nconnect = 127.0.0.1:3\n%s",
		strstr(client, "ca = ") && strstr(server, "ca = ") ? "" : "ca = ca.crt\n", client,
		server);
	identities_services(text, &encounter.files, encounter.services);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, encounter.fds), 0);
	for (int end = 0; end < ENDS; end++) {
		enum side side = end == CLIENT ? SIDE_CONNECT : SIDE_ACCEPT;
		struct credentials *credentials = encounter.services[end]->credentials[side];

		encounter.judgements[end] = (struct judgement){
			.credentials = credentials, .name = end == CLIENT ? name : NULL};
		assert_int_equal(
			session_new(credentials, name, false, &encounter.sessions[end], &diag), 0);
		gnutls_session_set_ptr(encounter.sessions[end], &encounter.judgements[end]);
		gnutls_transport_set_int(encounter.sessions[end], encounter.fds[end]);
		encounter.results[end] = GNUTLS_E_AGAIN;
	}
}

void
encounter_shake_hands(void)
{
	for (int i = 0; i < 20; i++) {
		int end = i % ENDS;

		if (encounter.results[end] == GNUTLS_E_AGAIN)
			encounter.results[end] = gnutls_handshake(encounter.sessions[end]);
	}
}

bool
encounter_ask(int end)
{
	return authorise(encounter.sessions[end], &encounter.judgements[end]);
}

void
encounter_assert_refused(int end, gnutls_alert_description_t alert, const char *words)
{
	assert_false(encounter_ask(end));
	assert_string_equal(encounter.judgements[end].words, words);
	assert_int_equal(encounter.judgements[end].alert, alert);
}

const char good_pair[] = "cert = good.crt\nkey = good.key\n";
const char bad_pair[] = "cert = bad.crt\nkey = bad.key\n";
