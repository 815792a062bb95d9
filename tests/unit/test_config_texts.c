/* SPDX-License-Identifier: MIT */
/* Which files a configuration is made of, and those that it names. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configured.h"

#include "common/diag.h"
#include "common/files.h"
#include "common/text.h"
#include "tests/unit/scratch.h"
#include "tunnel/config.h"
#include "tunnel/pki_pair.h"

enum { PATH_SIZE = 512, WORDS_SIZE = 4096, PEM_SIZE = 8192 };

#define REST	"cert = c.pem\nkey = k.pem\nca = a.pem\n"
#define ENCRYPT "mode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n" REST

#define GONE ": \"gone\" cannot be used: \"%s/gone\": open: No such file or directory\n"

/* What was complained about. */
struct room {
	char *errors;
	size_t size;
	FILE *out;
};

static int
set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	assert_non_null(room);
	room->out = open_memstream(&room->errors, &room->size);
	assert_non_null(room->out);
	*state = room;
	return scratch_setup(state);
}

static int
tear_down(void **state)
{
	struct room *room = *state;

	(void)fclose(room->out);
	free(room->errors);
	free(room);
	return scratch_teardown(state);
}

static void
put(const char *name, const char *data, mode_t mode)
{
	scratch_write(name, data, strlen(data));
	assert_int_equal(chmod(scratch_path(name), mode), 0);
}

/* Make a certificate and its key, in files of their own or, if @cert is @key, in one. */
static void
put_identity(const char *cert, const char *key, mode_t mode)
{
	const struct pki_pair_plan plan = {.common_name = "x", .until = time(NULL) + 1000};
	struct pki_pair pair = {0};
	gnutls_datum_t key_pem, cert_pem;
	char both[PEM_SIZE];
	struct diag diag;

	assert_int_equal(pki_pair_make_authority(&pair, &plan, &diag), 0);
	assert_int_equal(pki_pair_export(&pair, &key_pem, &cert_pem, &diag), 0);
	(void)snprintf(both, sizeof(both), "%s%s", (char *)cert_pem.data, (char *)key_pem.data);
	put(cert, strcmp(cert, key) == 0 ? both : (char *)cert_pem.data, mode);
	if (strcmp(cert, key) != 0)
		put(key, (char *)key_pem.data, mode);
	gnutls_free(key_pem.data);
	gnutls_free(cert_pem.data);
	pki_pair_release(&pair);
}

