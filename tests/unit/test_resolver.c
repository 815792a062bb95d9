/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/naming.h"
#include "tests/unit/timed.h"
#include "tunnel/resolver.h"

static struct resolver *resolver;

/* Somebody who looks something up. */
struct asker {
	struct resolver_waiter waiter;
	unsigned told;
	size_t count;
	struct endpoint endpoints[DNS_ADDRESSES];
	char words[128];
};

static int
setup(void **state)
{
	const struct dns_settings settings = naming_start();
	struct diag diag;

	(void)state;
	resolver = resolver_new(&naming.loop, &settings, &diag);
	assert_non_null(resolver);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	resolver_free(resolver);
	naming_stop();
	return 0;
}

static void
on_answered(struct resolver_waiter *waiter, const struct resolver_answer *answer)
{
	struct asker *asker = container_of(waiter, struct asker, waiter);

	asker->told++;
	asker->count = answer->count;
	for (size_t i = 0; i < answer->count; i++)
		asker->endpoints[i] = answer->endpoints[i];
	if (answer->words)
		(void)snprintf(asker->words, sizeof(asker->words), "%s", answer->words);
	ev_break(naming.loop.ev, EVBREAK_ONE);
}

/* Run the loop for at most @seconds, or until somebody is told. Returns how long that was. */
static double
run(double seconds)
{
	return timed_run(naming.loop.ev, seconds);
}

static void
ask(struct asker *asker, const char *name)
{
	struct diag diag;

	*asker = (struct asker){0};
	resolver_waiter_init(&asker->waiter, on_answered);
	assert_int_equal(resolver_lookup(resolver, name, &asker->waiter, &diag), 0);
	assert_int_equal(asker->told, 0);
}

/* Look @name up and wait for the answer. Returns how long that took. */
static double
resolve(struct asker *asker, const char *name)
{
	double seconds;

	ask(asker, name);
	seconds = run(10.);
	assert_int_equal(asker->told, 1);
	return seconds;
}

static bool
was_told(const struct asker *asker, const char *ip)
{
	return naming_has(asker->endpoints, asker->count, ip);
}

static void
both_families_are_answered(void **state)
{
	struct asker asker;

	(void)state;
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.count, 2);
	assert_true(was_told(&asker, "192.0.2.1"));
	assert_true(was_told(&asker, "2001:db8::1"));
}

static void
those_who_ask_at_the_same_time_share_one_question(void **state)
{
	struct asker askers[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		ask(&askers[i], i == 2 ? "DB.example.net" : "db.example.net");
	(void)run(10.);
	for (int i = 0; i < 3; i++)
		assert_int_equal(askers[i].told, 1);
	assert_int_equal(naming.first.asked, 2); /* A and AAAA */
}

static void
an_answer_is_remembered_for_its_time_to_live(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.ttl = 1;
	(void)resolve(&asker, "db.example.net");
	naming.first.v4[3] = 9;
	(void)resolve(&asker, "db.example.net");
	assert_true(was_told(&asker, "192.0.2.1"));
	assert_int_equal(naming.first.asked, 2);
	(void)run(1.05);
	(void)resolve(&asker, "db.example.net");
	assert_true(was_told(&asker, "192.0.2.9"));
}

static void
a_name_in_use_is_asked_for_again_before_it_is_too_old(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.ttl = 2;
	(void)resolve(&asker, "db.example.net");
	(void)run(1.7);
	naming.first.mood = SERVER_SILENT;
	assert_true(resolve(&asker, "db.example.net") < 0.1);
	assert_true(was_told(&asker, "192.0.2.1"));
	(void)run(0.1);
	assert_int_equal(naming.first.asked, 4);
}

static void
the_last_good_answer_is_kept_while_the_server_fails(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.ttl = 1;
	(void)resolve(&asker, "db.example.net");
	naming.first.mood = SERVER_FAILS;
	(void)run(1.1);
	for (int i = 0; i < 2; i++) {
		(void)resolve(&asker, "db.example.net");
		assert_true(was_told(&asker, "192.0.2.1"));
	}
	naming.first.mood = SERVER_ANSWERS;
	naming.first.v4[3] = 9;
	(void)run(3.1);
	(void)resolve(&asker, "db.example.net"); /* not held back for the new one */
	assert_true(was_told(&asker, "192.0.2.1"));
	(void)run(0.1);
	(void)resolve(&asker, "db.example.net");
	assert_true(was_told(&asker, "192.0.2.9"));
}

static void
a_silent_server_holds_the_last_good_answer_back_for_less_than_2_s(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.ttl = 1;
	(void)resolve(&asker, "db.example.net");
	naming.first.mood = SERVER_SILENT;
	(void)run(1.1);
	double seconds = resolve(&asker, "db.example.net");
	assert_true(seconds > 1.7 && seconds < 2.0);
	assert_true(was_told(&asker, "192.0.2.1"));
	assert_true(resolve(&asker, "db.example.net") < 0.1);
	assert_true(was_told(&asker, "192.0.2.1"));
}

static void
a_silent_server_is_given_up_after_a_few_seconds_with_words(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.mood = SERVER_SILENT;
	assert_true(resolve(&asker, "db.example.net") < 5.);
	assert_int_equal(asker.count, 0);
	assert_string_equal(asker.words, "the DNS servers do not answer");
}

static void
a_name_that_is_gone_is_gone_and_that_is_remembered_for_3_s(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.ttl = 1;
	(void)resolve(&asker, "db.example.net");
	naming.first.mood = SERVER_DENIES;
	(void)run(1.1);
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.count, 0);
	assert_string_equal(asker.words, "no such name");
	naming.first.mood = SERVER_FAILS; /* and the last good answer does not come back */
	(void)resolve(&asker, "db.example.net");
	assert_string_equal(asker.words, "no such name");
	(void)run(3.1);
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.count, 0);
	assert_string_equal(asker.words, "no DNS server can be reached, or all of them fail");
}

