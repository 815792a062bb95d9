/* SPDX-License-Identifier: MIT */
/* Who keeps what is seen at a channel of the signer: it is closed when nobody keeps the signer. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/unit/identities.h"
#include "tunnel/credentials.h"
#include "tunnel/service.h"
#include "tunnel/signer.h"

enum { SERVICES_MAX = 3, THREADS = 4, ROUNDS = 200000 };

struct fixture {
	struct files files;
	struct service *services[SERVICES_MAX];
	int channel; /* our end of the signer's only one */
	char *errors;
};

static struct pki_pair authority;
static struct fixture fixture;

static const char two_modes[] =
	"key-process = yes\ncert = away.crt\nkey = away.key\nca = ca.crt\n"
	"[out]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n"
	"[in]\nmode = offload\naccept = 127.0.0.1:2\nconnect = 127.0.0.1:1\n";

static int
setup_group(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	pki_pair_release(&authority);
	return 0;
}

/* With the certificate away.crt, the key of which is not there. */
static int
setup(void **state)
{
	(void)state;
	fixture = (struct fixture){.channel = -1};
	identities_add(&fixture.files, "ca", &authority);
	identities_add_leaf(&fixture.files, "away", &authority, "localhost");
	files_remove(&fixture.files, "key:/test/away.key");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < SERVICES_MAX; i++)
		service_unref(fixture.services[i]);
	files_release(&fixture.files);
	free(fixture.errors);
	if (fixture.channel >= 0)
		(void)close(fixture.channel);
	return 0;
}

/* A signer, which the caller drops, with a channel to the test. */
static struct signer *
connected_signer(void)
{
	struct signer *signer = signer_new();
	int pair[2];

	assert_non_null(signer);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	fixture.channel = pair[0];
	signer_connect(signer, &pair[1], 1);
	return signer;
}

/* Make the services of @text; nothing but they keeps their configuration and signer afterwards. */
static int
load(const char *text)
{
	struct service *services[SERVICES_MAX];
	struct signer *signer = connected_signer();
	struct config *config = identities_config(text);
	size_t size, count = config->service_count;

	assert_true(count <= SERVICES_MAX);
	FILE *errors = open_memstream(&fixture.errors, &size);
	assert_non_null(errors);
	int result = services_new(config, &fixture.files, signer, services, errors);
	(void)fclose(errors);
	for (size_t i = 0; i < count && result == 0; i++) {
		fixture.services[i] = services[i];
		assert_ptr_equal(services[i]->config, &config->services[i]);
	}
	config_unref(config);
	signer_unref(signer);
	return result;
}

static bool
signer_is_kept(void)
{
	char byte;
	ssize_t got = recv(fixture.channel, &byte, 1, 0);

	assert_true(got == 0 || (got < 0 && errno == EAGAIN));
	return got < 0;
}

static void
each_section_is_a_service_in_its_order(void **state)
{
	(void)state;
	assert_int_equal(load(two_modes), 0);
	assert_string_equal(fixture.errors, "");
	assert_string_equal(fixture.services[0]->config->name, "out");
	assert_string_equal(fixture.services[1]->config->name, "in");
	assert_ptr_not_equal(fixture.services[0], fixture.services[1]);
}

static void
a_plaintext_side_has_no_credentials(void **state)
{
	(void)state;
	assert_int_equal(load(two_modes), 0);
	assert_null(fixture.services[0]->credentials[SIDE_ACCEPT]);
	assert_non_null(fixture.services[0]->credentials[SIDE_CONNECT]);
	assert_non_null(fixture.services[1]->credentials[SIDE_ACCEPT]);
	assert_null(fixture.services[1]->credentials[SIDE_CONNECT]);
}

static void
a_new_service_has_counted_nothing(void **state)
{
	(void)state;
	assert_int_equal(load(two_modes), 0);
	for (size_t i = 0; i < 2; i++) {
		struct service_counters *counters = &fixture.services[i]->counters;

		assert_int_equal(counters->accepted, 0);
		assert_int_equal(counters->probes, 0);
		assert_int_equal(counters->refused, 0);
		assert_int_equal(counters->failed, 0);
		assert_int_equal(counters->ended, 0);
	}
}

static void
services_share_their_trust_anchors(void **state)
{
	(void)state;
	assert_int_equal(load(two_modes), 0);
	struct trust *trust = fixture.services[0]->credentials[SIDE_CONNECT]->trust;
	assert_non_null(trust);
	assert_ptr_equal(trust, fixture.services[1]->credentials[SIDE_ACCEPT]->trust);
}

static void
the_last_who_counted_a_service_ends_it(void **state)
{
	(void)state;
	assert_int_equal(load(two_modes), 0);
	service_unref(fixture.services[1]);
	fixture.services[1] = NULL;
	struct service *service = fixture.services[0];
	assert_ptr_equal(service_ref(service), service);
	assert_true(signer_is_kept());
	service_unref(service);
	assert_true(signer_is_kept());
	assert_string_equal(service->config->name, "out");
	service_unref(service);
	fixture.services[0] = NULL;
	assert_false(signer_is_kept());
	service_unref(NULL);
}

static void
after_an_error_each_is_told_and_nothing_is_kept(void **state)
{
	(void)state;
	assert_int_equal(
		load("key-process = yes\ncert = away.crt\nkey = away.key\nca = ca.crt\n"
		     "[good]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n"
		     "[one]\nmode = encrypt\naccept = 127.0.0.1:2\nconnect = localhost:1\n"
		     "ca = gone.crt\n"
		     "[both]\nmode = bridge\naccept = 127.0.0.1:3\nconnect = localhost:1\n"
		     "ca = lost.crt\n"),
		-1);
	assert_string_equal(fixture.errors,
		"/test/sallyport.conf:13: service one: ca: \"gone.crt\": the file was not read\n"
		"/test/sallyport.conf:18: service both: ca: \"lost.crt\": the file was not read\n"
		"/test/sallyport.conf:18: service both: ca: \"lost.crt\": the file was not read\n");
	assert_false(signer_is_kept());
}

static void
without_a_signer_a_key_that_is_elsewhere_is_no_error(void **state)
{
	(void)state;
	identities_services(two_modes, &fixture.files, fixture.services);
	assert_true(fixture.services[0]->credentials[SIDE_CONNECT]->slow);
}

static pthread_barrier_t start;

static void *
count(void *user)
{
	struct service *service = user;

	(void)pthread_barrier_wait(&start);
	for (int i = 0; i < ROUNDS; i++)
		service_unref(service_ref(service));
	return NULL;
}

static void
threads_count_together(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
	assert_int_equal(load(two_modes), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, fixture.services[0]), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(fixture.services[0]->references, 1);
	(void)pthread_barrier_destroy(&start);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_section_is_a_service_in_its_order),
		TEST(a_plaintext_side_has_no_credentials),
		TEST(a_new_service_has_counted_nothing),
		TEST(services_share_their_trust_anchors),
		TEST(the_last_who_counted_a_service_ends_it),
		TEST(after_an_error_each_is_told_and_nothing_is_kept),
		TEST(without_a_signer_a_key_that_is_elsewhere_is_no_error),
		TEST(threads_count_together),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
