/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/diag.h"
#include "tests/unit/naming.h"
#include "tests/unit/timed.h"

enum { FAMILIES = 2 /* questions to a server for each name */ };

static struct dns *dns;

/* Somebody who asks. */
struct asker {
	struct dns_question question;
	unsigned told;
	enum dns_outcome outcome;
	size_t count;
	struct endpoint endpoints[DNS_ADDRESSES];
	double ttl;
	char words[128];
};

static int
setup(void **state)
{
	struct dns_settings settings = naming_start();
	char path[sizeof(naming.files.resolv_conf)];
	struct diag diag;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", settings.resolv_conf);
	settings.resolv_conf = path;
	dns = dns_new(&naming.loop, &settings, &diag);
	assert_non_null(dns);
	memset(path, 0, sizeof(path)); /* the setting is copied */
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dns_free(dns);
	naming_stop();
	return 0;
}

static void
on_answered(struct dns_question *question, const struct dns_answer *answer)
{
	struct asker *asker = container_of(question, struct asker, question);

	asker->told++;
	asker->outcome = answer->outcome;
	asker->count = answer->count;
	asker->ttl = answer->ttl;
	assert_true(answer->count <= DNS_ADDRESSES);
	for (size_t i = 0; i < answer->count; i++)
		asker->endpoints[i] = answer->endpoints[i];
	if (answer->outcome != DNS_FOUND)
		(void)snprintf(asker->words, sizeof(asker->words), "%s", answer->words);
	ev_break(naming.loop.ev, EVBREAK_ONE);
}

static void
ask(struct asker *asker, const char *name)
{
	*asker = (struct asker){.question.answered = on_answered};
	dns_ask(dns, name, &asker->question);
}

/* Ask for @name and wait for the answer. Returns how long that took. */
static double
resolve(struct asker *asker, const char *name)
{
	double seconds = 0;

	ask(asker, name);
	if (asker->told == 0)
		seconds = timed_run(naming.loop.ev, 10.);
	assert_int_equal(asker->told, 1);
	return seconds;
}

/* Let a change of resolv.conf to @text be seen. */
static void
change(const char *text)
{
	(void)timed_run(naming.loop.ev, 1.1);
	name_files_write(naming.files.resolv_conf, text);
}

/* Was @ip among what was found, with port 0? */
static bool
was_told(const struct asker *asker, const char *ip)
{
	assert_int_equal(asker->outcome, DNS_FOUND);
	return naming_has(asker->endpoints, asker->count, ip);
}

static void
both_families_are_asked_for_at_once_and_found(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.mood = SERVER_SILENT;
	ask(&asker, "db.example.net");
	(void)timed_run(naming.loop.ev, 0.1);
	assert_int_equal(naming.first.asked, FAMILIES);
	naming.first.mood = SERVER_ANSWERS;
	(void)timed_run(naming.loop.ev, 10.);
	assert_int_equal(asker.told, 1);
	assert_int_equal(asker.count, 2);
	assert_true(was_told(&asker, "192.0.2.1"));
	assert_true(was_told(&asker, "2001:db8::1"));
}

static void
one_family_is_enough(void **state)
{
	struct asker asker;

	(void)state;
	memset(naming.first.v6, 0, sizeof(naming.first.v6));
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.count, 1);
	assert_true(was_told(&asker, "192.0.2.1"));
}

static void
the_time_to_live_is_the_servers_and_nothing_is_remembered(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.ttl = 77;
	(void)resolve(&asker, "db.example.net");
	assert_true(asker.ttl > 76.5 && asker.ttl < 77.5);
	naming.first.ttl = 5;
	(void)resolve(&asker, "db.example.net");
	assert_true(asker.ttl > 4.5 && asker.ttl < 5.5);
	assert_int_equal(naming.first.asked, 2 * FAMILIES);
}

static void
hosts_comes_first_and_has_no_time_to_live(void **state)
{
	struct asker asker;

	(void)state;
	(void)resolve(&asker, "listed");
	assert_int_equal(asker.count, 1);
	assert_true(was_told(&asker, "198.51.100.7"));
	assert_true(asker.ttl == 0);
	assert_int_equal(naming.first.asked, 0);
}

static void
an_answer_is_cut_after_so_many_addresses(void **state)
{
	struct asker asker;
	char text[4096];
	size_t length = 0;

	(void)state;
	for (int i = 1; i <= DNS_ADDRESSES + 8; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length, "198.51.100.%d many\n", i);
	name_files_write(naming.files.hosts, text);
	(void)resolve(&asker, "many");
	assert_int_equal(asker.outcome, DNS_FOUND);
	assert_int_equal(asker.count, DNS_ADDRESSES);
}

static void
that_there_is_nothing_is_an_answer_with_words(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.mood = SERVER_DENIES;
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.outcome, DNS_NOT_FOUND);
	assert_int_equal(asker.count, 0);
	assert_string_equal(asker.words, "no such name");
	naming.first.mood = SERVER_EMPTY;
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.outcome, DNS_NOT_FOUND);
	assert_string_equal(asker.words, "the name has no address");
}

static void
that_nobody_can_say_is_a_failure_with_words(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.mood = SERVER_FAILS;
	(void)resolve(&asker, "db.example.net");
	assert_int_equal(asker.outcome, DNS_FAILED);
	assert_int_equal(asker.count, 0);
	assert_string_equal(asker.words, "no DNS server can be reached, or all of them fail");
}

static void
what_cannot_be_a_name_fails_and_is_asked_of_nobody(void **state)
{
	struct asker asker;

	(void)state;
	(void)resolve(&asker, "a..example.net");
	assert_int_equal(asker.outcome, DNS_FAILED);
	assert_string_equal(asker.words, "that is not a valid name");
	assert_int_equal(naming.first.asked, 0);
}

