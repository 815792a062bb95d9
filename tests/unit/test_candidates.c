/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>

#include "tunnel/candidates.h"

/*
 * An address is written as one letter: small ones are IPv4, large ones IPv6, and the letter is its
 * last byte. A walk is written as what was done: the letters that were tried, "?0" for a target that
 * was resolved, "." for waiting, "!" for the end.
 */
static struct endpoint
endpoint_of(char letter)
{
	struct endpoint endpoint = {.length = sizeof(endpoint.v4)};

	if (letter >= 'a') {
		endpoint.v4.sin_family = AF_INET;
		endpoint.v4.sin_addr.s_addr = htonl((uint32_t)letter);
		return endpoint;
	}
	endpoint.length = sizeof(endpoint.v6);
	endpoint.v6.sin6_family = AF_INET6;
	endpoint.v6.sin6_addr.s6_addr[15] = (uint8_t)letter;
	return endpoint;
}

static char
letter_of(const struct endpoint *endpoint)
{
	if (endpoint->any.sa_family == AF_INET)
		return (char)ntohl(endpoint->v4.sin_addr.s_addr);
	return (char)endpoint->v6.sin6_addr.s6_addr[15];
}

static void
add(struct candidates *candidates, size_t target, const char *letters, const char *failing)
{
	for (const char *letter = letters; *letter; letter++) {
		struct endpoint endpoint = endpoint_of(*letter);
		bool fails = strchr(failing, *letter);

		assert_int_equal(candidates_add(candidates, target, &endpoint, fails), 0);
	}
	candidates_settle(candidates, target);
}

/* Take up to @steps steps and write them to @walk. */
static void
walk_steps(struct candidates *candidates, size_t steps, char *walk)
{
	for (size_t i = 0; i < steps; i++) {
		struct candidates_step step = candidates_next(candidates);

		if (step.action == CANDIDATES_TRY)
			*walk++ = letter_of(&candidates->list[step.candidate].endpoint);
		if (step.action == CANDIDATES_RESOLVE) {
			*walk++ = '?';
			*walk++ = (char)('0' + step.target);
		}
		if (step.action == CANDIDATES_WAIT || step.action == CANDIDATES_OVER) {
			*walk++ = step.action == CANDIDATES_WAIT ? '.' : '!';
			break;
		}
	}
	*walk = '\0';
}

static void
targets_and_families_stand_in_order_and_failing_ones_last(void **state)
{
	static const struct {
		const char *targets[3], *failing, *walk;
	} rows[] = {
		{{"a"}, "", "a!"},
		{{"a", "b", "c"}, "", "abc!"},
		{{"abAB"}, "", "aAbB!"}, /* the first one's family begins */
		{{"ABab"}, "", "AaBb!"},
		{{"Aabcd"}, "", "Aabcd!"},   /* one family runs out */
		{{"abA", "c"}, "", "aAbc!"}, /* all of a target before the next */
		{{"a", "b"}, "a", "ba!"},    /* a failing one goes behind every target */
		{{"aA", "bB"}, "ab", "ABab!"},
		{{"a", "b", "c"}, "abc", "abc!"}, /* all failing: as if none were */
		{{"aaAaA"}, "", "aA!"},		  /* each address once */
		{{""}, "", "!"},
		{{"", "b"}, "", "b!"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct candidates candidates;
		size_t count = 0;
		char walk[64];

		while (count < 3 && rows[i].targets[count])
			count++;
		assert_int_equal(candidates_init(&candidates, count), 0);
		for (size_t t = 0; t < count; t++)
			add(&candidates, t, rows[i].targets[t], rows[i].failing);
		walk_steps(&candidates, 20, walk);
		assert_string_equal(walk, rows[i].walk);
		candidates_release(&candidates);
	}
}

static void
a_name_is_resolved_when_nothing_better_is_left(void **state)
{
	struct candidates candidates;
	char walk[64];

	(void)state;
	assert_int_equal(candidates_init(&candidates, 3), 0);
	add(&candidates, 0, "ab", "b");
	add(&candidates, 2, "d", "");
	walk_steps(&candidates, 1, walk);
	assert_string_equal(walk, "a");
	walk_steps(&candidates, 1, walk);
	assert_string_equal(walk, "?1");
	add(&candidates, 1, "cC", "");
	walk_steps(&candidates, 9, walk);
	assert_string_equal(walk, "cCdb!");
	candidates_release(&candidates);
}

static void
a_slow_name_holds_up_nothing_and_is_preferred_when_it_comes(void **state)
{
	struct candidates candidates;
	char walk[64];

	(void)state;
	assert_int_equal(candidates_init(&candidates, 2), 0);
	add(&candidates, 1, "abc", "c");
	walk_steps(&candidates, 2, walk);
	assert_string_equal(walk, "?0a");
	add(&candidates, 0, "xy", "y");
	walk_steps(&candidates, 1, walk);
	assert_string_equal(walk, "x");
	walk_steps(&candidates, 9, walk);
	assert_string_equal(walk, "byc!");
	candidates_release(&candidates);
}

static void
nothing_is_over_while_a_name_is_being_resolved(void **state)
{
	struct candidates candidates;
	char walk[64];

	(void)state;
	assert_int_equal(candidates_init(&candidates, 1), 0);
	walk_steps(&candidates, 9, walk);
	assert_string_equal(walk, "?0.");
	walk_steps(&candidates, 9, walk);
	assert_string_equal(walk, ".");
	add(&candidates, 0, "", "");
	walk_steps(&candidates, 9, walk);
	assert_string_equal(walk, "!");
	candidates_release(&candidates);
}

static void
what_was_put_back_is_tried_again(void **state)
{
	struct candidates candidates;
	char walk[64];

	(void)state;
	assert_int_equal(candidates_init(&candidates, 1), 0);
	add(&candidates, 0, "abc", "");
	walk_steps(&candidates, 2, walk);
	candidates_put_back(&candidates, 0);
	walk_steps(&candidates, 9, walk);
	assert_string_equal(walk, "ac!");
	candidates_release(&candidates);
}

static void
the_addresses_of_one_name_are_bounded(void **state)
{
	struct candidates candidates;

	(void)state;
	assert_int_equal(candidates_init(&candidates, 1), 0);
	for (int i = 0; i < 100; i++) {
		struct endpoint endpoint = endpoint_of('a');

		endpoint.v4.sin_addr.s_addr = htonl((uint32_t)i);
		assert_int_equal(candidates_add(&candidates, 0, &endpoint, false), 0);
	}
	assert_int_equal(candidates.count, CANDIDATES_PER_TARGET);
	candidates_release(&candidates);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_and_families_stand_in_order_and_failing_ones_last),
		cmocka_unit_test(a_name_is_resolved_when_nothing_better_is_left),
		cmocka_unit_test(a_slow_name_holds_up_nothing_and_is_preferred_when_it_comes),
		cmocka_unit_test(nothing_is_over_while_a_name_is_being_resolved),
		cmocka_unit_test(what_was_put_back_is_tried_again),
		cmocka_unit_test(the_addresses_of_one_name_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
