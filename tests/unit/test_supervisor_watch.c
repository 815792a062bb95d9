/* SPDX-License-Identifier: MIT */
/* What a supervisor that runs does by itself: files that change, and dates that come. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/sealed.h"
#include "tests/unit/samples.h"
#include "tests/unit/stage.h"
#include "tunnel/generation.h"
#include "tunnel/pki_pair.h"
#include "tunnel/protocol.h"

#define BY_ITSELF "reload-on-change = yes\nlog-level = debug\n"
#define NOTICED	  "reloading, since files have changed"

enum { DATE_SIZE = 8 };

static const time_t DAY = 24L * 60 * 60;

static const char *const made[] = {"a.crt", "a.key", "a.ocsp", "b.ocsp"};

static int
teardown(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		(void)unlink(scratch_path(made[i]));
	return stage_teardown(state);
}

static void
put(const char *name, const char *text, size_t size)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(close(fd), 0);
}

static void
put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

/* Nothing is said for longer than writing needs to settle. */
static void
expect_silence(void)
{
	(void)poll(NULL, 0, 1500);
	assert_true(stage_is_silent());
}

static void
a_file_that_changed_is_loaded_by_itself(void **state)
{
	(void)state;
	(void)stage_get_ready(BY_ITSELF);
	stage_configure(BY_ITSELF, "back");
	stage_expect_words(NOTICED);
	(void)stage_hear_generation("/back\n");
	assert_true(stage_is_open("front"));
	stage_accept_reload();
	stage_expect_words("reloaded");
	assert_true(stage_is_open("back"));
	expect_silence(); /* the sockets were made where the configuration is */
	stage_end_well();
}

static void
nothing_is_loaded_by_itself_unless_that_is_wanted(void **state)
{
	(void)state;
	(void)stage_get_ready("");
	stage_configure("", "back");
	expect_silence();
	stage_configure(BY_ITSELF, "front");
	stage_signal(SIGHUP);
	(void)stage_hear_generation(BY_ITSELF);
	stage_accept_reload();
	stage_configure("", "front");
	(void)stage_hear_generation("/front\n");
	stage_accept_reload();
	stage_expect_words("reloaded");
	stage_configure("", "back");
	expect_silence();
	stage_end_well();
}

static void
what_is_the_same_is_not_loaded_again(void **state)
{
	(void)state;
	(void)stage_get_ready(BY_ITSELF);
	stage_configure(BY_ITSELF, "front");
	stage_expect_words("files were written, but nothing in them has changed");
	assert_true(stage_is_silent());
	assert_null(strstr(stage.heard, NOTICED));
	assert_true(stage_is_open("front"));
	stage_end_well();
}

static void
a_bad_set_keeps_the_old_one_and_its_repair_is_noticed(void **state)
{
	(void)state;
	(void)stage_get_ready(BY_ITSELF);
	stage_configure(BY_ITSELF "log-format = prose\n", "back");
	stage_expect_words(NOTICED);
	stage_expect_words("conf:4: log-format: ");
	stage_expect_words("reload failed: everything stays as it was");
	assert_true(stage_is_silent());
	assert_true(stage_is_open("front"));
	stage_configure(BY_ITSELF, "back");
	(void)stage_hear_generation("/back\n");
	stage_tell_number(PROTOCOL_REFUSED, 0, "not this");
	stage_expect_words("not this");
	stage_expect_words("reload failed: everything stays as it was");
	assert_true(stage_is_open("front"));
	stage_configure(BY_ITSELF, "front");
	stage_expect_words("nothing in them has changed");
	stage_configure(BY_ITSELF, "back");
	(void)stage_hear_generation("/back\n");
	stage_end_well();
}

static void
a_change_waits_for_the_answer_that_serve_owes(void **state)
{
	(void)state;
	(void)stage_begin(BY_ITSELF);
	stage_configure(BY_ITSELF, "back");
	expect_silence();
	stage_accept();
	(void)stage_hear_generation("/back\n");
	stage_end_well();
}

