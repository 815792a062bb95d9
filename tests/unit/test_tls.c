/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/text.h"
#include "tests/unit/forgery.h"
#include "tests/unit/identities.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/linger.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/tls_state.h"
#include "tunnel/transport.h"

enum { SERVER_1_3, CLIENT_1_3, CLIENT_1_2, CLIENT_OTHER_NAME, CLIENT_ACCEPT, SERVICES };

static const char sections[] =
	"cert = client.crt\nkey = client.key\nca = ca.crt\n"
	"[server]\nmode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
	"cert = server.crt\nkey = server.key\n"
	"[client]\nmode = encrypt\naccept = 127.0.0.1:3\nconnect = localhost:1\n"
	"[client-1.2]\nmode = encrypt\naccept = 127.0.0.1:4\nconnect = localhost:1\n"
	"tls-max-version = 1.2\n"
	"[other]\nmode = encrypt\naccept = 127.0.0.1:5\nconnect = localhost:1\n"
	"peer-name = other.example.net\n"
	"[accept]\nmode = encrypt\naccept = 127.0.0.1:6\nconnect = localhost:1\n"
	"truncation = accept\n";

enum { CRUMBS = 10000, ENDLESS = 4 * TLS_CONTROL_MAX };

static struct service *services[SERVICES];
static struct pool_budget budget = {.limit = 64 << 20};
static struct loop loop;

static int
setup_group(void **state)
{
	struct diag diag;

	(void)state;
	identities_services_of_ends(sections, services);
	return loop_init(&loop, &budget, &diag);
}

static int
teardown_group(void **state)
{
	(void)state;
	linger_end_all(&loop);
	loop_release(&loop);
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(services[i]);
	return 0;
}

static void
pair_start(struct tls_pair *pair, int client, const char *name)
{
	tls_pair_start(pair, &loop, services[client]->credentials[SIDE_CONNECT],
		services[SERVER_1_3]->credentials[SIDE_ACCEPT], name);
}

static void
pair_open(struct tls_pair *pair, int client)
{
	enum io client_answer, server_answer;

	pair_start(pair, client, "localhost");
	tls_pair_handshake(pair, SIZE_MAX, &client_answer, &server_answer);
	assert_int_equal(client_answer, IO_DONE);
	assert_int_equal(server_answer, IO_DONE);
}

static void
pair_end(struct tls_pair *pair)
{
	tls_pair_end(pair);
	assert_int_equal(budget.used, 0);
}

static void
both_ends_know_each_other(void **state)
{
	static const struct {
		int service;
		const char *version;
	} cases[] = {{CLIENT_1_3, "TLS1.3"}, {CLIENT_1_2, "TLS1.2"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char identity[300];
		struct text text;
		struct tls_pair pair;

		pair_open(&pair, cases[i].service);
		text_init(&text, identity, sizeof(identity));
		tls_print_identity(pair.server, &text);
		assert_non_null(strstr(identity, "dns:client.example.net"));
		text_init(&text, identity, sizeof(identity));
		tls_print_identity(pair.client, &text);
		assert_non_null(strstr(identity, "dns:localhost"));
		assert_string_equal(tls_facts(pair.client).version, cases[i].version);
		assert_string_equal(tls_facts(pair.server).cipher, "AES-128-GCM");
		assert_string_equal(tls_facts(pair.server).group, "X25519");
		assert_int_equal(budget.used, 0);
		assert_int_equal(pair.server->tls->control, 0);
		pair_end(&pair);
	}
}

static void
a_handshake_that_comes_byte_by_byte_is_good(void **state)
{
	enum io client, server;
	struct tls_pair pair;

	(void)state;
	pair_start(&pair, CLIENT_1_3, "localhost");
	tls_pair_handshake(&pair, 1, &client, &server);
	assert_int_equal(client, IO_DONE);
	assert_int_equal(server, IO_DONE);
	pair_end(&pair);
}

/* Send a stream of numbered bytes in batches of all sizes over a wire of @piece bytes. */
static void
carry(int service, size_t piece)
{
	static const size_t sizes[] = {1, 100, 16384, 16385, 50000, 262144, 7};
	static uint8_t batch[LOOP_SCRATCH];
	struct tls_pair pair;
	size_t sent = 0, received = 0;

	pair_open(&pair, service);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t k = 0; k < sizes[i]; k++)
			batch[k] = (uint8_t)((sent + k) % 251);
		sent += sizes[i];
		assert_int_not_equal(
			stream_write(&pair.client->stream, batch, sizes[i], &pair.client_diag),
			IO_ERROR);
		while (received < sent) {
			size_t got = 0;

			(void)tls_pair_move(&pair, piece);
			assert_int_not_equal(
				stream_write(&pair.client->stream, NULL, 0, &pair.client_diag),
				IO_ERROR);
			enum io answer = stream_read(&pair.server->stream, loop.plaintext,
				LOOP_SCRATCH, &got, &pair.server_diag);
			assert_true(answer == IO_DONE || answer == IO_WANT_READ);
			for (size_t k = 0; k < got; k++)
				assert_int_equal(loop.plaintext[k], (received + k) % 251);
			received += got;
		}
	}
	pair_end(&pair);
}

