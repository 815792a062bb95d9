/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <string.h>

#include "tunnel/ticket_key.h"

static const uint8_t master[64] = {1, 2, 3};
static const uint8_t anchors[FINGERPRINT_SIZE] = {1}, others[FINGERPRINT_SIZE] = {2};
static const char *const one[] = {"a"}, *const two[] = {"a", "b"}, *const joined[] = {"ab"};

static const struct tls_config plain = {
	.priority = "NORMAL",
	.verify = VERIFY_YES,
	.min_version = TLS_VERSION_1_2,
	.max_version = TLS_VERSION_1_3,
	.sni = {one, 1},
	.alpn = {two, 2},
	.pins = {one, 1},
};

static struct ticket_content
content_of(const struct tls_config *config)
{
	return (struct ticket_content){
		.service = "front", .mode = MODE_OFFLOAD, .config = config, .trust = anchors};
}

static void
derive(const struct ticket_content *content, uint8_t key[TICKET_KEY_SIZE])
{
	assert_int_equal(ticket_key_derive(master, sizeof(master), content, key), 0);
}

/* Does @content give another key than the plain one? */
static bool
differs(const struct ticket_content *content)
{
	struct ticket_content base = content_of(&plain);
	uint8_t a[TICKET_KEY_SIZE], b[TICKET_KEY_SIZE];

	derive(&base, a);
	derive(content, b);
	return memcmp(a, b, sizeof(a)) != 0;
}

static bool
config_differs(const struct tls_config *config)
{
	struct ticket_content content = content_of(config);

	return differs(&content);
}

static void
the_same_content_gives_the_same_key(void **state)
{
	/* Equal, and elsewhere in memory. */
	char service[] = "front", priority[] = "NORMAL", name[] = "a";
	const char *const names[] = {name};
	uint8_t trust[FINGERPRINT_SIZE] = {1};
	struct tls_config config = plain;
	struct ticket_content content = content_of(&config);

	(void)state;
	content.service = service;
	content.trust = trust;
	config.priority = priority;
	config.sni.list = names;
	assert_false(differs(&content));
}

static void
a_key_is_made_of_all_the_secret(void **state)
{
	struct ticket_content content = content_of(&plain);
	uint8_t a[TICKET_KEY_SIZE], b[TICKET_KEY_SIZE], other[64];

	(void)state;
	memcpy(other, master, sizeof(other));
	other[63] ^= 1;
	derive(&content, a);
	assert_int_equal(ticket_key_derive(other, sizeof(other), &content, b), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, master, sizeof(a));
	/* GnuTLS takes a name, a cipher's key and a MAC's key out of it. */
	assert_memory_not_equal(a, a + 16, 16);
	assert_memory_not_equal(a + 16, a + 48, 16);
}

static void
sections_and_modes_are_apart(void **state)
{
	struct ticket_content content = content_of(&plain);

	(void)state;
	content.service = "back";
	assert_true(differs(&content));
	content = content_of(&plain);
	content.mode = MODE_BRIDGE;
	assert_true(differs(&content));
}

static void
trust_anchors_and_shared_keys_are_apart(void **state)
{
	struct ticket_content content = content_of(&plain);

	(void)state;
	content.trust = others;
	assert_true(differs(&content));
	content.trust = NULL;
	assert_true(differs(&content));
	content = content_of(&plain);
	content.psk = anchors;
	assert_true(differs(&content));
	/* One is not the other. */
	content.trust = NULL;
	assert_true(differs(&content));
}

static void
every_option_of_the_policy_is_apart(void **state)
{
	struct tls_config config = plain;

	(void)state;
	config.verify = VERIFY_OPTIONAL;
	assert_true(config_differs(&config));
	config = plain;
	config.sni_is_default = true;
	assert_true(config_differs(&config));
	config = plain;
	config.sni = (struct texts){two, 2};
	assert_true(config_differs(&config));
	config = plain;
	config.alpn = (struct texts){joined, 1};
	assert_true(config_differs(&config));
	config = plain;
	config.priority = "SECURE256";
	assert_true(config_differs(&config));
	config = plain;
	config.min_version = TLS_VERSION_1_3;
	assert_true(config_differs(&config));
	config = plain;
	config.max_version = TLS_VERSION_1_2;
	assert_true(config_differs(&config));
	config = plain;
	config.pins = (struct texts){NULL, 0};
	assert_true(config_differs(&config));
	assert_false(config_differs(&plain));
}

static void
a_name_does_not_move_from_one_list_to_the_next(void **state)
{
	struct tls_config a = plain, b = plain;
	uint8_t key_a[TICKET_KEY_SIZE], key_b[TICKET_KEY_SIZE];

	(void)state;
	a.sni = (struct texts){two, 2};
	a.alpn = (struct texts){NULL, 0};
	b.sni = (struct texts){one, 1};
	b.alpn = (struct texts){two + 1, 1};
	struct ticket_content content_a = content_of(&a), content_b = content_of(&b);
	derive(&content_a, key_a);
	derive(&content_b, key_b);
	assert_memory_not_equal(key_a, key_b, sizeof(key_a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_content_gives_the_same_key),
		cmocka_unit_test(a_key_is_made_of_all_the_secret),
		cmocka_unit_test(sections_and_modes_are_apart),
		cmocka_unit_test(trust_anchors_and_shared_keys_are_apart),
		cmocka_unit_test(every_option_of_the_policy_is_apart),
		cmocka_unit_test(a_name_does_not_move_from_one_list_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