static void
a_name_without_an_address_says_so(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.mood = SERVER_EMPTY;
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.count, 0);
	assert_string_equal(asker.words, "the name has no address");
}

static void
one_who_waits_no_longer_is_not_told(void **state)
{
	struct asker stays, leaves;

	(void)state;
	ask(&leaves, "db.example.net");
	ask(&stays, "db.example.net");
	resolver_cancel(&leaves.waiter);
	resolver_cancel(&leaves.waiter);
	(void)run(10.);
	assert_int_equal(stays.told, 1);
	assert_int_equal(leaves.told, 0);
}

static void
hosts_comes_before_the_servers_and_is_read_again(void **state)
{
	struct asker asker;

	(void)state;
	(void)resolve(&asker, "listed");
	assert_int_equal(asker.count, 1);
	assert_true(was_told(&asker, "198.51.100.7"));
	name_files_write(naming.files.hosts, "198.51.100.8 listed\n");
	(void)run(1.1);
	(void)resolve(&asker, "listed");
	assert_int_equal(asker.count, 1);
	assert_true(was_told(&asker, "198.51.100.8"));
	assert_int_equal(naming.first.asked, 0);
}

static void
localhost_is_never_asked_of_a_server(void **state)
{
	static const char *const names[] = {"localhost", "LocalHost", "localhost.", "a.localhost"};
	struct asker asker;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)resolve(&asker, names[i]);
		assert_true(was_told(&asker, "127.0.0.1"));
		assert_true(was_told(&asker, "::1"));
	}
	name_files_write(naming.files.hosts, "127.0.0.3 localhost\n");
	(void)run(1.1);
	(void)resolve(&asker, "localhost");
	assert_int_equal(asker.count, 1);
	assert_true(was_told(&asker, "127.0.0.3"));
	assert_int_equal(naming.first.asked, 0);
}

static void
a_changed_resolv_conf_is_taken_up_and_open_questions_stay_where_they_were(void **state)
{
	struct asker old, new;

	(void)state;
	(void)run(1.1);
	naming.first.mood = SERVER_SILENT;
	ask(&old, "old.example.net");
	(void)run(1.1);
	name_files_write(naming.files.resolv_conf, "nameserver 127.0.0.2\n");
	(void)resolve(&new, "new.example.net");
	assert_true(was_told(&new, "192.0.2.2"));
	assert_int_equal(old.told, 0);
	naming.first.mood = SERVER_ANSWERS; /* and it is asked a second time */
	(void)run(3.);
	assert_int_equal(old.told, 1);
	assert_true(was_told(&old, "192.0.2.1"));
}

static void
a_resolv_conf_that_names_no_server_leaves_localhost_and_hosts(void **state)
{
	struct asker asker;

	(void)state;
	(void)unlink(naming.files.resolv_conf);
	(void)run(1.1);
	(void)resolve(&asker, "listed");
	assert_true(was_told(&asker, "198.51.100.7"));
}

static void
what_is_remembered_is_bounded(void **state)
{
	struct asker *askers = calloc(RESOLVER_NAMES + 1, sizeof(*askers));
	struct asker *last = &askers[RESOLVER_NAMES];
	struct diag diag;
	char name[32];

	(void)state;
	naming.first.mood = SERVER_DENIES;
	for (int i = 0; i < RESOLVER_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example.net", i);
		ask(&askers[i], name);
	}
	resolver_waiter_init(&last->waiter, on_answered);
	assert_int_equal(resolver_lookup(resolver, "db.example.net", &last->waiter, &diag), -1);
	assert_string_equal(diag.text, "too many names are being resolved");
	for (int i = 0; i < RESOLVER_NAMES; i++) {
		while (askers[i].told == 0)
			assert_true(run(10.) < 9.);
	}
	naming.first.mood = SERVER_ANSWERS;
	(void)resolve(last, "db.example.net");
	assert_int_equal(last->count, 2);
	free(askers);
}

static void
open_questions_are_forgotten_with_the_resolver(void **state)
{
	static struct asker asker;

	(void)state;
	naming.first.mood = SERVER_SILENT;
	ask(&asker, "db.example.net");
	(void)run(0.1);
	assert_int_equal(asker.told, 0);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_families_are_answered),
		TEST(those_who_ask_at_the_same_time_share_one_question),
		TEST(an_answer_is_remembered_for_its_time_to_live),
		TEST(a_name_in_use_is_asked_for_again_before_it_is_too_old),
		TEST(the_last_good_answer_is_kept_while_the_server_fails),
		TEST(a_silent_server_holds_the_last_good_answer_back_for_less_than_2_s),
		TEST(a_silent_server_is_given_up_after_a_few_seconds_with_words),
		TEST(a_name_that_is_gone_is_gone_and_that_is_remembered_for_3_s),
		TEST(a_name_without_an_address_says_so),
		TEST(one_who_waits_no_longer_is_not_told),
		TEST(hosts_comes_before_the_servers_and_is_read_again),
		TEST(localhost_is_never_asked_of_a_server),
		TEST(a_changed_resolv_conf_is_taken_up_and_open_questions_stay_where_they_were),
		TEST(a_resolv_conf_that_names_no_server_leaves_localhost_and_hosts),
		TEST(what_is_remembered_is_bounded),
		TEST(open_questions_are_forgotten_with_the_resolver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
