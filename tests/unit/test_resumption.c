/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tests/unit/tls_pair.h"
#include "tunnel/linger.h"
#include "tunnel/loop.h"
#include "tunnel/service.h"
#include "tunnel/tickets.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"

enum {
	SERVER,
	OTHER_SERVER,
	SILENT_SERVER,
	PSK_SERVER,
	CLIENT,
	CLIENT_1_2,
	SILENT_CLIENT,
	PSK_CLIENT,
	PSK_CLIENT_1_2,
	SERVICES
};

#define OFFLOAD                                                         \
	"mode = offload\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n" \
	"cert = server.crt\nkey = server.key\n"
#define ENCRYPT(port) "mode = encrypt\naccept = 127.0.0.1:" port "\nconnect = localhost:1\n"

/* clang-format off */
static const char sections[] =
	"cert = client.crt\nkey = client.key\nca = ca.crt\n"
	"[server]\nsni = a.test\n" OFFLOAD
	"[other]\nsni = b.test\n" OFFLOAD
	"[silent]\nsni = c.test\ntickets = no\n" OFFLOAD
	"[psk]\nsni = d.test\npsk = keys\n" OFFLOAD
	"[client]\n" ENCRYPT("3")
	"[client-1.2]\ntls-max-version = 1.2\n" ENCRYPT("4")
	"[silent-client]\ntickets = no\n" ENCRYPT("5")
	"[psk-client]\npsk = keys\npsk-identity = west\n" ENCRYPT("6")
	"[psk-client-1.2]\npsk = keys\npsk-identity = west\ntls-max-version = 1.2\n" ENCRYPT("7");
/* clang-format on */

static struct service *services[SERVICES];
static struct pool_budget budget = {.limit = 64 << 20};
static struct loop loop;

static int
setup_group(void **state)
{
	(void)state;
	identities_services_of_ends(sections, services);
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	for (size_t i = 0; i < SERVICES; i++)
		service_unref(services[i]);
	return 0;
}

/* An empty store for each test. */
static int
setup(void **state)
{
	struct diag diag;

	(void)state;
	return loop_init(&loop, &budget, &diag);
}

static int
teardown(void **state)
{
	(void)state;
	linger_end_all(&loop);
	loop_release(&loop);
	return 0;
}

/* Carry something both ways, so that tickets arrive. Returns whether both ends agree that it was resumed. */
static bool
talk(int client, int server)
{
	struct tls_pair pair;
	enum io client_answer, server_answer;

	tls_pair_start(&pair, &loop, services[client]->credentials[SIDE_CONNECT],
		services[server]->credentials[SIDE_ACCEPT], "localhost");
	tls_pair_handshake(&pair, SIZE_MAX, &client_answer, &server_answer);
	if (client_answer != IO_DONE || server_answer != IO_DONE)
		fail_msg("%s, %s", pair.client_diag.text, pair.server_diag.text);
	tls_pair_server_says(&pair, "hello");
	bool resumed = tls_facts(pair.client).resumed;
	assert_int_equal(tls_facts(pair.server).resumed, resumed);
	tls_pair_end(&pair);
	return resumed;
}

static void
a_second_session_is_resumed_and_brings_another_ticket(void **state)
{
	(void)state;
	assert_false(talk(CLIENT, SERVER));
	assert_int_equal(tickets_count(loop.tickets), 1);
	for (int i = 0; i < 3; i++) {
		assert_true(talk(CLIENT, SERVER));
		assert_int_equal(tickets_count(loop.tickets), 1);
	}
}

static void
a_ticket_of_tls_1_2_goes_on(void **state)
{
	(void)state;
	assert_false(talk(CLIENT_1_2, SERVER));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(tickets_count(loop.tickets), 1);
		assert_true(talk(CLIENT_1_2, SERVER));
	}
}

static void
a_ticket_of_one_section_is_worthless_at_another(void **state)
{
	(void)state;
	for (int client = CLIENT; client <= CLIENT_1_2; client++) {
		assert_false(talk(client, SERVER));
		assert_false(talk(client, OTHER_SERVER));
		/* It was used up by the attempt, and that brought a good one. */
		assert_true(talk(client, OTHER_SERVER));
	}
}

static void
clients_with_other_policies_share_no_tickets(void **state)
{
	(void)state;
	assert_false(talk(CLIENT, SERVER));
	assert_false(talk(CLIENT_1_2, SERVER));
	assert_int_equal(tickets_count(loop.tickets), 2);
}

static void
either_end_can_do_without(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_false(talk(CLIENT, SILENT_SERVER));
		assert_false(talk(CLIENT_1_2, SILENT_SERVER));
		assert_false(talk(SILENT_CLIENT, SERVER));
	}
	assert_int_equal(tickets_count(loop.tickets), 0);
}

static void
a_session_of_a_shared_key_is_not_resumed(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_false(talk(PSK_CLIENT, PSK_SERVER));
		assert_false(talk(PSK_CLIENT_1_2, PSK_SERVER));
	}
	assert_int_equal(tickets_count(loop.tickets), 0);
}

static void
beside_shared_keys_a_certificate_resumes(void **state)
{
	(void)state;
	assert_false(talk(CLIENT, PSK_SERVER));
	assert_true(talk(CLIENT, PSK_SERVER));
}

static void
a_handshake_that_fails_uses_its_ticket_up(void **state)
{
	struct tls_pair pair;

	(void)state;
	assert_false(talk(CLIENT, SERVER));
	tls_pair_start(&pair, &loop, services[CLIENT]->credentials[SIDE_CONNECT],
		services[SERVER]->credentials[SIDE_ACCEPT], "localhost");
	assert_int_equal(tickets_count(loop.tickets), 0);
	tls_pair_end(&pair);
	assert_int_equal(tickets_count(loop.tickets), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_session_is_resumed_and_brings_another_ticket),
		TEST(a_ticket_of_tls_1_2_goes_on),
		TEST(a_ticket_of_one_section_is_worthless_at_another),
		TEST(clients_with_other_policies_share_no_tickets),
		TEST(either_end_can_do_without),
		TEST(a_session_of_a_shared_key_is_not_resumed),
		TEST(beside_shared_keys_a_certificate_resumes),
		TEST(a_handshake_that_fails_uses_its_ticket_up),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
