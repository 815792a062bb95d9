/* SPDX-License-Identifier: MIT */
/* The supervisor with a real key process, and the test in the place of serve. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/stage.h"
#include "tunnel/child.h"
#include "tunnel/generation.h"
#include "tunnel/keys.h"
#include "tunnel/loan.h"
#include "tunnel/pki_pair.h"
#include "tunnel/protocol.h"
#include "tunnel/signer.h"
#include "tunnel/spki.h"

static char key_path[SCRATCH_PATH], crt_path[SCRATCH_PATH];

static int
setup(void **state)
{
	const struct pki_pair_plan plan = {
		.common_name = "a", .from = time(NULL), .until = time(NULL) + 3600};
	gnutls_datum_t key, crt;
	struct pki_pair pair;
	struct diag diag;

	if (stage_setup(state) < 0)
		return -1;
	scratch_place(key_path, "key");
	scratch_place(crt_path, "crt");
	assert_int_equal(pki_pair_make_authority(&pair, &plan, &diag), 0);
	assert_int_equal(pki_pair_export(&pair, &key, &crt, &diag), 0);
	assert_int_equal(files_create(key_path, 0600, key.data, key.size, &diag), 0);
	assert_int_equal(files_create(crt_path, 0644, crt.data, crt.size, &diag), 0);
	gnutls_free(key.data);
	gnutls_free(crt.data);
	pki_pair_release(&pair);
	return 0;
}

static int
teardown(void **state)
{
	(void)unlink(key_path);
	(void)unlink(crt_path);
	return stage_teardown(state);
}

/* One service that shows the certificate, whose key lives where @process says. */
static void
configure(const char *process)
{
	FILE *file = fopen(stage.config, "w");

	assert_non_null(file);
	assert_true(fprintf(file,
			    "workers = 1\nkey-process = %s\nhandshake-timeout = 1s\n"
			    "[e]\nmode = encrypt\n"
			    "accept = unix:%s/front\nconnect = 127.0.0.1:9\ncert = %s\nkey = %s\n"
			    "verify = no\n",
			    process, scratch.directory, crt_path, key_path) > 0);
	assert_int_equal(fclose(file), 0);
}

/* Serve gets its ends of the channels. */
static void
hear_channels(void)
{
	(void)stage_hear(PROTOCOL_CHANNELS);
	assert_int_equal(stage.message.fd_count, loan_threads(1));
}

static void
start(void)
{
	stage_start();
	(void)stage_hear_start("[e]");
	hear_channels();
	stage_accept();
	stage_expect_words("ready");
}

/* The beginning of the file @name of process @pid, with a NUL behind it. Returns its size. */
static size_t
read_proc(const char *pid, const char *name, char *text, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, name);
	FILE *file = fopen(path, "r");
	size_t got = file ? fread(text, 1, size - 1, file) : 0;

	if (file)
		(void)fclose(file);
	text[got] = '\0';
	return got;
}

/* Is it the key process of the supervisor? */
static bool
is_keys(const char *pid)
{
	char stat[256], line[64];

	(void)read_proc(pid, "stat", stat, sizeof(stat));
	const char *state = strrchr(stat, ')'); /* "PID (NAME) STATE PARENT ..." */
	if (!state || strtol(state + strlen(") S "), NULL, 10) != stage.pid)
		return false;
	size_t size = read_proc(pid, "cmdline", line, sizeof(line));
	return size > strlen(line) + 1 && strcmp(line + strlen(line) + 1, "keys") == 0;
}

/* Its process, or 0. */
static pid_t
find_keys(void)
{
	DIR *directory = opendir("/proc");
	pid_t found = 0;

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		if (is_keys(entry->d_name))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	(void)closedir(directory);
	return found;
}

static void
serve_is_started_when_the_key_process_has_its_keys_and_gets_none(void **state)
{
	(void)state;
	configure("yes");
	start();
	assert_true(find_keys() > 0);
	stage_end_well();
	assert_int_equal(find_keys(), 0);
}

static void
without_lent_keys_there_is_no_key_process(void **state)
{
	(void)state;
	configure("no");
	stage_start();
	(void)stage_hear_start("[e]");
	stage_accept();
	assert_int_equal(find_keys(), 0);
	stage_end_well();
}

static void
a_key_process_that_died_is_started_again_and_serve_gets_new_channels(void **state)
{
	(void)state;
	configure("yes");
	start();
	for (int i = 0; i < 2; i++) {
		pid_t before = find_keys();
		assert_int_equal(kill(before, SIGKILL), 0);
		stage_expect_words("the key process was killed by signal 9");
		stage_expect_words("it is started again in");
		hear_channels();
		assert_true(find_keys() > 0 && find_keys() != before);
	}
	stage_end_well();
}

static void
a_serve_that_died_gets_channels_to_the_same_key_process(void **state)
{
	(void)state;
	configure("yes");
	start();
	pid_t before = find_keys();
	stage_tell_number(PUPPET_EXIT, 3, "");
	(void)stage_hear_start("[e]");
	hear_channels();
	stage_accept();
	assert_int_equal(find_keys(), before);
	stage_end_well();
}