static void
bytes_arrive_in_order_however_the_wire_cuts_them(void **state)
{
	(void)state;
	carry(CLIENT_1_3, SIZE_MAX);
	carry(CLIENT_1_3, 1000);
	carry(CLIENT_1_2, 4999);
}

static void
a_finished_way_is_an_end_and_the_other_way_stays_open(void **state)
{
	char text[100];
	struct tls_pair pair;

	(void)state;
	for (int service = CLIENT_1_3; service <= CLIENT_1_2; service++) {
		pair_open(&pair, service);
		assert_int_equal(
			stream_write(&pair.client->stream, "ask", 3, &pair.client_diag), IO_DONE);
		assert_int_equal(stream_finish(&pair.client->stream, &pair.client_diag), IO_DONE);
		(void)tls_pair_move(&pair, SIZE_MAX);
		assert_int_equal(tls_pair_server_reads(&pair, text), IO_DONE);
		assert_string_equal(text, "ask");
		assert_true(pair.server->stream.readable);
		assert_int_equal(tls_pair_server_reads(&pair, text), IO_END);
		assert_int_equal(stream_write(&pair.server->stream, "answer", 6, &pair.server_diag),
			IO_DONE);
		assert_int_equal(stream_finish(&pair.server->stream, &pair.server_diag), IO_DONE);
		(void)tls_pair_move(&pair, SIZE_MAX);
		assert_int_equal(tls_pair_client_reads(&pair, text), IO_DONE);
		assert_string_equal(text, "answer");
		assert_int_equal(tls_pair_client_reads(&pair, text), IO_END);
		pair_end(&pair);
	}
}

static void
an_abort_is_an_alert_that_the_peer_sees(void **state)
{
	char text[100];
	struct tls_pair pair;

	(void)state;
	pair_open(&pair, CLIENT_1_3);
	stream_abort(&pair.server->stream);
	pair.server_gone = true;
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "Internal error"));
	pair_end(&pair);
}

/* Cut the wire towards the client after @keep bytes of a record of the server; @keep of -1 is all. */
static void
cut_towards_client(struct tls_pair *pair, ssize_t keep)
{
	char bytes[1000];

	assert_int_equal(
		stream_write(&pair->server->stream, "last", 4, &pair->server_diag), IO_DONE);
	ssize_t got = recv(pair->wire[1], bytes, sizeof(bytes), 0);
	assert_true(got > keep);
	assert_true(send(pair->wire[0], bytes, (size_t)(keep < 0 ? got : keep), 0) > 0);
	assert_int_equal(shutdown(pair->wire[0], SHUT_WR), 0);
	pair->client->stream.readable = true;
}

static void
a_connection_that_is_cut_is_broken(void **state)
{
	char text[100];
	struct tls_pair pair;

	(void)state;
	pair_open(&pair, CLIENT_1_3);
	cut_towards_client(&pair, -1);
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_DONE);
	assert_string_equal(text, "last");
	pair.client->stream.readable = true;
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "without close_notify"));
	pair_end(&pair);
}

static void
a_cut_between_records_may_be_accepted_and_the_way_back_works(void **state)
{
	char text[100];
	struct tls_pair pair;

	(void)state;
	pair_open(&pair, CLIENT_ACCEPT);
	cut_towards_client(&pair, -1);
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_DONE);
	pair.client->stream.readable = true;
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_END);
	tls_pair_client_says(&pair, "back");
	pair_end(&pair);
}

static void
a_cut_inside_a_record_is_never_accepted(void **state)
{
	char text[100];
	struct tls_pair pair;

	(void)state;
	for (ssize_t keep = 1; keep < 20; keep += 6) {
		pair_open(&pair, CLIENT_ACCEPT);
		cut_towards_client(&pair, keep);
		enum io answer = tls_pair_client_reads(&pair, text);
		if (answer == IO_WANT_READ) {
			pair.client->stream.readable = true;
			answer = tls_pair_client_reads(&pair, text);
		}
		assert_int_equal(answer, IO_ERROR);
		assert_non_null(strstr(pair.client_diag.text, "inside a TLS record"));
		pair_end(&pair);
	}
}

