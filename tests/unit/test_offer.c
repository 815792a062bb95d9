/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "tunnel/generation.h"
#include "tunnel/offer.h"

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
	assert_null(offer_new(bytes, size, &arrived, errors));
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

	(void)state;
	expect(text_good, &no_service, 2, "belongs to no address");
	expect(text_good, &no_address, 2, "belongs to no address");
}

static void
a_missing_file_is_told_with_its_service(void **state)
{
	struct generation_listener listener = {.sockets = 2};

	(void)state;
	expect(text_good, &listener, 2, "service a: ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_errors_of_a_configuration_are_its_own_words),
		cmocka_unit_test(every_socket_must_have_come_and_no_other),
		cmocka_unit_test(a_listener_must_belong_to_an_address),
		cmocka_unit_test(a_missing_file_is_told_with_its_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