/* Two services of one socket and one certificate, good for @lifetime seconds, with a response each. */
static void
configure_staples(time_t lifetime, const char *program)
{
	const struct pki_pair_plan plan = {
		.common_name = "a", .from = time(NULL) - DAY, .until = time(NULL) + lifetime};
	struct pki_pair pair;
	gnutls_datum_t key, crt;
	char text[1024];
	struct diag diag;

	assert_int_equal(pki_pair_make_authority(&pair, &plan, &diag), 0);
	assert_int_equal(pki_pair_export(&pair, &key, &crt, &diag), 0);
	put("a.crt", (const char *)crt.data, crt.size);
	put("a.key", (const char *)key.data, key.size);
	gnutls_free(crt.data);
	gnutls_free(key.data);
	pki_pair_release(&pair);
	(void)snprintf(text, sizeof(text),
		"workers = 1\nkey-process = no\n%sverify = no\ncert = a.crt\nkey = a.key\n"
		"[o]\nmode = offload\naccept = unix:%s/front\nconnect = 127.0.0.1:9\n"
		"sni = default\nocsp-response = a.ocsp\n"
		"[p]\nmode = offload\naccept = unix:%s/front\nconnect = 127.0.0.1:9\n"
		"sni = p.example\nocsp-response = b.ocsp\n",
		program, scratch.directory, scratch.directory);
	put_text("conf", text);
}

/* The generation that came last has @words at @name. */
static void
expect_contents(const char *name, const char *words)
{
	struct generation generation = {0};
	struct diag diag;
	uint8_t *bytes;
	size_t size;

	assert_int_equal(
		sealed_read(stage.message.fds[0], GENERATION_LIMIT, &bytes, &size, &diag), 0);
	assert_int_equal(generation_decode(&generation, bytes, size, &diag), 0);
	sealed_free(bytes, size);
	const struct file *file = files_find(&generation.files, scratch_path(name));
	assert_non_null(file);
	assert_string_equal((const char *)file->data, words);
	generation_release(&generation);
}

static void
get_ready_with_staples(const char *program)
{
	put_text("a.ocsp", "old");
	put_text("b.ocsp", "old");
	configure_staples(90 * DAY, program);
	stage_start();
	(void)stage_hear_start("/front\n");
	expect_contents("a.ocsp", "old");
	stage_accept();
	stage_expect_words("ready");
}

static void
a_new_ocsp_response_is_taken_up_alone(void **state)
{
	(void)state;
	get_ready_with_staples("");
	configure_staples(80 * DAY, "log-level = debug\n");
	put_text("a.ocsp", "new");
	(void)stage_hear_generation("key-process = no\nverify");
	expect_contents("a.ocsp", "new");
	stage_accept();
	stage_expect_words("a.ocsp\": renewed");
	assert_true(stage_is_open("front"));
	assert_int_equal(kill(stage.serve, SIGKILL), 0);
	(void)stage_hear_start("/front\n");
	expect_contents("a.ocsp", "new");
	stage_end_well();
}

static void
an_ocsp_response_is_renewed_when_all_of_serve_runs_it(void **state)
{
	(void)state;
	get_ready_with_staples("");
	stage_tell(PUPPET_HOLD);
	put_text("a.ocsp", "new");
	(void)stage_hear_generation("/front\n");
	stage_accept();
	put_text("b.ocsp", "new");
	expect_silence();
	stage_expect_nothing_of("renewed");
	stage_tell(PROTOCOL_COMMITTED);
	stage_expect_words("a.ocsp\": renewed");
	(void)stage_hear_generation("/front\n");
	expect_contents("b.ocsp", "new");
	stage_end_well();
}

static void
a_serve_that_dies_before_all_of_it_runs_a_new_ocsp_response_comes_back_with_it(void **state)
{
	(void)state;
	get_ready_with_staples("");
	stage_tell(PUPPET_HOLD);
	put_text("a.ocsp", "new");
	(void)stage_hear_generation("/front\n");
	stage_accept();
	stage_tell_number(PUPPET_EXIT, 3, "");
	(void)stage_hear_start("/front\n");
	expect_contents("a.ocsp", "new");
	stage_accept();
	stage_expect_words("ready");
	/* What follows is a reload of its own. */
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/front\n");
	stage_accept_reload();
	stage_expect_words("reloaded");
	assert_null(strstr(stage.heard, "renewed"));
	stage_end_well();
}

