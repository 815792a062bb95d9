/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "tunnel/tickets.h"

static const time_t now = 1000000;

static struct tickets *tickets;

static int
setup(void **state)
{
	(void)state;
	tickets = tickets_new();
	return tickets ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	tickets_free(tickets);
	return 0;
}

/* The key of owner @number. */
static const uint8_t *
key_of(uint32_t number)
{
	static uint8_t key[TICKETS_KEY_SIZE];

	memcpy(key, &number, sizeof(number));
	return key;
}

static void
put(uint32_t owner, uint32_t content, time_t expiry)
{
	const struct ticket ticket = {(uint8_t *)&content, sizeof(content), expiry};

	tickets_put(tickets, key_of(owner), &ticket);
}

/* The content of what is taken for @owner at @when; 0: nothing. */
static uint32_t
take(uint32_t owner, time_t when)
{
	struct ticket ticket = {0};
	uint32_t content = 0;

	tickets_take(tickets, key_of(owner), when, &ticket);
	if (!ticket.data)
		return 0;
	assert_int_equal(ticket.size, sizeof(content));
	memcpy(&content, ticket.data, sizeof(content));
	ticket_release(&ticket);
	assert_null(ticket.data);
	return content;
}

static void
a_ticket_is_used_once(void **state)
{
	(void)state;
	put(1, 11, now + 10);
	assert_int_equal(take(1, now), 11);
	assert_int_equal(take(1, now), 0);
	assert_int_equal(tickets_count(tickets), 0);
}

static void
a_ticket_is_for_its_owner_alone(void **state)
{
	uint8_t other[TICKETS_KEY_SIZE];
	struct ticket ticket = {0};

	(void)state;
	put(1, 11, now + 10);
	/* In the same bucket. */
	memcpy(other, key_of(1), sizeof(other));
	other[TICKETS_KEY_SIZE - 1] ^= 1;
	tickets_take(tickets, other, now, &ticket);
	assert_null(ticket.data);
	assert_int_equal(take(2, now), 0);
	assert_int_equal(take(1, now), 11);
}

static void
the_latest_ticket_is_taken_first(void **state)
{
	(void)state;
	put(1, 11, now + 10);
	put(1, 12, now + 5);
	assert_int_equal(take(1, now), 12);
	assert_int_equal(take(1, now), 11);
}

static void
an_expired_ticket_is_not_taken(void **state)
{
	(void)state;
	put(1, 11, now + 10);
	put(1, 12, now + 5);
	assert_int_equal(take(1, now + 5), 11);
	put(1, 13, now + 10);
	assert_int_equal(take(1, now + 10), 0);
	assert_int_equal(tickets_count(tickets), 0);
}

static void
an_owner_has_a_few(void **state)
{
	(void)state;
	put(2, 21, now + 10);
	for (uint32_t i = 1; i <= TICKETS_OF_KEY + 2; i++)
		put(1, i, now + 10);
	assert_int_equal(tickets_count(tickets), TICKETS_OF_KEY + 1);
	for (uint32_t i = TICKETS_OF_KEY + 2; i > 2; i--)
		assert_int_equal(take(1, now), i);
	assert_int_equal(take(1, now), 0);
	assert_int_equal(take(2, now), 21);
}

static void
the_oldest_goes_when_there_are_too_many(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= TICKETS_LIMIT + 10; i++)
		put(i, i, now + 10);
	assert_int_equal(tickets_count(tickets), TICKETS_LIMIT);
	assert_int_equal(take(10, now), 0);
	assert_int_equal(take(11, now), 11);
	assert_int_equal(take(TICKETS_LIMIT + 10, now), TICKETS_LIMIT + 10);
}

static void
their_bytes_are_bounded(void **state)
{
	static uint8_t data[TICKET_BYTES + 1];
	struct ticket ticket = {data, TICKET_BYTES, now + 10};

	(void)state;
	for (uint32_t i = 0; i < 2 * TICKETS_BYTES / TICKET_BYTES; i++)
		tickets_put(tickets, key_of(i), &ticket);
	assert_int_equal(tickets_count(tickets), TICKETS_BYTES / TICKET_BYTES);
	ticket.size++;
	tickets_put(tickets, key_of(1000), &ticket);
	assert_int_equal(take(1000, now), 0);
	/* What is taken makes room. */
	struct ticket taken = {0};
	tickets_take(tickets, key_of(2 * TICKETS_BYTES / TICKET_BYTES - 1), now, &taken);
	assert_int_equal(taken.size, TICKET_BYTES);
	ticket_release(&taken);
	ticket.size = TICKET_BYTES;
	tickets_put(tickets, key_of(1001), &ticket);
	assert_int_equal(tickets_count(tickets), TICKETS_BYTES / TICKET_BYTES);
}

static void
what_is_kept_is_a_copy(void **state)
{
	uint8_t data[4] = {1, 0, 0, 0};
	const struct ticket ticket = {data, sizeof(data), now + 10};

	(void)state;
	tickets_put(tickets, key_of(1), &ticket);
	data[0] = 2;
	assert_int_equal(take(1, now), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ticket_is_used_once),
		TEST(a_ticket_is_for_its_owner_alone),
		TEST(the_latest_ticket_is_taken_first),
		TEST(an_expired_ticket_is_not_taken),
		TEST(an_owner_has_a_few),
		TEST(the_oldest_goes_when_there_are_too_many),
		TEST(their_bytes_are_bounded),
		TEST(what_is_kept_is_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
