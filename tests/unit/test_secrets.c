/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/config.h"
#include "tunnel/secrets.h"

#define KEYS "west:000102030405060708090a0b0c0d0e0f\n"

static const uint8_t anchors[FINGERPRINT_SIZE] = {1};

/* What is loaded in one test. */
struct fixture {
	struct files files;
	struct service_config service;
	struct secrets secrets;
	const char *blamed;
	struct diag diag;
};

static int
setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.service = {.name = "front"}};
	for (int side = 0; side < SIDES; side++) {
		fixture.service.tls[side] = (struct tls_config){.tickets = true,
			.ca = "/ca",
			.verify = VERIFY_YES,
			.priority = "NORMAL",
			.psk_identity = side == SIDE_CONNECT ? "west" : NULL};
	}
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	secrets_release(&fixture->secrets);
	files_release(&fixture->files);
	return 0;
}

static void
add(struct fixture *fixture, const char *path, const void *data, size_t size)
{
	assert_int_equal(files_add(&fixture->files, path, data, size, &fixture->diag), 0);
}

static int
load(struct fixture *fixture, enum side side)
{
	const struct secrets_source source = {&fixture->files, &fixture->service, side, anchors};

	secrets_release(&fixture->secrets);
	return secrets_load(&fixture->secrets, &source, &fixture->blamed, &fixture->diag);
}

static void
expect_error(struct fixture *fixture, enum side side, const char *option, const char *words)
{
	assert_int_equal(load(fixture, side), -1);
	assert_string_equal(fixture->blamed, option);
	if (!strstr(fixture->diag.text, words))
		fail_msg("%s", fixture->diag.text);
}

static void
a_file_of_ticket_keys_goes_before_the_programs_secret(void **state)
{
	static const uint8_t one[TICKET_KEY_SIZE] = {1}, other[TICKET_KEY_SIZE] = {2};
	struct fixture *fixture = *state;
	uint8_t before[TICKET_KEY_SIZE];

	add(fixture, TICKET_MASTER_FILE, one, sizeof(one));
	add(fixture, "/keys", other, sizeof(other));
	assert_int_equal(load(fixture, SIDE_ACCEPT), 0);
	assert_true(fixture->secrets.tickets);
	memcpy(before, fixture->secrets.ticket_key, sizeof(before));
	fixture->service.tls[SIDE_ACCEPT].ticket_keys = "/keys";
	assert_int_equal(load(fixture, SIDE_ACCEPT), 0);
	assert_memory_not_equal(before, fixture->secrets.ticket_key, sizeof(before));
}

static void
other_shared_keys_give_another_ticket_key(void **state)
{
	static const uint8_t master[TICKET_KEY_SIZE] = {1};
	struct fixture *fixture = *state;
	uint8_t before[TICKET_KEY_SIZE];

	add(fixture, TICKET_MASTER_FILE, master, sizeof(master));
	add(fixture, "/one", KEYS, strlen(KEYS));
	add(fixture, "/two", "#\n" KEYS, strlen("#\n" KEYS));
	fixture->service.tls[SIDE_ACCEPT].psk = "/one";
	assert_int_equal(load(fixture, SIDE_ACCEPT), 0);
	memcpy(before, fixture->secrets.ticket_key, sizeof(before));
	fixture->service.tls[SIDE_ACCEPT].psk = "/two";
	assert_int_equal(load(fixture, SIDE_ACCEPT), 0);
	assert_memory_not_equal(before, fixture->secrets.ticket_key, sizeof(before));
}

static void
without_any_secret_there_are_no_tickets(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture, SIDE_ACCEPT), 0);
	assert_false(fixture->secrets.tickets);
	/* A connecting end needs none. */
	assert_int_equal(load(fixture, SIDE_CONNECT), 0);
	assert_true(fixture->secrets.tickets);
}

static void
tickets_can_be_switched_off(void **state)
{
	static const uint8_t master[TICKET_KEY_SIZE] = {1};
	struct fixture *fixture = *state;

	add(fixture, TICKET_MASTER_FILE, master, sizeof(master));
	for (enum side side = SIDE_ACCEPT; side < SIDES; side++) {
		fixture->service.tls[side].tickets = false;
		assert_int_equal(load(fixture, side), 0);
		assert_false(fixture->secrets.tickets);
	}
}

static void
where_only_shared_keys_let_in_there_are_no_tickets(void **state)
{
	static const uint8_t master[TICKET_KEY_SIZE] = {1};
	struct fixture *fixture = *state;

	add(fixture, TICKET_MASTER_FILE, master, sizeof(master));
	add(fixture, "/psk", KEYS, strlen(KEYS));
	for (enum side side = SIDE_ACCEPT; side < SIDES; side++) {
		fixture->service.tls[side].psk = "/psk";
		assert_int_equal(load(fixture, side), 0);
		assert_non_null(fixture->secrets.psk);
		assert_true(fixture->secrets.tickets);
		fixture->service.tls[side].ca = NULL;
		assert_int_equal(load(fixture, side), 0);
		assert_non_null(fixture->secrets.psk);
		assert_false(fixture->secrets.tickets);
	}
}

static void
a_secret_of_another_size_is_an_error(void **state)
{
	static const uint8_t data[TICKET_KEY_SIZE + 1];
	struct fixture *fixture = *state;

	fixture->service.tls[SIDE_ACCEPT].ticket_keys = "/none";
	expect_error(fixture, SIDE_ACCEPT, "ticket-keys", "was not read");
	add(fixture, "/short", data, TICKET_KEY_SIZE - 1);
	add(fixture, "/long", data, TICKET_KEY_SIZE + 1);
	fixture->service.tls[SIDE_ACCEPT].ticket_keys = "/short";
	expect_error(fixture, SIDE_ACCEPT, "ticket-keys", "63 bytes instead of 64");
	fixture->service.tls[SIDE_ACCEPT].ticket_keys = "/long";
	expect_error(fixture, SIDE_ACCEPT, "ticket-keys", "65 bytes instead of 64");
}

static void
errors_in_shared_keys_blame_the_right_option(void **state)
{
	struct fixture *fixture = *state;

	fixture->service.tls[SIDE_CONNECT].psk = "/psk";
	expect_error(fixture, SIDE_CONNECT, "psk", "was not read");
	add(fixture, "/psk", KEYS, strlen(KEYS));
	fixture->service.tls[SIDE_CONNECT].psk_identity = "east";
	expect_error(fixture, SIDE_CONNECT, "psk-identity", "no key of that identity");
	add(fixture, "/bad", "west\n", 5);
	fixture->service.tls[SIDE_ACCEPT].psk = "/bad";
	expect_error(fixture, SIDE_ACCEPT, "psk", "line 1: there is no colon");
}

static void
what_is_released_is_wiped(void **state)
{
	static const uint8_t master[TICKET_KEY_SIZE] = {1};
	static const struct secrets nothing;
	struct fixture *fixture = *state;

	add(fixture, TICKET_MASTER_FILE, master, sizeof(master));
	assert_int_equal(load(fixture, SIDE_ACCEPT), 0);
	secrets_release(&fixture->secrets);
	assert_memory_equal(&fixture->secrets, &nothing, sizeof(nothing));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_of_ticket_keys_goes_before_the_programs_secret),
		TEST(other_shared_keys_give_another_ticket_key),
		TEST(without_any_secret_there_are_no_tickets),
		TEST(tickets_can_be_switched_off),
		TEST(where_only_shared_keys_let_in_there_are_no_tickets),
		TEST(a_secret_of_another_size_is_an_error),
		TEST(errors_in_shared_keys_blame_the_right_option),
		TEST(what_is_released_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