static void
a_server_of_another_name_is_refused_before_it_learns_who_we_are(void **state)
{
	enum io client, server;
	struct tls_pair pair;

	(void)state;
	pair_start(&pair, CLIENT_OTHER_NAME, "other.example.net");
	tls_pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(client, IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "name"));
	assert_int_equal(server, IO_WANT_READ);
	pair_end(&pair);
}

/* Have @end send the handshake message @type, of @size zeros, in an authentic record of TLS 1.3. */
static void
send_message(struct transport *end, uint8_t type, uint8_t size)
{
	enum { HEADER = 4, TYPE_HANDSHAKE = 22 };
	uint8_t inner[HEADER + UINT8_MAX + 1] = {type, 0, 0, size};
	uint8_t record[sizeof(inner) + FORGERY_OVERHEAD];
	struct diag diag;

	inner[HEADER + size] = TYPE_HANDSHAKE;
	size_t length =
		forgery_make(tls_session(end->tls), inner, HEADER + (size_t)size + 1, record);
	assert_int_equal(transport_send(end, record, length, &diag), IO_DONE);
}

static void
nothing_of_a_handshake_is_taken_after_it(void **state)
{
	static const uint8_t types[] = {0, 1, 2, 4, 5, 8, 11, 13, 15, 20, 24, 25, 254};

	(void)state;
	for (size_t i = 0; i < 4 * ARRAY_SIZE(types); i++) {
		uint8_t type = types[i / 4], size = i % 2 ? 32 : 0;
		bool to_client = i % 4 / 2;
		char text[100];
		struct tls_pair pair;

		pair_open(&pair, CLIENT_1_3);
		(void)tls_pair_move(&pair, SIZE_MAX);
		assert_int_equal(tls_pair_client_reads(&pair, text), IO_WANT_READ);
		assert_null(pair.client->tls->opening);
		assert_null(pair.server->tls->opening);
		send_message(to_client ? pair.server : pair.client, type, size);
		(void)tls_pair_move(&pair, SIZE_MAX);
		enum io answer = to_client ? tls_pair_client_reads(&pair, text)
					   : tls_pair_server_reads(&pair, text);
		if (answer != IO_ERROR)
			fail_msg("type %u of %u bytes: %d", type, size, answer);
		pair_end(&pair);
	}
}

/* Send the client of @pair a message of 16 MiB that has begun, in @count records of a byte each. */
static void
send_crumbs(struct tls_pair *pair, bool first, size_t count)
{
	static const uint8_t header[] = {22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff};
	static const uint8_t crumb[] = {22, 3, 3, 0, 1, 0};
	static uint8_t bytes[sizeof(header) + CRUMBS * sizeof(crumb)];
	size_t size = first ? sizeof(header) : 0;

	memcpy(bytes, header, size);
	for (; count > 0; count--, size += sizeof(crumb))
		memcpy(bytes + size, crumb, sizeof(crumb));
	assert_int_equal(send(pair->wire[0], bytes, size, 0), size);
}

static int
unread(const struct transport *end)
{
	int bytes = 0;

	assert_int_equal(ioctl(end->fd, FIONREAD, &bytes), 0);
	return bytes;
}

static void
who_sends_without_a_pause_is_left_to_wait_like_the_others(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_start(&pair, CLIENT_1_3, "localhost");
	assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_WANT_READ);
	send_crumbs(&pair, true, CRUMBS);
	int left = unread(pair.client);
	for (int turns = 3; turns > 0; turns--) {
		pair.client->stream.readable = true;
		assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_WANT_READ);
		assert_in_range(left - unread(pair.client), 1, 16 << 10);
		left = unread(pair.client);
	}
	pair_end(&pair);
}

static void
a_message_that_does_not_end_ends_the_handshake(void **state)
{
	struct tls_pair pair;
	enum io answer = IO_WANT_READ;
	size_t sent = 0;

	(void)state;
	pair_start(&pair, CLIENT_1_3, "localhost");
	assert_int_equal(tls_handshake(pair.client, &pair.client_diag), IO_WANT_READ);
	while (answer == IO_WANT_READ && sent < ENDLESS) {
		send_crumbs(&pair, sent == 0, CRUMBS / 10);
		sent += 6000;
		pair.client->stream.readable = true;
		answer = tls_handshake(pair.client, &pair.client_diag);
	}
	assert_int_equal(answer, IO_ERROR);
	assert_string_equal(
		pair.client_diag.text, "handshake: The handshake data size is too large");
	assert_in_range(sent, TLS_CONTROL_MAX, TLS_CONTROL_MAX + 20000);
	pair_end(&pair);
}