static void
a_serve_that_dies_before_all_of_it_runs_takes_no_warning_with_it(void **state)
{
	(void)state;
	get_ready_with_staples("");
	stage_tell(PUPPET_HOLD);
	configure_staples(6 * DAY, "");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/front\n");
	stage_accept_reload();
	stage_tell_number(PUPPET_EXIT, 3, "");
	stage_expect_words("CN=a expires in ");
	(void)stage_hear_start("/front\n");
	stage_end_well();
}

static void
a_refused_ocsp_response_keeps_the_old_one(void **state)
{
	(void)state;
	get_ready_with_staples("");
	put_text("a.ocsp", "bad");
	(void)stage_hear_generation("/front\n");
	stage_tell_number(PROTOCOL_REFUSED, 0, "it is forged");
	stage_expect_words("it is forged");
	stage_expect_words("the OCSP responses stay as they were");
	put_text("a.ocsp", "bad");
	expect_silence();
	assert_int_equal(kill(stage.serve, SIGKILL), 0);
	(void)stage_hear_start("/front\n");
	expect_contents("a.ocsp", "old");
	stage_accept();
	put_text("a.ocsp", "good");
	(void)stage_hear_generation("/front\n");
	expect_contents("a.ocsp", "good");
	stage_end_well();
}

/* Write the sample response, of January 2026, @count times; the last is good until @until, as "20990101". */
static void
put_samples(const char *name, unsigned count, const char *until)
{
	gnutls_datum_t der = samples_get("ocsp_good");
	char bytes[4096];
	size_t size = 0;

	while (count-- > 0) {
		char *end = memmem(der.data, der.size, "20260108000000Z", 15);
		assert_non_null(end);
		if (count == 0)
			memcpy(end, until, DATE_SIZE);
		assert_true(size + der.size <= sizeof(bytes));
		memcpy(bytes + size, der.data, der.size);
		size += der.size;
	}
	put(name, bytes, size);
	gnutls_free(der.data);
}

static void
an_ocsp_response_of_another_time_is_not_even_offered(void **state)
{
	(void)state;
	get_ready_with_staples("");
	put_samples("a.ocsp", 1, "20260109");
	stage_expect_words("a.ocsp\": the OCSP response has expired; the one before stays");
	put_samples("a.ocsp", 1, "20260109");
	expect_silence();
	put_samples("b.ocsp", 1, "20990101");
	(void)stage_hear_generation("/front\n");
	expect_contents("a.ocsp", "old");
	stage_accept();
	stage_expect_words("b.ocsp\": renewed");
	assert_null(strstr(stage.heard, "a.ocsp\": renewed"));
	const char *once = strstr(stage.heard, "the one before stays");
	assert_non_null(once);
	assert_null(strstr(once + 1, "the one before stays"));
	stage_end_well();
}

static void
what_is_no_worse_than_the_one_before_is_offered_though_part_of_it_has_expired(void **state)
{
	(void)state;
	get_ready_with_staples("");
	put_samples("a.ocsp", 2, "20990101");
	(void)stage_hear_generation("/front\n");
	stage_accept();
	stage_expect_words("a.ocsp\": renewed");
	stage_expect_words(
		"a.ocsp\": OCSP response 1 has expired on 2026-01-08 00:00:00 UTC: it is ");
	stage_end_well();
}

static void
an_ocsp_response_that_is_gone_keeps_the_old_one(void **state)
{
	(void)state;
	get_ready_with_staples("");
	assert_int_equal(unlink(scratch_path("a.ocsp")), 0);
	stage_expect_words("a.ocsp\": open: No such file or directory; the one before stays");
	assert_true(stage_is_silent());
	put_text("a.ocsp", "new");
	(void)stage_hear_generation("/front\n");
	expect_contents("a.ocsp", "new");
	stage_end_well();
}

