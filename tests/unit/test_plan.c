/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/files.h"
#include "common/log.h"
#include "common/message.h"
#include "common/sealed.h"
#include "tests/unit/identities.h"
#include "tunnel/draft.h"
#include "tunnel/origin.h"
#include "tunnel/plan.h"
#include "tunnel/protocol.h"

#define SERVICE(name, port)                                                             \
	"[" name "]\nmode = encrypt\nconnect = 127.0.0.1:9\ncert = none\nverify = no\n" \
	"accept = 127.0.0.1:" port "\n"

/* A double of socket_listen(): it binds nothing, and can fail. */
static struct {
	int calls;
	int fail_at; /* the call that fails; 0: none */
	int latest;
} fake;

static int
fake_listen(const struct address *address, const struct socket_options *options, struct diag *diag)
{
	(void)address;
	(void)options;
	if (++fake.calls == fake.fail_at)
		return diag_set(diag, "in use");
	fake.latest = dup(STDERR_FILENO);
	return fake.latest;
}

static int
setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	return 0;
}

static bool
is_open(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0;
}

/* Plan what @text says for @workers, after @present. */
static int
make(struct plan *plan, const struct plan *present, const char *text, unsigned workers,
	struct diag *diag)
{
	char path[] = "/tmp/test_plan.XXXXXX";
	const struct origin origin = {.path = path};
	struct draft draft = {0};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	assert_int_equal(draft_read(&draft, &origin, stderr), 0);
	(void)unlink(path);
	*plan = (struct plan){.bindings.listen = fake_listen};
	int ret = plan_make(plan, present, &draft, workers, diag);
	draft_release(&draft);
	return ret;
}

/* Receive the sockets, which come in @messages messages, and the generation. */
static size_t
receive(int channel, size_t messages, struct generation *generation)
{
	static struct message message;
	struct diag diag;
	uint8_t *bytes;
	size_t size, sockets = 0;

	for (size_t i = 0; i < messages; i++) {
		assert_int_equal(message_receive(channel, &message, &diag), MESSAGE_DONE);
		assert_int_equal(message.type, PROTOCOL_SOCKETS);
		sockets += message.fd_count;
		message_release(&message);
	}
	assert_int_equal(message_receive(channel, &message, &diag), MESSAGE_DONE);
	assert_int_equal(message.type, PROTOCOL_GENERATION);
	assert_int_equal(message.fd_count, 1);
	assert_int_equal(sealed_read(message.fds[0], GENERATION_LIMIT, &bytes, &size, &diag), 0);
	message_release(&message);
	assert_int_equal(generation_decode(generation, bytes, size, &diag), 0);
	sealed_free(bytes, size);
	return sockets;
}

static void
all_sockets_and_the_generation_are_sent_as_often_as_wanted(void **state)
{
	struct plan plan, none = {0};
	struct diag diag;
	int channel[2];

	(void)state;
	assert_int_equal(make(&plan, &none, SERVICE("a", "1") SERVICE("b", "2"), 64, &diag), 0);
	assert_int_equal(message_pair(channel, &diag), 0);
	for (int i = 0; i < 2; i++) {
		struct generation generation = {0};

		assert_int_equal(plan_send(&plan, channel[0], &diag), 0);
		assert_int_equal(receive(channel[1], 2, &generation), 128);
		assert_int_equal(generation.workers, 64);
		assert_int_equal(generation_sockets(&generation), 128);
		assert_int_equal(generation.texts.count, 1);
		generation_release(&generation);
	}
	(void)close(channel[1]);
	assert_int_equal(plan_send(&plan, channel[0], &diag), -1);
	assert_string_equal(diag.text, "the other process is gone");
	(void)close(channel[0]);
	plan_release(&plan);
}

