/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "tests/unit/resolving.h"

#define OFFLOAD "[o]\nmode = offload\naccept = *:1\nconnect = 127.0.0.1:2\n"
#define BRIDGE	"[b]\nmode = bridge\naccept = *:1\nconnect = h:2\n"
#define ENCRYPT "[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n"

static struct assignment *
picked(size_t service, const char *name, enum side side)
{
	assert_in_range(service, 0, resolving.resolved.config.service_count - 1);
	return picks_get(&resolving.resolved.picks[service], name, side);
}

static const char *
value_of(size_t service, const char *name, enum side side)
{
	const struct assignment *assignment = picked(service, name, side);

	return assignment ? assignment->subject.value : "default";
}

static struct assignment *
written(const struct scope *scope, const char *name)
{
	enum side side;
	const struct option *option = options_find(name, &side);

	assert_non_null(option);
	return scope->written[options_index(option)][side];
}

/* Write the @levels furthest out of the four that a value can stand on. */
static void
start_levels(size_t levels)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s\n%s\n" OFFLOAD "%s\n%s\n",
		levels > 0 ? "handshake-timeout = 1s" : "",
		levels > 1 ? "accept-handshake-timeout = 2s" : "",
		levels > 2 ? "handshake-timeout = 3s" : "",
		levels > 3 ? "accept-handshake-timeout = 4s" : "");
	resolving_start("m", text);
}

static void
the_pick_is_the_nearest_of_four_levels_then_the_default(void **state)
{
	static const char *const values[] = {"default", "1s", "2s", "3s", "4s"};
	static const double seconds[] = {10, 1, 2, 3, 4};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		start_levels(i);
		assert_string_equal(value_of(0, "handshake-timeout", SIDE_ACCEPT), values[i]);
		assert_true(
			resolving.resolved.config.services[0].tls[SIDE_ACCEPT].handshake_timeout ==
			seconds[i]);
		assert_null(picked(0, "handshake-timeout", SIDE_CONNECT));
	}
}

static void
what_stands_further_out_than_the_pick_is_not_used(void **state)
{
	const struct statements *statements = &resolving.resolved.statements;

	(void)state;
	start_levels(4);
	assert_true(written(statements->services, "accept-handshake-timeout")->is_used);
	assert_false(written(statements->services, "handshake-timeout")->is_used);
	assert_false(written(&statements->program, "accept-handshake-timeout")->is_used);
	assert_false(written(&statements->program, "handshake-timeout")->is_used);
}

static void
a_default_is_used_if_one_of_the_services_takes_it(void **state)
{
	const struct scope *program = &resolving.resolved.statements.program;

	(void)state;
	resolving_start("m",
		"keepalive = 1s\nidle-timeout = 1s\n" ENCRYPT "keepalive = 2s\n"
		"idle-timeout = 2s\n" OFFLOAD "idle-timeout = 2s\n");
	assert_true(written(program, "keepalive")->is_used);
	assert_false(written(program, "idle-timeout")->is_used);
}

static void
a_list_is_picked_and_used_as_a_whole(void **state)
{
	(void)state;
	resolving_start("m", ENCRYPT "accept = unix:/a\naccept = [::1]:1\n");
	const struct assignment *accept = picked(0, "accept", SIDE_ACCEPT);
	const struct service_config *service = &resolving.resolved.config.services[0];
	assert_int_equal(service->accept_count, 3);
	for (size_t i = 0; i < 3; i++, accept = accept->again)
		assert_true(accept->is_used);
	assert_null(accept);
	assert_int_equal(service->accept[0].kind, ADDRESS_IP);
	assert_int_equal(service->accept[1].kind, ADDRESS_UNIX);
	assert_string_equal(service->accept[2].host, "::1");
}

static void
an_option_without_sides_is_the_same_from_either(void **state)
{
	(void)state;
	resolving_start("m", ENCRYPT "keepalive = 3s\n");
	assert_string_equal(value_of(0, "keepalive", SIDE_ACCEPT), "3s");
	assert_ptr_equal(picked(0, "keepalive", SIDE_CONNECT), picked(0, "keepalive", SIDE_ACCEPT));
}

