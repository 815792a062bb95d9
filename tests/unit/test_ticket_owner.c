/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/config.h"
#include "tunnel/ticket_owner.h"

static const struct identity_config identities[] = {{"/a.crt", "/a.key"}, {"/b.crt", "/b.key"}};
static const char *const one[] = {"x"};
static const uint8_t anchors[FINGERPRINT_SIZE] = {1}, others[FINGERPRINT_SIZE] = {2};

static const struct tls_config plain = {
	.identities = identities,
	.identity_count = 1,
	.psk = "/psk",
	.psk_identity = "west",
	.priority = "NORMAL",
	.verify = VERIFY_YES,
	.max_version = TLS_VERSION_1_3,
};

static struct files files;

static void
add(struct files *to, const char *path, const char *data)
{
	struct diag diag;

	assert_int_equal(files_add(to, path, data, strlen(data), &diag), 0);
}

static int
setup(void **state)
{
	(void)state;
	add(&files, "/a.crt", "certificate a");
	add(&files, "/b.crt", "certificate b");
	add(&files, "/psk", "west:00");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	files_release(&files);
	return 0;
}

static bool
differs(const struct tls_config *config, const struct files *in, const uint8_t *trust)
{
	uint8_t a[FINGERPRINT_SIZE], b[FINGERPRINT_SIZE];

	ticket_owner_digest(&plain, &files, anchors, a);
	ticket_owner_digest(config, in, trust, b);
	return memcmp(a, b, sizeof(a)) != 0;
}

static void
the_same_content_under_other_names_is_the_same_owner(void **state)
{
	static const struct identity_config elsewhere = {"/c.crt", "/c.key"};
	struct tls_config config = plain;
	struct files moved = {0};

	(void)state;
	add(&moved, "/c.crt", "certificate a");
	add(&moved, "/psk2", "west:00");
	config.identities = &elsewhere;
	config.psk = "/psk2";
	assert_false(differs(&config, &moved, anchors));
	files_release(&moved);
}

static void
changed_contents_are_another_owner(void **state)
{
	struct tls_config config = plain;
	struct files changed = {0};

	(void)state;
	add(&changed, "/a.crt", "certificate A");
	add(&changed, "/psk", "west:00");
	assert_true(differs(&plain, &changed, anchors));
	files_release(&changed);
	add(&changed, "/a.crt", "certificate a");
	add(&changed, "/psk", "west:01");
	assert_true(differs(&plain, &changed, anchors));
	files_release(&changed);
	add(&changed, "/a.crt", "certificate a");
	add(&changed, "/psk", "west:00");
	add(&changed, "/crl", "list");
	config.crl = "/crl";
	assert_true(differs(&config, &changed, anchors));
	files_release(&changed);
	config = plain;
	config.identities = &identities[1];
	assert_true(differs(&config, &files, anchors));
	config = plain;
	config.identity_count = 2;
	assert_true(differs(&config, &files, anchors));
	assert_true(differs(&plain, &files, others));
	assert_true(differs(&plain, &files, NULL));
}

static void
every_option_is_another_owner(void **state)
{
	const struct texts texts = {one, 1};
	struct tls_config config[13];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(config); i++)
		config[i] = plain;
	config[0].verify = VERIFY_NO;
	config[1].pins = texts;
	config[2].allow = texts;
	config[3].deny = texts;
	config[4].peer_name = "x";
	config[5].peer_name_is_none = true;
	config[6].ocsp = OCSP_REQUIRE;
	config[7].server_name = "x";
	config[8].server_name_is_none = true;
	config[9].alpn = texts;
	config[10].priority = "SECURE256";
	config[11].min_version = TLS_VERSION_1_3;
	config[12].psk_identity = "east";
	for (size_t i = 0; i < ARRAY_SIZE(config); i++) {
		if (!differs(&config[i], &files, anchors))
			fail_msg("%zu", i);
	}
	config[0] = plain;
	config[0].max_version = TLS_VERSION_1_2;
	assert_true(differs(&config[0], &files, anchors));
}

static void
a_key_is_of_one_target_and_name(void **state)
{
	uint8_t digest[FINGERPRINT_SIZE] = {1}, a[FINGERPRINT_SIZE], b[FINGERPRINT_SIZE];

	(void)state;
	ticket_owner_key(digest, "192.0.2.1:1", "x", a);
	ticket_owner_key(digest, "192.0.2.1:1", "x", b);
	assert_memory_equal(a, b, sizeof(a));
	ticket_owner_key(digest, "192.0.2.1:2", "x", b);
	assert_memory_not_equal(a, b, sizeof(a));
	ticket_owner_key(digest, "192.0.2.1:1", "y", b);
	assert_memory_not_equal(a, b, sizeof(a));
	ticket_owner_key(digest, "192.0.2.1:1", NULL, b);
	assert_memory_not_equal(a, b, sizeof(a));
	ticket_owner_key(digest, "192.0.2.1:1x", "", b);
	assert_memory_not_equal(a, b, sizeof(a));
	digest[0] = 2;
	ticket_owner_key(digest, "192.0.2.1:1", "x", b);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_content_under_other_names_is_the_same_owner),
		cmocka_unit_test(changed_contents_are_another_owner),
		cmocka_unit_test(every_option_is_another_owner),
		cmocka_unit_test(a_key_is_of_one_target_and_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