/* The secret of tickets that @plan sends. */
static void
read_master(const struct plan *plan, uint8_t master[TICKET_KEY_SIZE])
{
	struct generation generation = {0};
	struct diag diag;
	int channel[2];

	assert_int_equal(message_pair(channel, &diag), 0);
	assert_int_equal(plan_send(plan, channel[0], &diag), 0);
	(void)receive(channel[1], 1, &generation);
	const struct file *file = files_find(&generation.files, TICKET_MASTER_FILE);
	assert_non_null(file);
	assert_int_equal(file->size, TICKET_KEY_SIZE);
	memcpy(master, file->data, TICKET_KEY_SIZE);
	generation_release(&generation);
	(void)close(channel[0]);
	(void)close(channel[1]);
}

static void
reloads_keep_the_secret_of_tickets_and_starts_do_not(void **state)
{
	uint8_t first[TICKET_KEY_SIZE], second[TICKET_KEY_SIZE], other[TICKET_KEY_SIZE];
	struct plan plan, next, none = {0};
	struct diag diag;

	(void)state;
	assert_int_equal(make(&plan, &none, SERVICE("a", "1"), 1, &diag), 0);
	read_master(&plan, first);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(make(&next, &plan, SERVICE("b", "2"), 1, &diag), 0);
		plan_replace(&plan, &next);
		read_master(&plan, second);
		assert_memory_equal(first, second, sizeof(first));
	}
	assert_int_equal(make(&next, &none, SERVICE("a", "1"), 1, &diag), 0);
	read_master(&next, other);
	assert_memory_not_equal(first, other, sizeof(first));
	plan_release(&next);
	plan_release(&plan);
}

static void
few_sockets_go_in_one_message(void **state)
{
	struct plan plan, none = {0};
	struct generation generation = {0};
	struct diag diag;
	int channel[2];

	(void)state;
	assert_int_equal(make(&plan, &none, SERVICE("a", "1"), 3, &diag), 0);
	assert_int_equal(message_pair(channel, &diag), 0);
	assert_int_equal(plan_send(&plan, channel[0], &diag), 0);
	assert_int_equal(receive(channel[1], 1, &generation), 3);
	generation_release(&generation);
	(void)close(channel[0]);
	(void)close(channel[1]);
	plan_release(&plan);
}

static void
an_address_that_cannot_be_had_is_blamed_and_nothing_stays_bound(void **state)
{
	struct plan plan, none = {0};
	struct diag diag;

	(void)state;
	fake.fail_at = 2;
	assert_int_equal(make(&plan, &none, SERVICE("a", "1") SERVICE("b", "2"), 1, &diag), -1);
	assert_non_null(strstr(diag.text, ":12: service b: accept: "));
	assert_non_null(strstr(diag.text, "in use"));
	assert_false(is_open(fake.latest));
	assert_null(plan.config);
	assert_int_equal(plan.bindings.count, 0);
}

static void
a_plan_that_replaces_another_keeps_what_they_share(void **state)
{
	struct plan present, next, none = {0};
	struct diag diag;

	(void)state;
	assert_int_equal(make(&present, &none, SERVICE("a", "1") SERVICE("b", "2"), 1, &diag), 0);
	int kept = present.bindings.entries[0].fds[0], gone = present.bindings.entries[1].fds[0];
	int former = present.sealed;

	assert_int_equal(make(&next, &present, SERVICE("a", "1"), 1, &diag), 0);
	assert_int_equal(fake.calls, 2);
	int sealed = next.sealed;

	plan_replace(&present, &next);
	assert_int_equal(present.bindings.count, 1);
	assert_int_equal(present.bindings.entries[0].fds[0], kept);
	assert_int_equal(present.sealed, sealed);
	assert_true(is_open(kept) && is_open(sealed));
	assert_false(is_open(gone) || is_open(former));
	assert_null(next.config);
	plan_release(&present);
	assert_false(is_open(kept) || is_open(sealed));
}

static void
a_cancelled_plan_leaves_the_present_one(void **state)
{
	struct plan present, next, none = {0};
	struct diag diag;

	(void)state;
	assert_int_equal(make(&present, &none, SERVICE("a", "1"), 1, &diag), 0);
	assert_int_equal(make(&next, &present, SERVICE("a", "1") SERVICE("b", "2"), 1, &diag), 0);
	int sealed = next.sealed;

	plan_cancel(&next);
	assert_false(is_open(fake.latest) || is_open(sealed));
	assert_true(is_open(present.bindings.entries[0].fds[0]) && is_open(present.sealed));
	plan_release(&present);
}

