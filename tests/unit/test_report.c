/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/diag.h"
#include "common/files.h"
#include "common/log.h"
#include "tests/unit/identities.h"
#include "tunnel/credentials.h"
#include "tunnel/linger.h"
#include "tunnel/loop.h"
#include "tunnel/report.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"
#include "tunnel/tunnel_state.h"

/* A tunnel of which only what the report looks at is filled in, and the file that the log goes to. */
struct fixture {
	struct pool_budget budget;
	struct loop loop;
	struct service_config config;
	struct service service;
	struct tunnel tunnel;
	struct ending ending;
	struct transport *ends[2]; /* of a TLS connection: connecting, accepting */
	struct service *services[2];
	int log;
	char line[4096];
};

static struct fixture fixture;

static const char sections[] =
	"cert = leaf.crt\nkey = leaf.key\nca = ca.crt\n"
	"[out]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n"
	"[in]\nmode = offload\naccept = 127.0.0.1:2\nconnect = 127.0.0.1:3\n";

static struct packed_endpoint *
packed_endpoint(const char *host, uint16_t port)
{
	struct endpoint endpoint = {.length = sizeof(endpoint.v4)};

	endpoint.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	assert_int_equal(inet_pton(AF_INET, host, &endpoint.v4.sin_addr), 1);
	struct packed_endpoint *packed = endpoint_pack(&endpoint);
	assert_non_null(packed);
	return packed;
}

static int
setup(void **state)
{
	struct tunnel *tunnel = &fixture.tunnel;
	struct diag diag;

	(void)state;
	fixture = (struct fixture){.budget.limit = 16 << 20};
	assert_int_equal(loop_init(&fixture.loop, &fixture.budget, &diag), 0);
	fixture.loop.index = 3;
	fixture.config.name = "orders";
	fixture.service = (struct service){.config = &fixture.config, .references = 1};
	tunnel->loop = &fixture.loop;
	tunnel->service = &fixture.service;
	tunnel->serial = 77;
	tunnel->to_backend.bytes = 1234;
	tunnel->to_client.bytes = 5678901234;
	tunnel->client_address = packed_endpoint("192.0.2.1", 5555);
	tunnel->backend_address = packed_endpoint("192.0.2.2", 5432);
	fixture.log = memfd_create("log", 0);
	assert_true(fixture.log >= 0);
	log_configure(&(struct log_settings){
		.level = LOG_LEVEL_DEBUG, .format = LOG_FORMAT_JSON, .fd = fixture.log});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_configure(&(struct log_settings){.level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO});
	for (int i = 0; i < 2; i++) {
		if (fixture.ends[i])
			stream_close(&fixture.ends[i]->stream);
		service_unref(fixture.services[i]);
	}
	free(fixture.tunnel.client_address);
	free(fixture.tunnel.backend_address);
	linger_end_all(&fixture.loop);
	loop_release(&fixture.loop);
	return close(fixture.log);
}

/* Report the end, and read the one line of it. */
static void
report(enum ending_kind kind, enum ending_side by, const char *reason)
{
	fixture.ending = (struct ending){.kind = kind, .by = by};
	if (reason)
		(void)diag_set(&fixture.ending.reason, "%s", reason);
	assert_int_equal(ftruncate(fixture.log, 0), 0);
	assert_int_equal(lseek(fixture.log, 0, SEEK_SET), 0);
	fixture.tunnel.started = clock_seconds() - 1.5;
	report_end(&fixture.tunnel, &fixture.ending);
	ssize_t size = pread(fixture.log, fixture.line, sizeof(fixture.line) - 1, 0);
	assert_true(size >= 0);
	fixture.line[size] = '\0';
}

static void
expect(const char *member)
{
	if (!strstr(fixture.line, member))
		fail_msg("no %s in %s", member, fixture.line);
}

static void
expect_none(const char *member)
{
	if (strstr(fixture.line, member))
		fail_msg("%s in %s", member, fixture.line);
}

