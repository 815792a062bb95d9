/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/slow_ends.h"

#include <string.h>

#include "common/files.h"
#include "tests/unit/identities.h"
#include "tests/unit/slow_key.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/credentials.h"
#include "tunnel/linger.h"
#include "tunnel/service.h"
#include "tunnel/ticket_key.h"
#include "tunnel/tickets.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

static const char sections[] =
	"cert = client.crt\nkey = client.key\nca = ca.crt\n"
	"[server]\nmode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
	"cert = server.crt\nkey = server.key\npriority = NORMAL:-GROUP-ALL:+GROUP-X25519\n"
	"psk = psk\nallow = psk:anna\nallow = dns:localhost\n"
	"[client]\nmode = encrypt\naccept = 127.0.0.1:3\nconnect = localhost:1\n"
	"[client-1.2]\nmode = encrypt\naccept = 127.0.0.1:4\nconnect = localhost:1\n"
	"tls-max-version = 1.2\n"
	"[retry]\nmode = encrypt\naccept = 127.0.0.1:6\nconnect = localhost:1\n"
	"priority = NORMAL:-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519\n"
	"[other]\nmode = encrypt\naccept = 127.0.0.1:5\nconnect = localhost:1\n"
	"peer-name = other.example.net\n"
	"[anna]\nmode = encrypt\naccept = 127.0.0.1:7\nconnect = localhost:1\n"
	"cert = none\npsk = psk\npsk-identity = anna\ntls-max-version = 1.2\n"
	"[bert]\nmode = encrypt\naccept = 127.0.0.1:8\nconnect = localhost:1\n"
	"cert = none\npsk = psk\npsk-identity = bert\ntls-max-version = 1.2\n";

struct slow_ends slow_ends = {.budget = {.limit = 64 << 20}};

int
slow_ends_begin(void **state)
{
	static const uint8_t master[TICKET_KEY_SIZE] = {1};
	struct pki_pair authority, leaf;
	struct files files = {0};
	struct diag diag;

	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	identities_add(&files, "ca", &authority);
	identities_add(&files, "server", &leaf);
	identities_add(&files, "client", &leaf);
	identities_add_text(&files, "psk",
		"anna:00112233445566778899aabbccddeeff\n"
		"bert:ffeeddccbbaa99887766554433221100\n");
	assert_int_equal(files_add(&files, TICKET_MASTER_FILE, master, sizeof(master), &diag), 0);
	identities_services(sections, &files, slow_ends.services);
	files_release(&files);
	slow_key_init(&leaf);
	for (int i = 0; i < SERVICES; i++) {
		slow_ends.parties[i] =
			slow_ends.services[i]
				->credentials[i == SERVER ? SIDE_ACCEPT : SIDE_CONNECT];
		if (i != CLIENT_ANNA && i != CLIENT_BERT)
			slow_key_give(slow_ends.parties[i], &leaf);
	}
	pki_pair_release(&leaf);
	pki_pair_release(&authority);
	return loop_init(&slow_ends.loop, &slow_ends.budget, &diag);
}

int
slow_ends_end(void **state)
{
	(void)state;
	loop_release(&slow_ends.loop);
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(slow_ends.services[i]);
	slow_key_release();
	return 0;
}

void
slow_ends_forget_tickets(void)
{
	tickets_free(slow_ends.loop.tickets);
	slow_ends.loop.tickets = tickets_new();
	assert_non_null(slow_ends.loop.tickets);
}

int
slow_ends_setup(void **state)
{
	(void)state;
	slow_ends_forget_tickets();
	slow_key_start();
	slow_ends.helpers = loan_helpers_new(2);
	assert_non_null(slow_ends.helpers);
	loan_desk_init(&slow_ends.desk, slow_ends.loop.ev, slow_ends.helpers);
	slow_ends.loop.desk = &slow_ends.desk;
	return 0;
}

void
slow_ends_await(void)
{
	while (slow_ends.desk.out > 0)
		(void)ev_run(slow_ends.loop.ev, EVRUN_ONCE);
}

int
slow_ends_teardown(void **state)
{
	(void)state;
	slow_key_open_gate();
	slow_ends_await();
	linger_end_all(&slow_ends.loop);
	loan_desk_release(&slow_ends.desk);
	loan_helpers_free(slow_ends.helpers);
	assert_int_equal(slow_ends.budget.used, 0);
	for (int i = 0; i < SERVICES; i++)
		assert_int_equal(slow_ends.parties[i]->references, 1);
	slow_key_stop();
	return 0;
}

void
slow_ends_start(struct tls_pair *pair, int client)
{
	tls_pair_start(pair, &slow_ends.loop, slow_ends.parties[client], slow_ends.parties[SERVER],
		client == CLIENT_OTHER_NAME ? "other.example.net" : "localhost");
}

void
slow_ends_greet(struct tls_pair *pair, int client)
{
	slow_ends_start(pair, client);
	assert_int_equal(tls_handshake(pair->client, &pair->client_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
}

enum io
slow_ends_go_on(struct transport *end, struct diag *diag)
{
	enum io answer;

	while ((answer = tls_handshake(end, diag)) == IO_WAIT)
		(void)ev_run(slow_ends.loop.ev, EVRUN_ONCE);
	return answer;
}

enum io
slow_ends_await_step(struct transport *end, struct diag *diag)
{
	assert_int_equal(tls_handshake(end, diag), IO_WAIT);
	return slow_ends_go_on(end, diag);
}

void
slow_ends_reach_client(struct tls_pair *pair, int client)
{
	slow_ends_greet(pair, client);
	assert_int_equal(slow_ends_await_step(pair->server, &pair->server_diag), IO_WANT_READ);
	(void)tls_pair_move(pair, SIZE_MAX);
}

void
slow_ends_abort_server(struct tls_pair *pair)
{
	stream_abort(&pair->server->stream);
	pair->server_gone = true;
}

void
slow_ends_exchange(struct tls_pair *pair)
{
	tls_pair_client_says(pair, "ask");
	tls_pair_server_says(pair, "say");
}

void
slow_ends_open(struct tls_pair *pair, int client, size_t piece)
{
	enum io client_answer, server_answer;

	slow_ends_start(pair, client);
	tls_pair_handshake(pair, piece, &client_answer, &server_answer);
	assert_int_equal(client_answer, IO_DONE);
	assert_int_equal(server_answer, IO_DONE);
}