/* A reload brings the first key that is lent. */
static void
bring_keys(void)
{
	configure("yes");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("key-process = yes");
	stage_tell(PROTOCOL_ACCEPTED);
	(void)stage_hear(PROTOCOL_LOG);
	hear_channels();
	(void)stage_hear(PROTOCOL_COMMIT);
}

static void
a_reload_may_bring_the_first_keys(void **state)
{
	(void)state;
	configure("no");
	stage_start();
	(void)stage_hear_start("[e]");
	stage_accept();
	stage_expect_words("ready");
	bring_keys();
	stage_expect_words("reloaded");
	stage_end_well();
}

static void
a_generation_that_serve_refuses_leaves_the_keys_as_they_were(void **state)
{
	(void)state;
	configure("yes");
	start();
	pid_t before = find_keys();
	stage_signal(SIGHUP);
	(void)stage_hear_generation("[e]");
	stage_tell_number(PROTOCOL_REFUSED, 0, "not this one\n");
	stage_expect_words("reload failed");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("[e]");
	stage_accept_reload();
	stage_expect_words("reloaded");
	assert_int_equal(find_keys(), before);
	stage_end_well();
}

static void
channels_that_serve_lost_come_again(void **state)
{
	(void)state;
	configure("yes");
	start();
	stage_tell(PROTOCOL_LOST);
	hear_channels();
	assert_true(stage_is_silent());
	stage_end_well();
}

/* Between the answers of both: the new one has the old keys at first, and what counts afterwards. */
static void
a_key_process_that_dies_while_serve_judges_gets_the_new_keys_at_the_commit(void **state)
{
	(void)state;
	configure("yes");
	start();
	stage_signal(SIGHUP);
	(void)stage_hear_generation("[e]");
	assert_int_equal(kill(find_keys(), SIGKILL), 0);
	stage_expect_words("it is started again in");
	hear_channels();
	stage_accept_reload();
	stage_expect_words("reloaded");
	/* It has accepted them, so it is connected once more. */
	hear_channels();
	stage_end_well();
}

/* Is the key in the file still lent? */
static bool
signs(struct signer *signer)
{
	unsigned char hash[32] = "a hash";
	const gnutls_datum_t data = {hash, sizeof(hash)};
	gnutls_datum_t signature = {NULL, 0};
	struct files files = {0};
	gnutls_privkey_t key;
	struct spki spki;
	struct diag diag;

	assert_int_equal(files_read(&files, crt_path, &diag), 0);
	gnutls_pubkey_t public = spki_of_file(&files.entries[0], &diag);
	assert_non_null(public);
	assert_int_equal(spki_describe(&spki, public, &diag), 0);
	assert_int_equal(signer_key(signer, &spki, &key, &diag), 0);
	int error = gnutls_privkey_sign_hash2(
		key, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 0, &data, &signature);
	gnutls_free(signature.data);
	gnutls_privkey_deinit(key);
	gnutls_pubkey_deinit(public);
	files_release(&files);
	return error == 0;
}

static void
keys_that_no_service_lends_any_more_are_forgotten(void **state)
{
	struct signer *signer = signer_new();

	(void)state;
	configure("yes");
	stage_start();
	(void)stage_hear_start("[e]");
	hear_channels();
	int fd = message_take(&stage.message, 0);
	assert_non_null(signer);
	signer_connect(signer, &fd, 1);
	stage_accept();
	configure("no");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("key-process = no");
	stage_accept_reload();
	assert_true(signs(signer));
	/* handshake-timeout and 5 s, for the handshakes that had begun with it */
	for (int i = 0; i < 100 && signs(signer); i++)
		(void)poll(NULL, 0, 100);
	assert_false(signs(signer));
	signer_unref(signer);
	/* It is there for the next that are lent. */
	bring_keys();
	stage_end_well();
}

static void
what_serve_says_while_the_key_process_is_asked_counts_for_nothing(void **state)
{
	(void)state;
	configure("yes");
	start();
	assert_int_equal(kill(find_keys(), SIGSTOP), 0);
	stage_signal(SIGHUP);
	stage_expect_words("reloading");
	stage_tell(PROTOCOL_ACCEPTED);
	assert_true(stage_is_silent());
	assert_int_equal(kill(find_keys(), SIGCONT), 0);
	(void)stage_hear_generation("[e]");
	stage_accept_reload();
	stage_expect_words("reloaded");
	stage_end_well();
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(serve_is_started_when_the_key_process_has_its_keys_and_gets_none),
		TEST(without_lent_keys_there_is_no_key_process),
		TEST(a_key_process_that_died_is_started_again_and_serve_gets_new_channels),
		TEST(a_serve_that_died_gets_channels_to_the_same_key_process),
		TEST(a_reload_may_bring_the_first_keys),
		TEST(a_generation_that_serve_refuses_leaves_the_keys_as_they_were),
		TEST(channels_that_serve_lost_come_again),
		TEST(a_key_process_that_dies_while_serve_judges_gets_the_new_keys_at_the_commit),
		TEST(keys_that_no_service_lends_any_more_are_forgotten),
		TEST(what_serve_says_while_the_key_process_is_asked_counts_for_nothing),
	};

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return stage_serve();
	if (argc == 2 && strcmp(argv[1], "keys") == 0)
		return keys_run(CHILD_CHANNEL) ? 0 : 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