static void
a_line_says_who_what_how_long_and_why(void **state)
{
	(void)state;
	report(ENDING_ABORTED, ENDED_BY_BACKEND, "receive: Connection reset by peer");
	expect("\"service\":\"orders\"");
	expect("\"message\":\"tunnel ended\"");
	expect("\"tunnel\":\"3.77\"");
	expect("\"peer\":\"192.0.2.1:5555\"");
	expect("\"backend\":\"192.0.2.2:5432\"");
	expect("\"sent\":1234,");
	expect("\"received\":5678901234,");
	expect("\"duration\":\"1.5");
	expect("\"end\":\"aborted\"");
	expect("\"by\":\"backend\"");
	expect("\"reason\":\"receive: Connection reset by peer\"");
	assert_ptr_equal(strchr(fixture.line, '\n'), fixture.line + strlen(fixture.line) - 1);
}

static void
what_there_was_not_is_left_out(void **state)
{
	(void)state;
	free(fixture.tunnel.backend_address);
	fixture.tunnel.backend_address = NULL;
	report(ENDING_CLOSED, ENDED_BY_CLIENT, NULL);
	expect("\"by\":\"client\"");
	expect_none("\"sni\":");
	expect_none("\"backend\":");
	expect_none("\"reason\"");
	expect_none("identity");
	expect_none("cipher");
}

static void
every_kind_has_its_name_its_level_and_its_counter(void **state)
{
	struct service_counters *counters = &fixture.service.counters;
	const struct {
		enum ending_kind kind;
		const char *name, *level;
		_Atomic uint64_t *counter;
	} rows[] = {
		{ENDING_CLOSED, "\"end\":\"closed\"", "\"level\":\"info\"", &counters->ended},
		{ENDING_ABORTED, "\"end\":\"aborted\"", "\"level\":\"info\"", &counters->ended},
		{ENDING_REFUSED, "\"end\":\"refused\"", "\"level\":\"notice\"", &counters->refused},
		{ENDING_FAILED, "\"end\":\"failed\"", "\"level\":\"notice\"", &counters->failed},
		{ENDING_PROBE, "\"end\":\"probe\"", "\"level\":\"debug\"", &counters->probes},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t before = *rows[i].counter;

		report(rows[i].kind, ENDED_BY_US, NULL);
		expect(rows[i].name);
		expect(rows[i].level);
		expect("\"by\":\"sallyport\"");
		assert_int_equal(*rows[i].counter, before + 1);
	}
	assert_int_equal(counters->ended + counters->refused + counters->failed + counters->probes,
		ARRAY_SIZE(rows));
}

static void
what_is_not_logged_is_counted(void **state)
{
	(void)state;
	log_configure(&(struct log_settings){
		.level = LOG_LEVEL_NOTICE, .format = LOG_FORMAT_JSON, .fd = fixture.log});
	report(ENDING_PROBE, ENDED_BY_CLIENT, NULL);
	assert_string_equal(fixture.line, "");
	assert_int_equal(fixture.service.counters.probes, 1);
}

static void
words_of_a_peer_cannot_forge_a_line(void **state)
{
	char name[] = "a\",\"end\":\"forged\n";

	(void)state;
	fixture.tunnel.sni = name;
	report(ENDING_ABORTED, ENDED_BY_CLIENT, "a\",\"end\":\"forged\n{");
	expect_none("\"end\":\"forged");
	assert_ptr_equal(strchr(fixture.line, '\n'), fixture.line + strlen(fixture.line) - 1);
}

