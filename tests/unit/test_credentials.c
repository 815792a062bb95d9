/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tests/unit/identities.h"
#include "tunnel/credentials.h"
#include "tunnel/service.h"
#include "tunnel/trust.h"

enum { SERVICES_MAX = 4 };

struct fixture {
	struct files files;
	struct service *services[SERVICES_MAX];
	char *errors; /* of the latest load(); freed by the next */
};

static struct pki_pair authority, leaf, other;
static struct fixture fixture;

static int
setup_group(void **state)
{
	(void)state;
	identities_make_authority(&authority, "authority");
	identities_make_leaf(&leaf, &authority, "localhost", -1, 1);
	identities_make_leaf(&other, &authority, "other.example.net", -1, 1);
	return 0;
}

static int
teardown_group(void **state)
{
	(void)state;
	pki_pair_release(&leaf);
	pki_pair_release(&other);
	pki_pair_release(&authority);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	fixture = (struct fixture){.errors = NULL};
	identities_add(&fixture.files, "ca", &authority);
	identities_add(&fixture.files, "leaf", &leaf);
	identities_add(&fixture.files, "other", &other);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	files_release(&fixture.files);
	for (size_t i = 0; i < SERVICES_MAX; i++)
		service_unref(fixture.services[i]);
	free(fixture.errors);
	return 0;
}

/* Make the services of @text. Returns what services_new() does; @errors has what it wrote. */
static int
load(const char *text)
{
	struct service *services[SERVICES_MAX];
	struct config *config = identities_config(text);
	size_t size, count = config->service_count;

	assert_true(count <= SERVICES_MAX);
	free(fixture.errors);
	FILE *errors = open_memstream(&fixture.errors, &size);
	assert_non_null(errors);
	int result = services_new(config, &fixture.files, NULL, services, errors);
	(void)fclose(errors);
	config_unref(config);
	for (size_t i = 0; i < count && result == 0; i++)
		fixture.services[i] = services[i];
	return result;
}

/* The text of a service that connects with TLS, and of which line 5 and those after it are @options. */
static int
load_client(const char *options)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"[s]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n%s", options);
	return load(text);
}

static void
refused(const char *options, const char *words)
{
	assert_int_equal(load_client(options), -1);
	assert_string_equal(fixture.errors, words);
}

static const char good[] = "cert = leaf.crt\nkey = leaf.key\nca = ca.crt\n";

static const char three_modes[] =
	"cert = leaf.crt\nkey = leaf.key\nca = ca.crt\n"
	"[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n"
	"[o]\nmode = offload\naccept = 127.0.0.1:2\nconnect = 127.0.0.1:1\n"
	"[b]\nmode = bridge\naccept = 127.0.0.1:3\nconnect = localhost:1\n";

static void
a_side_that_speaks_tls_has_credentials_and_no_other(void **state)
{
	static const bool has[][SIDES] = {{false, true}, {true, false}, {true, true}};

	(void)state;
	assert_int_equal(load(three_modes), 0);
	for (size_t i = 0; i < ARRAY_SIZE(has); i++) {
		for (enum side side = SIDE_ACCEPT; side < SIDES; side++)
			assert_int_equal(
				fixture.services[i]->credentials[side] != NULL, has[i][side]);
	}
}

static void
only_a_connecting_side_wants_the_name_of_its_peer(void **state)
{
	(void)state;
	assert_int_equal(load(three_modes), 0);
	struct credentials *const *sides = fixture.services[2]->credentials;
	assert_int_equal(sides[SIDE_ACCEPT]->side, SIDE_ACCEPT);
	assert_int_equal(sides[SIDE_CONNECT]->side, SIDE_CONNECT);
	assert_false(sides[SIDE_ACCEPT]->peer_name_wanted);
	assert_true(sides[SIDE_CONNECT]->peer_name_wanted);
}