/* Have the errors been @expected, in which %s stands for the directory? */
static void
assert_errors(struct room *room, const char *expected)
{
	char array[WORDS_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	for (const char *at; (at = strstr(expected, "%s")); expected = at + 2) {
		text_format(&text, "%.*s", (int)(at - expected), expected);
		text_add(&text, scratch.directory);
	}
	text_add(&text, expected);
	assert_int_equal(fflush(room->out), 0);
	assert_string_equal(room->errors, array);
}

static void
included_files_are_sorted_and_end_in_conf(void **state)
{
	struct room *room = *state;
	struct config_texts texts = {0};

	put("m.conf",
		"include = d/*.conf\ninclude = m.conf\ninclude = nothing/*.conf\n[x]\ninclude = "
		"y\n",
		0600);
	assert_int_equal(mkdir(scratch_path("d"), 0700), 0);
	put("d/b.conf", "[b]\n", 0600);
	put("d/a.conf", "[a]\n", 0600);
	put("d/c.conf~", "[c]\n", 0600);
	put("d/.h.conf", "[h]\n", 0600);
	assert_int_equal(config_gather(&texts, scratch_path("m.conf"), room->out), 0);
	assert_errors(room, "");
	assert_int_equal(texts.count, 3);
	assert_string_equal(texts.entries[0].name, scratch_path("m.conf"));
	assert_string_equal(texts.entries[1].name, scratch_path("d/a.conf"));
	assert_string_equal(texts.entries[2].name, scratch_path("d/b.conf"));
	assert_string_equal(texts.entries[2].data, "[b]\n");
	assert_int_equal(texts.entries[2].size, 4);
	config_texts_release(&texts);
	config_texts_release(&texts);
}

static void
what_cannot_be_included_is_told(void **state)
{
	struct room *room = *state;
	struct config_texts texts = {0};

	put("m.conf", "include = none.conf\ninclude = dir*.conf\n", 0600);
	assert_int_equal(mkdir(scratch_path("dir.conf"), 0700), 0);
	assert_int_equal(config_gather(&texts, scratch_path("m.conf"), room->out), -1);
	assert_errors(room,
		"%s/m.conf:1: include: \"none.conf\" does not exist; make the file, or write a "
		"pattern, which may match nothing\n"
		"%s/m.conf:2: include: \"dir*.conf\" cannot be read: \"%s/dir.conf\": it is "
		"not a regular file\n");
	assert_int_equal(texts.count, 1);
	config_texts_release(&texts);
}

static void
a_main_file_that_is_missing_is_told(void **state)
{
	struct room *room = *state;
	struct config_texts texts = {0};

	assert_int_equal(config_gather(&texts, scratch_path("m.conf"), room->out), -1);
	assert_errors(room,
		"the configuration cannot be read: \"%s/m.conf\": open: No such file or "
		"directory\n");
	config_texts_release(&texts);
}

/* Gather and build m.conf. */
static struct config *
load(struct room *room)
{
	struct config_texts texts = {0};

	assert_int_equal(config_gather(&texts, scratch_path("m.conf"), room->out), 0);

	struct config *config = config_new(&texts, room->out);

	assert_errors(room, "");
	assert_non_null(config);
	config_texts_release(&texts);
	return config;
}

static void
everything_named_is_read(void **state)
{
	struct room *room = *state;
	struct files files = {0};

	put("m.conf",
		"[x]\n" ENCRYPT "[y]\nmode = offload\naccept = *:3\nconnect = 127.0.0.1:4\n"
		"cert = both.pem\nca = cas\n[z]\nmode = offload\naccept = *:4\nconnect = "
		"127.0.0.1:4\n"
		"cert = open.pem\nca = cas\nkey-permissions = off\n",
		0600);
	put_identity("c.pem", "k.pem", 0600);
	put_identity("both.pem", "both.pem", 0600);
	put("a.pem", "ca", 0644);
	put_identity("open.pem", "open.pem", 0644);
	assert_int_equal(mkdir(scratch_path("cas"), 0700), 0);
	put("cas/1", "one", 0644);

	struct config *config = load(room);

	assert_int_equal(config_read_files(config, &files, room->out), 0);
	assert_errors(room, "");
	assert_non_null(files_find(&files, scratch_path("c.pem")));
	assert_non_null(files_find(&files, scratch_path("both.pem")));
	assert_string_equal(files_find(&files, scratch_path("a.pem"))->data, "ca");
	assert_non_null(files_find(&files, scratch_path("open.pem")));
	assert_string_equal(files_find(&files, scratch_path("cas"))->data, "one\n");
	files_release(&files);
	config_unref(config);
}

static void
the_trust_of_the_system_is_read(void **state)
{
	struct room *room = *state;
	struct files files = {0};

	if (access(SYSTEM_TRUST_FILE, R_OK) < 0)
		skip();
	put("m.conf",
		"[x]\nmode = encrypt\naccept = unix:/x\nconnect = h:1\ncert = none\nca = system\n",
		0600);

	struct config *config = load(room);

	assert_int_equal(config_read_files(config, &files, room->out), 0);
	assert_non_null(files_find(&files, SYSTEM_TRUST_FILE));
	files_release(&files);
	config_unref(config);
}

static void
secrets_are_judged_like_keys_wherever_they_are_named(void **state)
{
	struct room *room = *state;
	struct files files = {0};

	put("m.conf",
		"[y]\nmode = offload\naccept = *:3\nconnect = 127.0.0.1:4\ncert = both.pem\n"
		"ca = a.pem\ncrl = lists\nocsp-response = staple\npsk = p\nticket-keys = t\n",
		0600);
	put_identity("both.pem", "both.pem", 0600);
	put("a.pem", "ca", 0644);
	put("staple", "ocsp", 0644);
	put("p", "psk", 0600);
	put("t", "tickets", 0600);
	assert_int_equal(mkdir(scratch_path("lists"), 0700), 0);
	put("lists/1", "one", 0644);

	struct config *config = load(room);

	assert_int_equal(config_read_files(config, &files, room->out), 0);
	assert_string_equal(files_find(&files, scratch_path("lists"))->data, "one\n");
	assert_string_equal(files_find(&files, scratch_path("staple"))->data, "ocsp");
	assert_string_equal(files_find(&files, scratch_path("p"))->data, "psk");
	assert_string_equal(files_find(&files, scratch_path("t"))->data, "tickets");
	files_release(&files);

	assert_int_equal(chmod(scratch_path("p"), 0604), 0);
	assert_int_equal(chmod(scratch_path("t"), 0604), 0);
	assert_int_equal(config_read_files(config, &files, room->out), -1);
	assert_int_equal(fflush(room->out), 0);
	assert_non_null(strstr(room->errors, "m.conf:9: service y: psk: \"p\" cannot be used: "));
	assert_non_null(
		strstr(room->errors, ":10: service y: ticket-keys: \"t\" cannot be used: "));
	files_release(&files);
	config_unref(config);
}

/* Of the files of @config one is refused, with exactly these @words. */
static void
assert_refused(struct room *room, const struct config *config, const char *words)
{
	struct files files = {0};
	size_t before = room->size;

	assert_int_equal(config_read_files(config, &files, room->out), -1);
	assert_int_equal(fflush(room->out), 0);
	assert_string_equal(room->errors + before, words);
	files_release(&files);
}

/* Serve sees what is no key, so there must be none in it. */
static void
a_private_key_has_no_place_in_a_file_for_serve(void **state)
{
	static const char *const kinds[] = {
		"PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"};
	static const struct {
		const char *name, *place;
	} files_of[] = {{"a.pem", ":8: service y: ca: \"a.pem\""},
		{"lists/2", ":9: service y: crl: \"lists\""},
		{"staple", ":10: service y: ocsp-response: \"staple\""}};
	struct room *room = *state;

	put("m.conf",
		"[y]\nmode = offload\naccept = *:3\nconnect = 127.0.0.1:4\ncert = c.pem\n"
		"key = k.pem\nkey-permissions = off\nca = a.pem\ncrl = lists\n"
		"ocsp-response = staple\n",
		0600);
	put_identity("c.pem", "k.pem", 0600);
	assert_int_equal(mkdir(scratch_path("lists"), 0700), 0);
	put("lists/1", "one", 0644);

	struct config *config = load(room);

	for (size_t i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(files_of); i++) {
		const char *bad = files_of[i / ARRAY_SIZE(kinds)].name;
		char text[128], words[PATH_SIZE];

		for (size_t j = 0; j < ARRAY_SIZE(files_of); j++)
			put(files_of[j].name, "public", 0644);
		(void)snprintf(text, sizeof(text), "public\n-----BEGIN %s-----\n",
			kinds[i % ARRAY_SIZE(kinds)]);
		put(bad, text, 0600);
		(void)snprintf(words, sizeof(words),
			"%s/m.conf%s cannot be used: there is a private key in it; name a file "
			"without one\n",
			scratch.directory, files_of[i / ARRAY_SIZE(kinds)].place);
		assert_refused(room, config, words);
	}
	config_unref(config);
}

static void
an_identity_that_is_bad_is_told_wherever_it_is_written(void **state)
{
	struct room *room = *state;
	char words[4 * PATH_SIZE];

	put("m.conf",
		"[x]\n" ENCRYPT "cert = gone\nkey = k.pem\n[y]\nmode = encrypt\naccept = "
		"127.0.0.1:2\nconnect = h:1\nca = a.pem\ncert = gone\nkey = k.pem\n",
		0600);
	put_identity("c.pem", "k.pem", 0600);
	put("a.pem", "ca", 0644);
	(void)snprintf(words, sizeof(words),
		"%s/m.conf:8: service x: cert" GONE "%s/m.conf:15: service y: cert" GONE,
		scratch.directory, scratch.directory, scratch.directory, scratch.directory);

	struct config *config = load(room);

	assert_refused(room, config, words);
	config_unref(config);
}

static void
the_second_of_two_files_is_blamed_by_its_own_line(void **state)
{
	struct room *room = *state;
	struct files files = {0};

	put("m.conf", "[x]\n" ENCRYPT "cert = gone\nkey = k.pem\n", 0600);
	put_identity("c.pem", "k.pem", 0600);
	put("a.pem", "ca", 0644);

	struct config *config = load(room);

	assert_int_equal(config_read_files(config, &files, room->out), -1);
	assert_int_equal(fflush(room->out), 0);
	assert_non_null(
		strstr(room->errors, "m.conf:8: service x: cert: \"gone\" cannot be used: "));
	files_release(&files);
	config_unref(config);
}

/* A key is judged also where it is the certificate's file, or the unjudged key of another service. */
static void
a_key_is_judged_wherever_else_it_was_read(void **state)
{
	struct room *room = *state;
	struct files files = {0};

	put("m.conf",
		"ca = a.pem\n[x]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\ncert = "
		"k.pem\n"
		"key-permissions = off\n[y]\nmode = offload\naccept = *:2\nconnect = 127.0.0.1:2\n"
		"cert = k.pem\n",
		0600);
	put_identity("k.pem", "k.pem", 0604);
	put("a.pem", "ca", 0644);

	struct config *config = load(room);

	assert_int_equal(config_read_files(config, &files, room->out), -1);
	assert_int_equal(fflush(room->out), 0);
	assert_non_null(
		strstr(room->errors, "m.conf:12: service y: cert: \"k.pem\" cannot be used: "));
	assert_non_null(strstr(room->errors, "chmod"));
	assert_null(strstr(room->errors, "service x"));
	files_release(&files);
	config_unref(config);
}

static void
all_that_cannot_be_read_is_told_once(void **state)
{
	struct room *room = *state;
	struct files files = {0};

	put("m.conf",
		"user = no-such-user-1\ngroup = no-such-group-1\nca = none.pem\n"
		"[x]\nmode = encrypt\naccept = unix:/x\nconnect = h:1\ncert = c.pem\n"
		"socket-owner = no-such-user-2\nsocket-group = no-such-group-2\n"
		"[y]\nmode = encrypt\naccept = unix:@y\nconnect = h:1\ncert = none\n"
		"socket-users = 0,no-such-user-3\n",
		0600);

	struct config *config = load(room);

	assert_int_equal(config_read_files(config, &files, room->out), -1);
	assert_errors(room,
		"%s/m.conf:1: user: \"no-such-user-1\" names no user of this system "
		"(no-such-user-1); create "
		"it, or name another\n"
		"%s/m.conf:2: group: \"no-such-group-1\" names no group of this system "
		"(no-such-group-1); "
		"create it, or name another\n"
		"%s/m.conf:3: ca: \"none.pem\" cannot be used: \"%s/none.pem\": open: No such file "
		"or "
		"directory\n"
		"%s/m.conf:8: service x: cert: \"c.pem\" cannot be used: \"%s/c.pem\": open: No "
		"such file or "
		"directory\n"
		"%s/m.conf:9: service x: socket-owner: \"no-such-user-2\" names no user of this "
		"system "
		"(no-such-user-2); create it, or name another\n"
		"%s/m.conf:10: service x: socket-group: \"no-such-group-2\" names no group of this "
		"system "
		"(no-such-group-2); create it, or name another\n"
		"%s/m.conf:16: service y: socket-users: \"0,no-such-user-3\" names no user of this "
		"system "
		"(no-such-user-3); create it, or name another\n");
	files_release(&files);
	config_unref(config);
}

static void
a_number_is_an_account_only_where_it_can_be_taken(void **state)
{
	struct room *room = *state;
	struct files files = {0};

	put("m.conf",
		"user = 77777\n[x]\nmode = encrypt\naccept = unix:/x\nconnect = h:1\n"
		"cert = none\nca = a.pem\nsocket-owner = 77777\nsocket-group = 4294967295\n",
		0600);
	put("a.pem", "ca", 0644);

	struct config *config = load(room);

	assert_int_equal(config_read_files(config, &files, room->out), -1);
	assert_errors(room,
		"%s/m.conf:1: user: \"77777\" is a number without an account, so it has no group; "
		"write group too\n"
		"%s/m.conf:9: service x: socket-group: \"4294967295\" names no group of this "
		"system "
		"(4294967295); create it, or name another\n");
	files_release(&files);
	config_unref(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			included_files_are_sorted_and_end_in_conf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_included_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_main_file_that_is_missing_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_named_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_trust_of_the_system_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_identity_that_is_bad_is_told_wherever_it_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_second_of_two_files_is_blamed_by_its_own_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			secrets_are_judged_like_keys_wherever_they_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_private_key_has_no_place_in_a_file_for_serve, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_is_judged_wherever_else_it_was_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_number_is_an_account_only_where_it_can_be_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			all_that_cannot_be_read_is_told_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
