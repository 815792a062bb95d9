/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "common/text.h"
#include "tunnel/command_pki.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

/*
 * Two ends of TLS in one thread, and a wire between them that the test moves bytes over:
 *
 *	client transport <-> wire[0] . . . wire[1] <-> server transport
 */
struct pair {
	struct transport *client, *server;
	int wire[2];
	struct diag client_diag, server_diag;
	bool client_gone, server_gone; /* given up by the test */
};

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

static char directory[] = "/tmp/sallyport-test-tls-XXXXXX";
static struct service *services[SERVICES];
static struct pool_budget budget = {.limit = 64 << 20};
static struct loop loop;

static void
pki(const char *const *words)
{
	char *argv[8];
	int argc = 0;

	while (words[argc]) {
		argv[argc] = strdup(words[argc]);
		argc++;
	}
	argv[argc] = NULL;
	assert_int_equal(command_pki(argc, argv), 0);
	while (argc > 0)
		free(argv[--argc]);
}

static void
load_services(void)
{
	struct config_text text = {.size = strlen(sections)};
	struct config_texts texts = {0};
	struct files files = {0};
	char path[64];
	struct diag diag;

	(void)snprintf(path, sizeof(path), "%s/sallyport.conf", directory);
	text.name = path;
	text.data = strdup(sections);
	assert_int_equal(config_texts_add(&texts, &text, &diag), 0);
	free(text.data);
	struct config *config = config_new(&texts, stderr);
	assert_non_null(config);
	assert_int_equal(config_read_files(config, &files, stderr), 0);
	assert_int_equal(services_new(config, &files, services, stderr), 0);
	config_unref(config);
	files_release(&files);
	config_texts_release(&texts);
}

static int
setup_group(void **state)
{
	struct diag diag;

	(void)state;
	assert_non_null(mkdtemp(directory));
	pki((const char *const[]){"pki", "init", directory, NULL});
	pki((const char *const[]){"pki", "issue", directory, "server", "--dns", "localhost", NULL});
	pki((const char *const[]){
		"pki", "issue", directory, "client", "--dns", "client.example.net", NULL});
	load_services();
	return loop_init(&loop, &budget, &diag);
}

static int
teardown_group(void **state)
{
	static const char *const names[] = {
		"ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key"};
	char path[64];

	(void)state;
	transport_end_linger(&loop);
	loop_release(&loop);
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(services[i]);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		(void)unlink(path);
	}
	return rmdir(directory);
}

static struct transport *
connect_end(int *wire)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	*wire = fds[1];
	struct transport *transport = transport_new(&loop, fds[0]);
	assert_non_null(transport);
	return transport;
}

static void
pair_start(struct pair *pair, int client, const char *name)
{
	*pair = (struct pair){.client_gone = false};
	pair->client = connect_end(&pair->wire[0]);
	pair->server = connect_end(&pair->wire[1]);
	assert_int_equal(tls_start(pair->client, services[client]->credentials[SIDE_CONNECT], name,
				 &pair->client_diag),
		0);
	assert_int_equal(tls_start(pair->server, services[SERVER_1_3]->credentials[SIDE_ACCEPT],
				 NULL, &pair->server_diag),
		0);
}

/* Move up to @limit bytes each way. Returns how many were moved. */
static size_t
wire_move(struct pair *pair, size_t limit)
{
	size_t moved = 0;

	for (int from = 0; from < 2; from++) {
		char bytes[65536];
		ssize_t got = recv(
			pair->wire[from], bytes, limit < sizeof(bytes) ? limit : sizeof(bytes), 0);

		if (got <= 0)
			continue;
		assert_int_equal(send(pair->wire[!from], bytes, (size_t)got, MSG_NOSIGNAL), got);
		moved += (size_t)got;
	}
	pair->client->stream.readable = pair->server->stream.readable = true;
	pair->client->stream.writable = pair->server->stream.writable = true;
	return moved;
}

/* Shake hands with pieces of @piece bytes until both are done or broken. */
static void
pair_handshake(struct pair *pair, size_t piece, enum io *client, enum io *server)
{
	*client = *server = IO_WANT_READ;
	for (int round = 0; round < 20000; round++) {
		if (*client == IO_WANT_READ)
			*client = tls_handshake(pair->client, &pair->client_diag);
		if (*server == IO_WANT_READ)
			*server = tls_handshake(pair->server, &pair->server_diag);
		size_t moved = wire_move(pair, piece);
		if (moved == 0 && *client != IO_WANT_READ && *server != IO_WANT_READ)
			return;
	}
}

static void
pair_open(struct pair *pair, int client)
{
	enum io client_answer, server_answer;

	pair_start(pair, client, "localhost");
	pair_handshake(pair, SIZE_MAX, &client_answer, &server_answer);
	assert_int_equal(client_answer, IO_DONE);
	assert_int_equal(server_answer, IO_DONE);
}

static void
pair_end(struct pair *pair)
{
	if (!pair->client_gone)
		stream_close(&pair->client->stream);
	if (!pair->server_gone)
		stream_close(&pair->server->stream);
	(void)close(pair->wire[0]);
	(void)close(pair->wire[1]);
	transport_end_linger(&loop);
	assert_int_equal(budget.used, 0);
}