static void
a_silent_server_has_one_and_a_half_seconds_and_then_3(void **state)
{
	struct asker asker;

	(void)state;
	naming.first.mood = SERVER_SILENT;
	double seconds = resolve(&asker, "db.example.net");
	assert_true(seconds > 4.3 && seconds < 6.);
	assert_int_equal(naming.first.asked, 2 * FAMILIES);
	assert_int_equal(asker.outcome, DNS_FAILED);
	assert_string_equal(asker.words, "the DNS servers do not answer");
}

static void
the_next_server_is_asked_when_the_first_is_silent(void **state)
{
	struct asker asker;

	(void)state;
	change("nameserver 127.0.0.1\nnameserver 127.0.0.2\n");
	naming.first.mood = SERVER_SILENT;
	double seconds = resolve(&asker, "db.example.net");
	assert_true(seconds > 1.4 && seconds < 2.5);
	assert_true(was_told(&asker, "192.0.2.2"));
}

static void
the_search_list_is_gone_through_for_a_name_without_dots(void **state)
{
	struct asker asker;

	(void)state;
	change("nameserver 127.0.0.1\nsearch a.example.net b.example.net\n");
	naming.first.mood = SERVER_DENIES;
	(void)resolve(&asker, "db");
	assert_int_equal(asker.outcome, DNS_NOT_FOUND);
	assert_int_equal(naming.first.asked, 3 * FAMILIES); /* in each, and as it is */
	naming.first.asked = 0;
	(void)resolve(&asker, "db.");
	assert_int_equal(naming.first.asked, FAMILIES);
}

static void
localhost_is_both_loopbacks_and_asked_of_nobody(void **state)
{
	static const char *const names[] = {
		"localhost", "LOCALHOST", "LocalHost.", "a.localhost", "a.b.localhost."};
	struct asker asker;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)resolve(&asker, names[i]);
		assert_int_equal(asker.count, 2);
		assert_int_equal(asker.outcome, DNS_FOUND);
		assert_true(naming_is(&asker.endpoints[0], "::1"));
		assert_true(naming_is(&asker.endpoints[1], "127.0.0.1"));
	}
	name_files_write(naming.files.hosts, "127.0.0.3 localhost\n");
	(void)resolve(&asker, "localhost");
	assert_int_equal(asker.count, 1);
	assert_true(was_told(&asker, "127.0.0.3"));
	assert_int_equal(naming.first.asked, 0);
}

static void
what_only_ends_or_begins_like_localhost_is_asked(void **state)
{
	static const char *const names[] = {"notlocalhost.", "localhost.example.net"};
	struct asker asker;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		naming.first.asked = 0;
		(void)resolve(&asker, names[i]);
		assert_int_equal(naming.first.asked, FAMILIES);
		assert_true(was_told(&asker, "192.0.2.1"));
	}
}

static void
the_next_question_goes_by_a_changed_resolv_conf_and_open_ones_by_the_old(void **state)
{
	struct asker old, new;

	(void)state;
	(void)timed_run(naming.loop.ev, 1.1);
	naming.first.mood = SERVER_SILENT;
	ask(&old, "old.example.net");
	change("nameserver 127.0.0.2\n");
	(void)resolve(&new, "new.example.net");
	assert_true(was_told(&new, "192.0.2.2"));
	assert_int_equal(old.told, 0);
	naming.first.mood = SERVER_ANSWERS; /* when it is asked a second time */
	(void)timed_run(naming.loop.ev, 10.);
	assert_int_equal(old.told, 1);
	assert_true(was_told(&old, "192.0.2.1"));
}

static void
many_questions_are_open_at_once(void **state)
{
	enum { QUESTIONS = 100 };
	static struct asker askers[QUESTIONS];
	char name[32];

	(void)state;
	for (int i = 0; i < QUESTIONS; i++) {
		(void)snprintf(name, sizeof(name), "n%d.example.net", i);
		ask(&askers[i], name);
	}
	for (int i = 0; i < QUESTIONS; i++) {
		while (askers[i].told == 0)
			assert_true(timed_run(naming.loop.ev, 10.) < 9.);
		assert_int_equal(askers[i].told, 1);
		assert_true(was_told(&askers[i], "192.0.2.1"));
	}
}

static void
open_questions_are_forgotten_when_it_is_freed(void **state)
{
	struct asker asker;

	(void)state;
	ask(&asker, "db.example.net");
	dns_free(dns);
	dns = NULL; /* and the end of the test frees that */
	(void)timed_run(naming.loop.ev, 0.1);
	assert_int_equal(naming.first.asked, FAMILIES);
	assert_int_equal(asker.told, 0);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_families_are_asked_for_at_once_and_found),
		TEST(one_family_is_enough),
		TEST(the_time_to_live_is_the_servers_and_nothing_is_remembered),
		TEST(hosts_comes_first_and_has_no_time_to_live),
		TEST(an_answer_is_cut_after_so_many_addresses),
		TEST(that_there_is_nothing_is_an_answer_with_words),
		TEST(that_nobody_can_say_is_a_failure_with_words),
		TEST(what_cannot_be_a_name_fails_and_is_asked_of_nobody),
		TEST(a_silent_server_has_one_and_a_half_seconds_and_then_3),
		TEST(the_next_server_is_asked_when_the_first_is_silent),
		TEST(the_search_list_is_gone_through_for_a_name_without_dots),
		TEST(localhost_is_both_loopbacks_and_asked_of_nobody),
		TEST(what_only_ends_or_begins_like_localhost_is_asked),
		TEST(the_next_question_goes_by_a_changed_resolv_conf_and_open_ones_by_the_old),
		TEST(many_questions_are_open_at_once),
		TEST(open_questions_are_forgotten_when_it_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