static void
services_with_one_ca_share_it(void **state)
{
	(void)state;
	identities_add(&fixture.files, "second", &authority);
	assert_int_equal(load("cert = leaf.crt\nkey = leaf.key\nca = ca.crt\n"
			      "[a]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n"
			      "[b]\nmode = offload\naccept = 127.0.0.1:2\nconnect = 127.0.0.1:1\n"
			      "[c]\nmode = encrypt\naccept = 127.0.0.1:3\nconnect = localhost:1\n"
			      "ca = second.crt\n"
			      "[d]\nmode = encrypt\naccept = 127.0.0.1:4\nconnect = localhost:1\n"
			      "verify = no\npeer-name = none\n"),
		0);
	struct trust *trust = fixture.services[0]->credentials[SIDE_CONNECT]->trust;
	assert_non_null(trust);
	assert_ptr_equal(trust, fixture.services[1]->credentials[SIDE_ACCEPT]->trust);
	assert_ptr_not_equal(trust, fixture.services[2]->credentials[SIDE_CONNECT]->trust);
	assert_null(fixture.services[3]->credentials[SIDE_CONNECT]->trust);
	assert_false(fixture.services[3]->credentials[SIDE_CONNECT]->peer_name_wanted);
	assert_int_equal(trust->references, 2);
	service_unref(fixture.services[1]);
	fixture.services[1] = NULL;
	assert_int_equal(trust->references, 1);
}

static void
whoever_counted_credentials_keeps_them_and_their_configuration(void **state)
{
	(void)state;
	assert_int_equal(load_client(good), 0);
	struct service *service = service_ref(fixture.services[0]);
	struct credentials *credentials = credentials_ref(service->credentials[SIDE_CONNECT]);

	assert_int_equal(service->references, 2);
	assert_int_equal(credentials->references, 2);
	service_unref(service);
	assert_int_equal(service->references, 1);
	service_unref(service);
	fixture.services[0] = NULL;
	assert_int_equal(credentials->references, 1);
	assert_string_equal(credentials->config->identities[0].cert, "/test/leaf.crt");
	credentials_unref(credentials);
	credentials_unref(NULL);
	service_unref(NULL);
}

static void
a_certificate_that_is_none_is_blamed(void **state)
{
	(void)state;
	identities_add_text(&fixture.files, "empty.crt", "hello\n");
	refused("cert = empty.crt\nkey = leaf.key\nca = ca.crt\n",
		"/test/sallyport.conf:5: service s: cert: \"empty.crt\": No certificate was "
		"found; give the certificate and its intermediates as PEM or PKCS#12\n");
	refused("cert = gone.crt\nkey = leaf.key\nca = ca.crt\n",
		"/test/sallyport.conf:5: service s: cert: \"gone.crt\": the file was not read\n");
}

static void
a_key_that_is_none_is_blamed(void **state)
{
	struct diag diag;

	(void)state;
	assert_int_equal(files_add(&fixture.files, "key:/test/no.key", "hello\n", 6, &diag), 0);
	refused("cert = leaf.crt\nkey = no.key\nca = ca.crt\n",
		"/test/sallyport.conf:6: service s: key: \"no.key\": The requested data were not "
		"available; give the private key as PEM or PKCS#12\n");
	refused("cert = leaf.crt\nkey = gone.key\nca = ca.crt\n",
		"/test/sallyport.conf:6: service s: key: \"gone.key\": the file was not read\n");
}

static void
a_key_of_another_certificate_is_blamed(void **state)
{
	(void)state;
	refused("cert = leaf.crt\nkey = other.key\nca = ca.crt\n",
		"/test/sallyport.conf:6: service s: key: \"other.key\": it does not belong to the "
		"certificate \"/test/leaf.crt\"\n");
}

static void
a_ca_without_a_certificate_is_blamed(void **state)
{
	(void)state;
	identities_add_text(&fixture.files, "empty.crt", "hello\n");
	refused("cert = leaf.crt\nkey = leaf.key\nca = empty.crt\n",
		"/test/sallyport.conf:7: service s: ca: \"empty.crt\": No certificate was found; "
		"give a file of PEM certificates (BEGIN CERTIFICATE)\n");
	refused("cert = leaf.crt\nkey = leaf.key\nca = gone.crt\n",
		"/test/sallyport.conf:7: service s: ca: \"gone.crt\": the file was not read\n");
}