/* Have @end send @inner, which has room for its type of content, as the next record of a handshake. */
static void
send_record(struct transport *end, uint8_t *inner, size_t size)
{
	enum { LONGEST = 8192 };
	gnutls_session_t session = tls_session(end->tls);
	uint8_t record[LONGEST + FORGERY_OVERHEAD], sequence[8];
	struct diag diag;

	assert_true(size < LONGEST);
	inner[size] = 22;
	size_t length = forgery_make(session, inner, size + 1, record);
	assert_int_equal(transport_send(end, record, length, &diag), IO_DONE);
	assert_int_equal(gnutls_record_get_state(session, 0, NULL, NULL, NULL, sequence), 0);
	sequence[7]++;
	assert_int_equal(gnutls_record_set_state(session, 0, sequence), 0);
}

static void
a_message_that_does_not_end_ends_the_tunnel(void **state)
{
	enum { PIECE = 4000 };
	enum io answer = IO_WANT_READ;
	struct tls_pair pair;
	char text[100];
	uint8_t piece[PIECE + 1] = {4, 0xff, 0xff, 0xff};
	size_t sent = 0;

	(void)state;
	pair_open(&pair, CLIENT_1_3);
	(void)tls_pair_move(&pair, SIZE_MAX);
	for (; answer == IO_WANT_READ && sent < ENDLESS; sent += PIECE) {
		send_record(pair.client, piece, PIECE);
		(void)tls_pair_move(&pair, SIZE_MAX);
		answer = tls_pair_server_reads(&pair, text);
	}
	assert_int_equal(answer, IO_ERROR);
	assert_string_equal(pair.server_diag.text, "receive: The handshake data size is too large");
	assert_in_range(sent, TLS_CONTROL_MAX, TLS_CONTROL_MAX + 2 * PIECE);
	pair_end(&pair);
}

static void
whole_messages_are_no_burden(void **state)
{
	enum { TICKET = 4000, BODY = 4 + 4 + 1 + 2 + TICKET + 2, MESSAGE = 4 + BODY };
	/* RFC 8446 section 4.6.1, with nothing but the ticket. */
	uint8_t message[MESSAGE + 1] = {4, 0, BODY >> 8, BODY & 0xff};
	struct tls_pair pair;
	char text[100];

	(void)state;
	message[13] = TICKET >> 8;
	message[14] = TICKET & 0xff;
	pair_open(&pair, CLIENT_1_3);
	(void)tls_pair_move(&pair, SIZE_MAX);
	assert_int_equal(tls_pair_client_reads(&pair, text), IO_WANT_READ);
	for (size_t sent = 0; sent < ENDLESS; sent += MESSAGE) {
		send_record(pair.server, message, MESSAGE);
		(void)tls_pair_move(&pair, SIZE_MAX);
		assert_int_equal(tls_pair_client_reads(&pair, text), IO_WANT_READ);
	}
	pair_end(&pair);
}

static void
garbage_is_told_from_tls_at_once(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_start(&pair, CLIENT_1_3, "localhost");
	assert_int_equal(send(pair.wire[1], "GET / HTTP/1.0\r\n", 16, 0), 16);
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_ERROR);
	if (!strstr(pair.server_diag.text, "does not speak TLS"))
		fail_msg("%s", pair.server_diag.text);
	pair_end(&pair);
}

static void
a_peer_that_says_nothing_and_leaves_is_a_probe(void **state)
{
	struct tls_pair pair;

	(void)state;
	pair_start(&pair, CLIENT_1_3, "localhost");
	assert_int_equal(shutdown(pair.wire[1], SHUT_WR), 0);
	assert_int_equal(tls_handshake(pair.server, &pair.server_diag), IO_END);
	pair_end(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_know_each_other),
		cmocka_unit_test(a_handshake_that_comes_byte_by_byte_is_good),
		cmocka_unit_test(bytes_arrive_in_order_however_the_wire_cuts_them),
		cmocka_unit_test(a_finished_way_is_an_end_and_the_other_way_stays_open),
		cmocka_unit_test(an_abort_is_an_alert_that_the_peer_sees),
		cmocka_unit_test(a_connection_that_is_cut_is_broken),
		cmocka_unit_test(a_cut_between_records_may_be_accepted_and_the_way_back_works),
		cmocka_unit_test(a_cut_inside_a_record_is_never_accepted),
		cmocka_unit_test(a_server_of_another_name_is_refused_before_it_learns_who_we_are),
		cmocka_unit_test(nothing_of_a_handshake_is_taken_after_it),
		cmocka_unit_test(who_sends_without_a_pause_is_left_to_wait_like_the_others),
		cmocka_unit_test(a_message_that_does_not_end_ends_the_handshake),
		cmocka_unit_test(a_message_that_does_not_end_ends_the_tunnel),
		cmocka_unit_test(whole_messages_are_no_burden),
		cmocka_unit_test(garbage_is_told_from_tls_at_once),
		cmocka_unit_test(a_peer_that_says_nothing_and_leaves_is_a_probe),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