/* Make both ends of a TLS connection, and shake hands. */
static void
connect_tls(void)
{
	struct pki_pair authority;
	struct files files = {0};
	enum io answers[2] = {IO_WANT_READ, IO_WANT_READ};
	struct diag diag;
	int fds[2];

	identities_make_authority(&authority, "authority");
	identities_add(&files, "ca", &authority);
	identities_add_leaf(&files, "leaf", &authority, "localhost");
	pki_pair_release(&authority);
	identities_services(sections, &files, fixture.services);
	files_release(&files);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	for (int i = 0; i < 2; i++) {
		enum side side = i == 0 ? SIDE_CONNECT : SIDE_ACCEPT;

		fixture.ends[i] = transport_new(&fixture.loop, fds[i]);
		assert_non_null(fixture.ends[i]);
		const struct tls_beginning beginning = {.name = i == 0 ? "localhost" : NULL};
		assert_int_equal(tls_start(fixture.ends[i], fixture.services[i]->credentials[side],
					 &beginning, &diag),
			0);
	}
	for (int i = 0; i < 20; i++) {
		fixture.ends[i % 2]->stream.readable = true;
		if (answers[i % 2] == IO_WANT_READ)
			answers[i % 2] = tls_handshake(fixture.ends[i % 2], &diag);
	}
	assert_int_equal(answers[0], IO_DONE);
	assert_int_equal(answers[1], IO_DONE);
}

static void
the_only_side_with_tls_needs_no_prefix(void **state)
{
	(void)state;
	connect_tls();
	fixture.service.credentials[SIDE_CONNECT] = fixture.services[0]->credentials[SIDE_CONNECT];
	fixture.tunnel.backend = fixture.ends[0];
	report(ENDING_CLOSED, ENDED_BY_CLIENT, NULL);
	expect("\"identity\":\"dns:localhost CN=leaf\"");
	expect("\"version\":\"TLS1.3\"");
	expect("\"cipher\":\"AES-128-GCM\"");
	expect("\"group\":\"X25519\"");
	expect("\"resumed\":\"no\"");
	expect_none("backend-");
}

static void
the_backend_of_a_bridge_has_a_prefix(void **state)
{
	(void)state;
	connect_tls();
	fixture.service.credentials[SIDE_ACCEPT] = fixture.services[1]->credentials[SIDE_ACCEPT];
	fixture.service.credentials[SIDE_CONNECT] = fixture.services[0]->credentials[SIDE_CONNECT];
	fixture.tunnel.client = fixture.ends[1];
	report(ENDING_FAILED, ENDED_BY_US, "no backend");
	expect("\"identity\":\"dns:localhost CN=leaf\"");
	expect("\"version\":\"TLS1.3\"");
	expect("\"backend-identity\":\"-\"");
	expect("\"backend-version\":\"-\"");
	expect("\"backend-cipher\":\"-\"");
	expect("\"backend-group\":\"-\"");
	expect("\"backend-resumed\":\"no\"");
}

/* A client that is refused for its first words has not begun TLS. */
static void
the_name_that_was_asked_for_is_told_even_without_tls(void **state)
{
	char name[] = "www.example.net";
	int fds[2];

	(void)state;
	connect_tls();
	fixture.service.credentials[SIDE_ACCEPT] = fixture.services[1]->credentials[SIDE_ACCEPT];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fixture.tunnel.client = transport_new(&fixture.loop, fds[0]);
	assert_non_null(fixture.tunnel.client);
	fixture.tunnel.sni = name;
	report(ENDING_REFUSED, ENDED_BY_CLIENT, "no");
	transport_free(fixture.tunnel.client);
	(void)close(fds[1]);
	expect("\"sni\":\"www.example.net\"");
	expect("\"identity\":\"-\"");
	expect("\"version\":\"-\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_says_who_what_how_long_and_why),
		TEST(what_there_was_not_is_left_out),
		TEST(every_kind_has_its_name_its_level_and_its_counter),
		TEST(what_is_not_logged_is_counted),
		TEST(words_of_a_peer_cannot_forge_a_line),
		TEST(the_only_side_with_tls_needs_no_prefix),
		TEST(the_backend_of_a_bridge_has_a_prefix),
		TEST(the_name_that_was_asked_for_is_told_even_without_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