static void
nothing_is_picked_for_a_plaintext_side(void **state)
{
	(void)state;
	resolving_start("m", "accept-ca = x\nca = y\n" ENCRYPT);
	const struct service_config *service = &resolving.resolved.config.services[0];
	assert_null(picked(0, "ca", SIDE_ACCEPT));
	assert_string_equal(value_of(0, "ca", SIDE_CONNECT), "y");
	assert_false(written(&resolving.resolved.statements.program, "accept-ca")->is_used);
	assert_false(service->tls[SIDE_ACCEPT].used);
	assert_true(service->tls[SIDE_ACCEPT].handshake_timeout == 0);
}

static void
a_bridge_takes_verify_only_with_its_side(void **state)
{
	(void)state;
	resolving_start("m",
		"verify = optional\naccept-verify = no\n" BRIDGE "verify = optional\n" OFFLOAD);
	assert_string_equal(value_of(0, "verify", SIDE_ACCEPT), "no");
	assert_string_equal(value_of(0, "verify", SIDE_CONNECT), "default");
	assert_int_equal(
		resolving.resolved.config.services[0].tls[SIDE_CONNECT].verify, VERIFY_YES);
	assert_false(written(resolving.resolved.statements.services, "verify")->is_used);
	resolving_start("m", "verify = optional\n" OFFLOAD);
	assert_string_equal(value_of(0, "verify", SIDE_ACCEPT), "optional");
}

static void
a_key_hides_every_certificate_that_stands_further_out(void **state)
{
	(void)state;
	resolving_start("m", "cert = pc\n" BRIDGE "cert = c\nconnect-key = k\n");
	assert_string_equal(value_of(0, "cert", SIDE_ACCEPT), "c");
	assert_null(picked(0, "key", SIDE_ACCEPT));
	assert_null(picked(0, "cert", SIDE_CONNECT));
	assert_string_equal(value_of(0, "key", SIDE_CONNECT), "k");
}

static void
a_certificate_hides_every_key_that_stands_further_out(void **state)
{
	(void)state;
	resolving_start(
		"m", "connect-cert = pc\nkey = pk\n" ENCRYPT "[f]\nmode = encrypt\ncert = c\n");
	assert_string_equal(value_of(0, "cert", SIDE_CONNECT), "pc");
	assert_null(picked(0, "key", SIDE_CONNECT));
	assert_string_equal(value_of(1, "cert", SIDE_CONNECT), "c");
	assert_null(picked(1, "key", SIDE_CONNECT));
}