static void
only_new_listeners_are_logged(void **state)
{
	struct plan present, next, none = {0};
	char words[1024] = "";
	struct diag diag;
	int pipe_fds[2];

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	log_configure(&(struct log_settings){.level = LOG_LEVEL_NOTICE, .fd = pipe_fds[1]});
	assert_int_equal(make(&present, &none, SERVICE("a", "1"), 1, &diag), 0);
	assert_int_equal(make(&next, &present, SERVICE("a", "1") SERVICE("b", "2"), 1, &diag), 0);
	plan_log_listeners(&next);
	log_configure(&(struct log_settings){.level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO});
	(void)close(pipe_fds[1]);
	assert_true(read(pipe_fds[0], words, sizeof(words) - 1) > 0);
	(void)close(pipe_fds[0]);
	assert_non_null(strstr(words, "127.0.0.1:2"));
	assert_null(strstr(words, "127.0.0.1:1 "));
	assert_null(strstr(words, "service=a"));
	plan_cancel(&next);
	plan_release(&present);
}

/* Write a certificate with its key to the file @path, which is made of a pattern. */
static void
write_identity(char *path)
{
	struct pki_pair pair;
	gnutls_datum_t key, crt;
	struct diag diag;

	identities_make_authority(&pair, "self");
	assert_int_equal(pki_pair_export(&pair, &key, &crt, &diag), 0);
	pki_pair_release(&pair);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, crt.data, crt.size), (ssize_t)crt.size);
	assert_int_equal(write(fd, key.data, key.size), (ssize_t)key.size);
	(void)close(fd);
	gnutls_free(crt.data);
	gnutls_free(key.data);
}

static void
services_that_share_an_address_share_its_sockets(void **state)
{
	char path[] = "/tmp/test_plan_identity.XXXXXX", text[2048];
	struct generation generation = {0};
	struct plan plan, none = {0};
	struct diag diag;
	int channel[2];

	(void)state;
	write_identity(path);
	int length = snprintf(text, sizeof(text),
		"cert = %s\nverify = no\n"
		"[a]\nmode = offload\nconnect = 127.0.0.1:9\nsni = a.test\naccept = 127.0.0.1:1\n"
		"[b]\nmode = offload\nconnect = 127.0.0.1:9\nsni = b.test\n"
		"accept = 127.0.0.1:2\naccept = 127.0.0.1:1\n"
		"[c]\nmode = offload\nconnect = 127.0.0.1:9\nsni = default\naccept = 127.0.0.1:2\n",
		path);
	assert_in_range(length, 1, sizeof(text) - 1);
	assert_int_equal(make(&plan, &none, text, 3, &diag), 0);
	(void)unlink(path);
	assert_int_equal(plan.bindings.count, 2);
	assert_int_equal(fake.calls, 6);
	assert_int_equal(message_pair(channel, &diag), 0);
	assert_int_equal(plan_send(&plan, channel[0], &diag), 0);
	assert_int_equal(receive(channel[1], 1, &generation), 6);
	static const uint32_t sockets[] = {3, 3, 0, 0};
	assert_int_equal(generation.listener_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(generation.listeners[i].sockets, sockets[i]);
	generation_release(&generation);
	(void)close(channel[0]);
	(void)close(channel[1]);
	plan_release(&plan);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_sockets_and_the_generation_are_sent_as_often_as_wanted),
		TEST(reloads_keep_the_secret_of_tickets_and_starts_do_not),
		TEST(few_sockets_go_in_one_message),
		TEST(an_address_that_cannot_be_had_is_blamed_and_nothing_stays_bound),
		TEST(a_plan_that_replaces_another_keeps_what_they_share),
		TEST(a_cancelled_plan_leaves_the_present_one),
		TEST(only_new_listeners_are_logged),
		TEST(services_that_share_an_address_share_its_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
