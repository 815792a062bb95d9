/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/handshake.h"
#include "tunnel/authorise.h"
#include "tunnel/credentials.h"
#include "tunnel/psk_credentials.h"

#define WEST  "west:000102030405060708090a0b0c0d0e0f\n"
#define EAST  "east:ffeeddccbbaa99887766554433221100\n"
#define WRONG "west:ffeeddccbbaa99887766554433221100\n"

static const char *const versions[] = {
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK",
	"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK",
};

static struct psk_credentials *
make(enum side side, const char *keys, const char *identity, const char **blamed, struct diag *diag)
{
	struct files files = {0};

	assert_int_equal(files_add(&files, "/keys", keys, strlen(keys), diag), 0);
	struct psk_credentials *credentials =
		psk_credentials_new(side, &files.entries[0], identity, blamed, diag);
	files_release(&files);
	return credentials;
}

/* How a client with @client_keys as "west" fares at a server with @server_keys. */
static enum psk_name
meet(const char *version, const char *client_keys, const char *server_keys, int *results)
{
	struct credentials credentials[HANDSHAKE_ENDS] = {0};
	struct judgement judgements[HANDSHAKE_ENDS] = {0};
	struct handshake handshake;
	const char *blamed;
	struct diag diag;

	credentials[HANDSHAKE_CLIENT].secrets.psk =
		make(SIDE_CONNECT, client_keys, "west", &blamed, &diag);
	credentials[HANDSHAKE_SERVER].secrets.psk =
		make(SIDE_ACCEPT, server_keys, NULL, &blamed, &diag);
	handshake_start(&handshake, version, 0);
	for (int end = 0; end < HANDSHAKE_ENDS; end++) {
		judgements[end].credentials = &credentials[end];
		gnutls_session_set_ptr(handshake.sessions[end], &judgements[end]);
		assert_non_null(credentials[end].secrets.psk);
		assert_int_equal(
			psk_credentials_set(credentials[end].secrets.psk, handshake.sessions[end]),
			0);
	}
	handshake_run(&handshake);
	memcpy(results, handshake.results, sizeof(handshake.results));
	if (results[HANDSHAKE_SERVER] == 0) {
		assert_string_equal(
			gnutls_psk_server_get_username(handshake.sessions[HANDSHAKE_SERVER]),
			"west");
	}
	handshake_end(&handshake);
	for (int end = 0; end < HANDSHAKE_ENDS; end++)
		psk_credentials_free(credentials[end].secrets.psk);
	return judgements[HANDSHAKE_SERVER].psk;
}

static void
who_has_the_same_key_gets_through(void **state)
{
	int results[HANDSHAKE_ENDS];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		assert_int_equal(meet(versions[i], EAST WEST, WEST EAST, results), PSK_NAMED);
		assert_int_equal(results[HANDSHAKE_CLIENT], 0);
		assert_int_equal(results[HANDSHAKE_SERVER], 0);
	}
}

/* So nobody learns which identities there are. */
static void
an_unknown_identity_fails_as_a_wrong_key_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		int wrong[HANDSHAKE_ENDS], unknown[HANDSHAKE_ENDS];

		assert_int_equal(meet(versions[i], WRONG, WEST EAST, wrong), PSK_NAMED);
		assert_int_equal(meet(versions[i], WEST, EAST, unknown), PSK_UNKNOWN);
		assert_true(wrong[HANDSHAKE_SERVER] < 0);
		assert_int_not_equal(wrong[HANDSHAKE_SERVER], GNUTLS_E_AGAIN);
		assert_memory_equal(wrong, unknown, sizeof(wrong));
	}
}

static void
what_is_wrong_is_blamed_on_its_option(void **state)
{
	static const struct {
		enum side side;
		const char *keys, *blamed, *words;
	} rows[] = {
		{SIDE_ACCEPT, "nothing\n", "psk", "line 1: "},
		{SIDE_CONNECT, "nothing\n", "psk", "line 1: "},
		{SIDE_CONNECT, EAST, "psk-identity", "no key of that identity"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *blamed = NULL;
		struct diag diag = {""};

		assert_null(make(rows[i].side, rows[i].keys, "west", &blamed, &diag));
		assert_string_equal(blamed, rows[i].blamed);
		if (!strstr(diag.text, rows[i].words))
			fail_msg("%s", diag.text);
	}
	psk_credentials_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_same_key_gets_through),
		cmocka_unit_test(an_unknown_identity_fails_as_a_wrong_key_does),
		cmocka_unit_test(what_is_wrong_is_blamed_on_its_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