static void
a_bad_priority_is_told_with_its_position(void **state)
{
	(void)state;
	refused("cert = leaf.crt\nkey = leaf.key\nca = ca.crt\n"
		"priority = NORMAL:%PROFILE_MEDIUM:+NOTHING:-RSA\n",
		"/test/sallyport.conf:8: service s: priority: "
		"\"NORMAL:%PROFILE_MEDIUM:+NOTHING:-RSA\": GnuTLS does not understand it from "
		"position 24: \"+NOTHING\"; the words that it knows: gnutls-cli --list\n");
	refused("cert = leaf.crt\nkey = leaf.key\nca = ca.crt\n"
		"priority = NORMAL:%PROFILE_\n",
		"/test/sallyport.conf:8: service s: priority: \"NORMAL:%PROFILE_\": GnuTLS does "
		"not understand it from position 8: \"%PROFILE_\"; the words that it knows: "
		"gnutls-cli --list\n");
}

static void
every_error_of_every_service_is_told_and_nothing_is_kept(void **state)
{
	(void)state;
	assert_int_equal(load("cert = leaf.crt\nkey = leaf.key\nca = ca.crt\n"
			      "[a]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n"
			      "cert = leaf.crt\nkey = other.key\n"
			      "[b]\nmode = encrypt\naccept = 127.0.0.1:2\nconnect = localhost:1\n"
			      "[c]\nmode = bridge\naccept = 127.0.0.1:3\nconnect = localhost:1\n"
			      "ca = gone.crt\n"),
		-1);
	assert_string_equal(fixture.errors,
		"/test/sallyport.conf:9: service a: key: \"other.key\": it does not belong to the "
		"certificate \"/test/leaf.crt\"\n"
		"/test/sallyport.conf:18: service c: ca: \"gone.crt\": the file was not read\n"
		"/test/sallyport.conf:18: service c: ca: \"gone.crt\": the file was not read\n");
}

static void
the_profile_of_the_priority_is_that_of_the_verification(void **state)
{
	static const struct {
		const char *name;
		gnutls_certificate_verification_profiles_t id;
	} rows[] = {{"MEDIUM", GNUTLS_PROFILE_MEDIUM}, {"HIGH", GNUTLS_PROFILE_HIGH},
		{"VERY_WEAK", GNUTLS_PROFILE_VERY_WEAK},
		{"LOW:%PROFILE_ULTRA", GNUTLS_PROFILE_ULTRA}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char options[256];

		(void)snprintf(options, sizeof(options), "%spriority = NORMAL:%%PROFILE_%s\n", good,
			rows[i].name);
		assert_int_equal(load_client(options), 0);
		assert_int_equal(fixture.services[0]->credentials[SIDE_CONNECT]->verify_flags,
			GNUTLS_PROFILE_TO_VFLAGS(rows[i].id));
		service_unref(fixture.services[0]);
		fixture.services[0] = NULL;
	}
}

static struct credentials *
load_good_client(const char *options)
{
	assert_int_equal(load_client(options), 0);
	return fixture.services[0]->credentials[SIDE_CONNECT];
}

#define PIN "pin = sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void
without_authorities_nothing_is_asked_of_the_chain_nor_of_the_name(void **state)
{
	(void)state;
	struct credentials *credentials =
		load_good_client("cert = leaf.crt\nkey = leaf.key\nca = none\n" PIN);
	assert_null(credentials->trust);
	assert_null(credentials->verified);
	assert_false(credentials->peer_name_wanted);
	assert_int_equal(credentials->policy.pin_count, 1);
}

static void
with_authorities_what_was_found_good_is_remembered(void **state)
{
	char options[256];

	(void)state;
	(void)snprintf(options, sizeof(options), "%s" PIN "allow = any\ndeny = cn:x\n", good);
	struct credentials *credentials = load_good_client(options);
	assert_non_null(credentials->trust);
	assert_non_null(credentials->verified);
	assert_null(credentials->revocation);
	assert_int_equal(credentials->policy.pin_count, 1);
}

