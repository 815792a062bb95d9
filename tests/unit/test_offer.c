/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "tests/unit/identities.h"
#include "tunnel/generation.h"
#include "tunnel/group.h"
#include "tunnel/listener.h"
#include "tunnel/offer.h"
#include "tunnel/service.h"

static char text_good[] = "[a]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n"
			  "cert = none\nca = /ca\npeer-name = x.test\n";
static char text_bad[] = "[a]\nmode = encrpt\n";

/* Make an offer of @text with one listener and @sockets sockets; return what it says. */
static char *
words_of(char *text, const struct generation_listener *listener, size_t sockets)
{
	struct generation generation = {.workers = 2};
	struct config_text entry = {.data = text, .size = strlen(text)};
	struct offer_sockets arrived = {0};
	char name[] = "/x.conf", *words = NULL;
	size_t size, length;
	uint8_t *bytes;
	struct diag diag;
	struct stat status;

	entry.name = name;
	assert_int_equal(config_texts_add(&generation.texts, &entry, &diag), 0);
	assert_int_equal(generation_add(&generation, listener, &diag), 0);
	assert_int_equal(generation_encode(&generation, &bytes, &size, &diag), 0);
	int lowest = dup(STDERR_FILENO);
	close(lowest);
	for (size_t i = 0; i < sockets; i++)
		assert_int_equal(offer_sockets_add(&arrived, dup(STDERR_FILENO)), 0);

	FILE *errors = open_memstream(&words, &length);
	assert_null(offer_new(bytes, size, &arrived, NULL, errors));
	assert_int_equal(fclose(errors), 0);
	assert_int_equal(arrived.count, 0);
	assert_int_equal(fstat(lowest, &status), -1);
	generation_wipe(bytes, size);
	generation_release(&generation);
	return words;
}

static void
expect(char *text, const struct generation_listener *listener, size_t sockets, const char *part)
{
	char *words = words_of(text, listener, sockets);

	assert_non_null(strstr(words, part));
	free(words);
}

static void
the_errors_of_a_configuration_are_its_own_words(void **state)
{
	struct generation_listener listener = {.sockets = 2};

	(void)state;
	expect(text_bad, &listener, 2, "/x.conf:2: ");
}

static void
every_socket_must_have_come_and_no_other(void **state)
{
	struct generation_listener listener = {.sockets = 2};

	(void)state;
	expect(text_good, &listener, 1, "1 listening sockets came instead of 2");
	expect(text_good, &listener, 3, "3 listening sockets came instead of 2");
}

static void
a_listener_must_belong_to_an_address(void **state)
{
	struct generation_listener no_service = {.service = 1, .sockets = 2};
	struct generation_listener no_address = {.accept = 1, .sockets = 2};
	struct generation_listener no_sockets = {.sockets = 0};

	(void)state;
	expect(text_good, &no_service, 2, "belongs to no address");
	expect(text_good, &no_address, 2, "belongs to no address");
	expect(text_good, &no_sockets, 0, "belongs to no address");
}

static void
a_missing_file_is_told_with_its_service(void **state)
{
	struct generation_listener listener = {.sockets = 2};

	(void)state;
	expect(text_good, &listener, 2, "service a: ");
}

#define OFFLOAD(name, rest)                                                                    \
	"[" name "]\nmode = offload\nconnect = 127.0.0.1:2\ncert = leaf.crt\nkey = leaf.key\n" \
	"verify = no\n" rest

/* Two addresses that the services a and b share, between them one of a alone, and one of b. */
static char text_shared[] = OFFLOAD("a",
	"sni = a.test\naccept = 127.0.0.1:1\naccept = 127.0.0.1:5\naccept = [::1]:1\n") OFFLOAD("b",
	"sni = b.test\naccept = [::1]:1\naccept = 127.0.0.1:1\naccept = 127.0.0.1:7\n");

static const struct generation_listener listeners_shared[] = {
	{.service = 0, .accept = 0, .sockets = 2},
	{.service = 0, .accept = 1, .sockets = 2},
	{.service = 0, .accept = 2, .sockets = 2},
	{.service = 1, .accept = 0, .sockets = 0},
	{.service = 1, .accept = 1, .sockets = 0},
	{.service = 1, .accept = 2, .sockets = 2},
};

static void
fill_shared(struct generation *generation)
{
	struct config_text entry = {.data = text_shared, .size = strlen(text_shared)};
	char name[] = "/test/sallyport.conf";
	struct pki_pair authority;
	struct diag diag;

	generation->workers = 2;
	entry.name = name;
	identities_make_authority(&authority, "authority");
	identities_add_leaf(&generation->files, "leaf", &authority, "a.test");
	pki_pair_release(&authority);
	assert_int_equal(config_texts_add(&generation->texts, &entry, &diag), 0);
	for (size_t i = 0; i < ARRAY_SIZE(listeners_shared); i++)
		assert_int_equal(generation_add(generation, &listeners_shared[i], &diag), 0);
}

/* Has the listener whose link is @link the services whose names are the letters of @names? */
static void
expect_group(struct list *link, const char *names)
{
	const struct group *group = listener_group(link);

	assert_int_equal(group->count, strlen(names));
	for (size_t i = 0; i < group->count; i++)
		assert_int_equal(group->services[i]->config->name[0], names[i]);
}

static void
services_on_one_address_are_a_group(void **state)
{
	struct generation generation = {0};
	struct offer_sockets arrived = {0};
	struct diag diag;
	uint8_t *bytes;
	size_t size;

	(void)state;
	fill_shared(&generation);
	assert_int_equal(generation_sockets(&generation), 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(offer_sockets_add(&arrived, dup(STDERR_FILENO)), 0);
	assert_int_equal(generation_encode(&generation, &bytes, &size, &diag), 0);
	struct offer *offer = offer_new(bytes, size, &arrived, NULL, stderr);
	assert_non_null(offer);
	for (unsigned i = 0; i < 2; i++) {
		struct list *first = offer->listeners[i].next, *second = first->next;
		expect_group(first, "ab");
		expect_group(second, "a");
		expect_group(second->next, "ab");
		expect_group(second->next->next, "b");
		assert_ptr_equal(second->next->next->next, &offer->listeners[i]);
	}
	offer_free(offer);
	generation_wipe(bytes, size);
	generation_release(&generation);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_errors_of_a_configuration_are_its_own_words),
		cmocka_unit_test(every_socket_must_have_come_and_no_other),
		cmocka_unit_test(a_listener_must_belong_to_an_address),
		cmocka_unit_test(a_missing_file_is_told_with_its_service),
		cmocka_unit_test(services_on_one_address_are_a_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