static void
a_path_starts_where_its_file_is_and_a_word_nowhere(void **state)
{
	static const struct {
		const char *file, *written, *path;
	} rows[] = {
		{"/d/m", "a", "/d/a"},
		{"d/e/m", "../a", "d/e/../a"},
		{"d/m", "/a", "/a"},
		{"m", "x/a", "x/a"},
		{"/d/m", "none", NULL},
		{"/d/m", "./none", "/d/./none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[256];

		(void)snprintf(text, sizeof(text),
			"log-target = syslog\n" ENCRYPT "ca = %s\nserver-name = p\n",
			rows[i].written);
		resolving_start(rows[i].file, text);
		const struct config *config = &resolving.resolved.config;
		const struct tls_config *tls = &config->services[0].tls[SIDE_CONNECT];
		assert_string_equal(tls->ca ? tls->ca : "", rows[i].path ? rows[i].path : "");
		assert_string_equal(tls->server_name, "p");
		assert_string_equal(config->log_target, "syslog");
	}
}

static void
a_path_of_flags_starts_at_the_working_directory(void **state)
{
	(void)state;
	resolving_start("d/flags", ENCRYPT "ca = x/a\n");
	assert_string_equal(resolving.resolved.config.services[0].tls[SIDE_CONNECT].ca, "d/x/a");
	resolving_start(NULL, ENCRYPT "ca = x/a\n");
	assert_string_equal(resolving.resolved.config.services[0].tls[SIDE_CONNECT].ca, "x/a");
}

static void
a_value_that_was_complained_about_spoils_its_option_alone(void **state)
{
	(void)state;
	resolving_start("m",
		ENCRYPT "accept = nonsense\naccept = unix:/a\nidle-timeout = x\nkeepalive = 5s\n");
	const struct picks *picks = &resolving.resolved.picks[0];
	const struct service_config *service = &resolving.resolved.config.services[0];
	assert_true(picks_are_spoilt(picks, "accept", SIDE_ACCEPT));
	assert_true(picks_are_spoilt(picks, "idle-timeout", SIDE_CONNECT));
	assert_false(picks_are_spoilt(picks, "keepalive", SIDE_ACCEPT));
	assert_false(picks_are_spoilt(picks, "connect-timeout", SIDE_ACCEPT));
	assert_int_equal(service->accept_count, 2);
	assert_string_equal(service->accept[1].host, "/a");
	assert_true(service->idle_timeout == 0 && service->keepalive == 5);
}

static void
a_service_without_a_known_mode_is_left_out(void **state)
{
	const struct resolved *resolved = &resolving.resolved;

	(void)state;
	resolving_start("m", "[x]\naccept = *:1\n[y]\nmode = z\n" OFFLOAD "[w]\n");
	assert_int_equal(resolved->statements.service_count, 4);
	assert_int_equal(resolved->config.service_count, 1);
	assert_string_equal(resolved->config.services[0].name, "o");
	assert_string_equal(resolved->picks[0].scope->subject.service, "o");
	assert_int_equal(resolved->config.services[0].mode, MODE_OFFLOAD);
	assert_string_equal(resolving_tell(),
		"m:1: service x: mode: is missing; write mode = encrypt, offload or bridge\n"
		"m:9: service w: mode: is missing; write mode = encrypt, offload or bridge\n");
}

static void
options_of_the_program_are_picked_without_any_service(void **state)
{
	enum side side;
	const struct resolved *resolved = &resolving.resolved;

	(void)state;
	resolving_start("m", "workers = 3\n");
	const struct assignment *workers =
		resolved->picked[options_index(options_find("workers", &side))];
	assert_string_equal(workers->subject.value, "3");
	assert_true(workers->is_used);
	assert_int_equal(resolved->config.workers, 3);
	assert_null(resolved->picked[options_index(options_find("drain-timeout", &side))]);
	assert_true(resolved->config.drain_timeout == 300);
	assert_ptr_equal(resolved_of(&resolved->config), resolved);
}

/* Do the @texts have the @count elements of @expected? */
static void
assert_texts(const struct texts *texts, size_t count, const char *const *expected)
{
	assert_int_equal(texts->count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(texts->list[i], expected[i]);
}

static void
what_is_denied_adds_up_from_all_levels(void **state)
{
	static const char *const denied[] = {"cn:1", "cn:2", "cn:3", "cn:4", "cn:5"};
	static const char *const of_accept[] = {"cn:2", "cn:5"};

	(void)state;
	resolving_start("m",
		"deny = cn:5\naccept-deny = cn:4\n" OFFLOAD
		"deny = cn:3\naccept-deny = cn:1\naccept-deny = cn:2\n");
	const struct tls_config *tls = &resolving.resolved.config.services[0].tls[SIDE_ACCEPT];
	assert_texts(&tls->deny, 5, denied);
	for (const struct scope *scope = &resolving.resolved.statements.program; scope;
		scope = scope == resolving.resolved.statements.services
			? NULL
			: resolving.resolved.statements.services)
		assert_true(
			written(scope, "accept-deny")->is_used && written(scope, "deny")->is_used);
	resolving_start("m",
		"deny = cn:1\naccept-deny = cn:5\n" BRIDGE "accept-deny = cn:2\ndeny = cn:3\n");
	tls = resolving.resolved.config.services[0].tls;
	assert_texts(&tls[SIDE_ACCEPT].deny, 2, of_accept);
	assert_int_equal(tls[SIDE_CONNECT].deny.count, 0);
	assert_false(written(resolving.resolved.statements.services, "deny")->is_used);
}

static void
who_is_allowed_is_said_by_the_nearest_level(void **state)
{
	static const char *const allowed[] = {"cn:2", "cn:3, cn:x\\,y"};

	(void)state;
	resolving_start(
		"m", "allow = cn:1\n" OFFLOAD "allow = cn:2\nallow = cn:3, cn:x\\,y\n" ENCRYPT);
	const struct service_config *services = resolving.resolved.config.services;
	assert_texts(&services[0].tls[SIDE_ACCEPT].allow, 2, allowed);
	assert_int_equal(services[1].tls[SIDE_CONNECT].allow.count, 1);
}

static void
certificates_and_keys_are_paired_in_their_order(void **state)
{
	(void)state;
	resolving_start("d/m",
		OFFLOAD "cert = c\nkey = k\nkey = pkcs11:object=l\ncert = /e\n" ENCRYPT
			"cert = c\ncert = pkcs11:object=c\n");
	const struct tls_config *offload = &resolving.resolved.config.services[0].tls[SIDE_ACCEPT];
	const struct tls_config *encrypt = &resolving.resolved.config.services[1].tls[SIDE_CONNECT];
	assert_int_equal(offload->identity_count, 2);
	assert_string_equal(offload->identities[0].cert, "d/c");
	assert_string_equal(offload->identities[0].key, "d/k");
	assert_string_equal(offload->identities[1].cert, "/e");
	assert_string_equal(offload->identities[1].key, "pkcs11:object=l");
	assert_int_equal(encrypt->identity_count, 2);
	assert_string_equal(encrypt->identities[0].key, "d/c");
	assert_string_equal(encrypt->identities[1].cert, "pkcs11:object=c");
	assert_string_equal(encrypt->identities[1].key, "pkcs11:object=c");
}

static void
lists_keep_their_order_and_default_is_no_name(void **state)
{
	static const char *const protocols[] = {"h2", "http/1.1"};
	static const char *const names[] = {"a.x", "*.x"};

	(void)state;
	resolving_start("m", OFFLOAD "alpn = h2,  http/1.1\nsni = a.x, default, *.x\n" OFFLOAD);
	const struct tls_config *tls = &resolving.resolved.config.services[0].tls[SIDE_ACCEPT];
	assert_texts(&tls->alpn, 2, protocols);
	assert_texts(&tls->sni, 2, names);
	assert_true(tls->sni_is_default);
	resolving_start("m", OFFLOAD "sni = defaults\n");
	tls = &resolving.resolved.config.services[0].tls[SIDE_ACCEPT];
	assert_int_equal(tls->sni.count, 1);
	assert_false(tls->sni_is_default);
}

#define TEST(claim) cmocka_unit_test_teardown(claim, resolving_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_pick_is_the_nearest_of_four_levels_then_the_default),
		TEST(what_stands_further_out_than_the_pick_is_not_used),
		TEST(a_default_is_used_if_one_of_the_services_takes_it),
		TEST(a_list_is_picked_and_used_as_a_whole),
		TEST(an_option_without_sides_is_the_same_from_either),
		TEST(nothing_is_picked_for_a_plaintext_side),
		TEST(a_bridge_takes_verify_only_with_its_side),
		TEST(a_key_hides_every_certificate_that_stands_further_out),
		TEST(a_certificate_hides_every_key_that_stands_further_out),
		TEST(a_path_starts_where_its_file_is_and_a_word_nowhere),
		TEST(a_path_of_flags_starts_at_the_working_directory),
		TEST(a_value_that_was_complained_about_spoils_its_option_alone),
		TEST(a_service_without_a_known_mode_is_left_out),
		TEST(options_of_the_program_are_picked_without_any_service),
		TEST(what_is_denied_adds_up_from_all_levels),
		TEST(who_is_allowed_is_said_by_the_nearest_level),
		TEST(certificates_and_keys_are_paired_in_their_order),
		TEST(lists_keep_their_order_and_default_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