static void
nothing_is_remembered_where_that_is_switched_off(void **state)
{
	char options[256];

	(void)state;
	(void)snprintf(options, sizeof(options), "%sremember-chains = no\n", good);
	struct credentials *credentials = load_good_client(options);
	assert_non_null(credentials->trust);
	assert_null(credentials->verified);
}

static void
only_a_connecting_end_chooses_what_it_shows(void **state)
{
	(void)state;
	assert_int_equal(load(three_modes), 0);
	assert_non_null(fixture.services[0]->credentials[SIDE_CONNECT]->choice);
	assert_null(fixture.services[1]->credentials[SIDE_ACCEPT]->choice);
	assert_null(fixture.services[2]->credentials[SIDE_ACCEPT]->choice);
	assert_non_null(fixture.services[2]->credentials[SIDE_CONNECT]->choice);
}

static void
a_key_that_is_elsewhere_need_not_be_there_and_is_slow(void **state)
{
	(void)state;
	assert_int_equal(load(three_modes), 0);
	assert_false(fixture.services[0]->credentials[SIDE_CONNECT]->slow);
	assert_false(fixture.services[1]->credentials[SIDE_ACCEPT]->slow);
	for (size_t i = 0; i < SERVICES_MAX; i++) {
		service_unref(fixture.services[i]);
		fixture.services[i] = NULL;
	}
	files_remove(&fixture.files, "key:/test/leaf.key");
	assert_int_equal(load("key-process = yes\ncert = leaf.crt\nkey = leaf.key\nca = ca.crt\n"
			      "[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = localhost:1\n"
			      "[o]\nmode = offload\naccept = 127.0.0.1:2\nconnect = 127.0.0.1:1\n"),
		0);
	assert_true(fixture.services[0]->credentials[SIDE_CONNECT]->slow);
	assert_true(fixture.services[1]->credentials[SIDE_ACCEPT]->slow);
}

/* Each is the eighth line of a configuration, after those of good. */
static void
every_other_file_is_blamed_by_its_option(void **state)
{
	static const char *const options[] = {"crl", "psk", "ocsp-response"};

	(void)state;
	identities_add_text(&fixture.files, "bad", "hello\n");
	for (size_t i = 0; i < 2 * ARRAY_SIZE(options); i++) {
		const char *option = options[i / 2], *name = i % 2 ? "gone" : "bad";
		bool accepts = strcmp(option, "ocsp-response") == 0;
		char text[512], words[256];

		(void)snprintf(text, sizeof(text),
			"[s]\nmode = %s\naccept = 127.0.0.1:1\nconnect = 127.0.0.1:2\n%s%s = "
			"%s\n%s",
			accepts ? "offload" : "encrypt", good, option, name,
			strcmp(option, "psk") == 0 ? "psk-identity = i\n" : "");
		assert_int_equal(load(text), -1);
		(void)snprintf(words, sizeof(words),
			"/test/sallyport.conf:8: service s: %s: \"%s\": ", option, name);
		if (strncmp(fixture.errors, words, strlen(words)) != 0)
			fail_msg("%s", fixture.errors);
		assert_int_equal(strstr(fixture.errors, "the file was not read") != NULL, i % 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_side_that_speaks_tls_has_credentials_and_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(
			only_a_connecting_side_wants_the_name_of_its_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(services_with_one_ca_share_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			whoever_counted_credentials_keeps_them_and_their_configuration, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_certificate_that_is_none_is_blamed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_that_is_none_is_blamed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_of_another_certificate_is_blamed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_ca_without_a_certificate_is_blamed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_bad_priority_is_told_with_its_position, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_error_of_every_service_is_told_and_nothing_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_profile_of_the_priority_is_that_of_the_verification, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_authorities_nothing_is_asked_of_the_chain_nor_of_the_name, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			with_authorities_what_was_found_good_is_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			nothing_is_remembered_where_that_is_switched_off, setup, teardown),
		cmocka_unit_test_setup_teardown(
			only_a_connecting_end_chooses_what_it_shows, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_that_is_elsewhere_need_not_be_there_and_is_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(
			every_other_file_is_blamed_by_its_option, setup, teardown),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