static void
a_bad_ocsp_response_does_not_hinder_another(void **state)
{
	(void)state;
	get_ready_with_staples("");
	put_text("a.ocsp", "bad");
	put_text("b.ocsp", "good");
	(void)stage_hear_generation("/front\n");
	expect_contents("a.ocsp", "bad");
	expect_contents("b.ocsp", "good");
	stage_tell_number(PROTOCOL_REFUSED, 0, "one of them is bad");
	(void)stage_hear_generation("/front\n");
	expect_contents("a.ocsp", "bad");
	expect_contents("b.ocsp", "old");
	stage_tell_number(PROTOCOL_REFUSED, 0, "this one");
	(void)stage_hear_generation("/front\n");
	expect_contents("a.ocsp", "old");
	expect_contents("b.ocsp", "good");
	stage_accept();
	stage_expect_words("this one");
	stage_expect_words("the OCSP responses stay as they were");
	stage_expect_words("b.ocsp\": renewed");
	assert_null(strstr(stage.heard, "one of them is bad"));
	assert_true(stage_is_silent());
	stage_end_well();
}

static void
after_a_reload_that_failed_by_itself_the_ocsp_response_is_taken_up(void **state)
{
	(void)state;
	get_ready_with_staples("reload-on-change = yes\n");
	put_text("a.crt", "bad");
	put_text("a.ocsp", "new");
	stage_expect_words("reload failed: everything stays as it was");
	(void)stage_hear_generation("/front\n");
	expect_contents("a.ocsp", "new");
	stage_accept();
	stage_end_well();
}

static void
what_a_bad_set_lacks_is_noticed_when_it_comes(void **state)
{
	(void)state;
	(void)stage_get_ready(BY_ITSELF);
	put_text("b.ocsp", "old");
	configure_staples(90 * DAY, BY_ITSELF);
	stage_expect_words("a.ocsp\": open: No such file or directory");
	stage_expect_words("reload failed: everything stays as it was");
	put_text("a.ocsp", "new");
	(void)stage_hear_generation("ocsp-response = a.ocsp");
	expect_contents("a.ocsp", "new");
	stage_end_well();
}

static void
a_certificate_that_ends_soon_is_told_at_the_start_and_once(void **state)
{
	(void)state;
	put_text("a.ocsp", "old");
	put_text("b.ocsp", "old");
	configure_staples(6 * DAY, "");
	stage_start();
	(void)stage_hear_start("/front\n");
	stage_expect_words("service o: cert: ");
	stage_expect_words("a.crt\": the certificate of CN=a expires in ");
	stage_accept();
	stage_expect_words("ready");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/front\n");
	stage_accept_reload();
	stage_expect_words("reloaded");
	configure_staples(DAY / 2, "");
	stage_signal(SIGHUP);
	(void)stage_hear_generation("/front\n");
	assert_null(strstr(stage.heard + stage.looked_at, "service o: cert: "));
	stage_accept_reload();
	stage_expect_words("CN=a expires in less than a day");
	stage_end_well();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_changed_is_loaded_by_itself),
		TEST(nothing_is_loaded_by_itself_unless_that_is_wanted),
		TEST(what_is_the_same_is_not_loaded_again),
		TEST(a_bad_set_keeps_the_old_one_and_its_repair_is_noticed),
		TEST(a_change_waits_for_the_answer_that_serve_owes),
		TEST(a_new_ocsp_response_is_taken_up_alone),
		TEST(an_ocsp_response_is_renewed_when_all_of_serve_runs_it),
		TEST(a_serve_that_dies_before_all_of_it_runs_a_new_ocsp_response_comes_back_with_it),
		TEST(a_serve_that_dies_before_all_of_it_runs_takes_no_warning_with_it),
		TEST(a_refused_ocsp_response_keeps_the_old_one),
		TEST(an_ocsp_response_of_another_time_is_not_even_offered),
		TEST(what_is_no_worse_than_the_one_before_is_offered_though_part_of_it_has_expired),
		TEST(an_ocsp_response_that_is_gone_keeps_the_old_one),
		TEST(a_bad_ocsp_response_does_not_hinder_another),
		TEST(after_a_reload_that_failed_by_itself_the_ocsp_response_is_taken_up),
		TEST(what_a_bad_set_lacks_is_noticed_when_it_comes),
		TEST(a_certificate_that_ends_soon_is_told_at_the_start_and_once),
	};

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return stage_serve();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