/* Read what the client has, into a string. */
static enum io
client_read(struct pair *pair, char *string)
{
	size_t got = 0;
	enum io answer = stream_read(
		&pair->client->stream, loop.plaintext, LOOP_SCRATCH, &got, &pair->client_diag);

	memcpy(string, loop.plaintext, got);
	string[got] = '\0';
	return answer;
}

static enum io
server_read(struct pair *pair, char *string)
{
	size_t got = 0;
	enum io answer = stream_read(
		&pair->server->stream, loop.plaintext, LOOP_SCRATCH, &got, &pair->server_diag);

	memcpy(string, loop.plaintext, got);
	string[got] = '\0';
	return answer;
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
		struct pair pair;

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
		pair_end(&pair);
	}
}

static void
a_handshake_that_comes_byte_by_byte_is_good(void **state)
{
	enum io client, server;
	struct pair pair;

	(void)state;
	pair_start(&pair, CLIENT_1_3, "localhost");
	pair_handshake(&pair, 1, &client, &server);
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
	struct pair pair;
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

			(void)wire_move(&pair, piece);
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
	struct pair pair;

	(void)state;
	for (int service = CLIENT_1_3; service <= CLIENT_1_2; service++) {
		pair_open(&pair, service);
		assert_int_equal(
			stream_write(&pair.client->stream, "ask", 3, &pair.client_diag), IO_DONE);
		assert_int_equal(stream_finish(&pair.client->stream, &pair.client_diag), IO_DONE);
		(void)wire_move(&pair, SIZE_MAX);
		assert_int_equal(server_read(&pair, text), IO_DONE);
		assert_string_equal(text, "ask");
		assert_true(pair.server->stream.readable);
		assert_int_equal(server_read(&pair, text), IO_END);
		assert_int_equal(stream_write(&pair.server->stream, "answer", 6, &pair.server_diag),
			IO_DONE);
		assert_int_equal(stream_finish(&pair.server->stream, &pair.server_diag), IO_DONE);
		(void)wire_move(&pair, SIZE_MAX);
		assert_int_equal(client_read(&pair, text), IO_DONE);
		assert_string_equal(text, "answer");
		assert_int_equal(client_read(&pair, text), IO_END);
		pair_end(&pair);
	}
}

static void
an_abort_is_an_alert_that_the_peer_sees(void **state)
{
	char text[100];
	struct pair pair;

	(void)state;
	pair_open(&pair, CLIENT_1_3);
	stream_abort(&pair.server->stream);
	pair.server_gone = true;
	pair.server = pair.client; /* for wire_move() */
	(void)wire_move(&pair, SIZE_MAX);
	assert_int_equal(client_read(&pair, text), IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "Internal error"));
	pair_end(&pair);
}

/* Cut the wire towards the client after @keep bytes of a record of the server; @keep of -1 is all. */
static void
cut_towards_client(struct pair *pair, ssize_t keep)
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
	struct pair pair;

	(void)state;
	pair_open(&pair, CLIENT_1_3);
	cut_towards_client(&pair, -1);
	assert_int_equal(client_read(&pair, text), IO_DONE);
	assert_string_equal(text, "last");
	pair.client->stream.readable = true;
	assert_int_equal(client_read(&pair, text), IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "without close_notify"));
	pair_end(&pair);
}

static void
a_cut_between_records_may_be_accepted_and_the_way_back_works(void **state)
{
	char text[100];
	struct pair pair;

	(void)state;
	pair_open(&pair, CLIENT_ACCEPT);
	cut_towards_client(&pair, -1);
	assert_int_equal(client_read(&pair, text), IO_DONE);
	pair.client->stream.readable = true;
	assert_int_equal(client_read(&pair, text), IO_END);
	assert_int_equal(stream_write(&pair.client->stream, "back", 4, &pair.client_diag), IO_DONE);
	(void)wire_move(&pair, SIZE_MAX);
	assert_int_equal(server_read(&pair, text), IO_DONE);
	assert_string_equal(text, "back");
	pair_end(&pair);
}

static void
a_cut_inside_a_record_is_never_accepted(void **state)
{
	char text[100];
	struct pair pair;

	(void)state;
	for (ssize_t keep = 1; keep < 20; keep += 6) {
		pair_open(&pair, CLIENT_ACCEPT);
		cut_towards_client(&pair, keep);
		enum io answer = client_read(&pair, text);
		if (answer == IO_WANT_READ) {
			pair.client->stream.readable = true;
			answer = client_read(&pair, text);
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
	struct pair pair;

	(void)state;
	pair_start(&pair, CLIENT_OTHER_NAME, "other.example.net");
	pair_handshake(&pair, SIZE_MAX, &client, &server);
	assert_int_equal(client, IO_ERROR);
	assert_non_null(strstr(pair.client_diag.text, "name"));
	assert_int_equal(server, IO_WANT_READ);
	pair_end(&pair);
}

static void
garbage_is_told_from_tls_at_once(void **state)
{
	struct pair pair;

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
	struct pair pair;

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
		cmocka_unit_test(garbage_is_told_from_tls_at_once),
		cmocka_unit_test(a_peer_that_says_nothing_and_leaves_is_a_probe),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
