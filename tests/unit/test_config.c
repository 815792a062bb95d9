/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "tunnel/config.h"

#define REST	"cert = c\nca = a\n"
#define ENCRYPT "[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n" REST
#define OFFLOAD "[o]\nmode = offload\naccept = *:3\nconnect = 127.0.0.1:4\n" REST
#define BRIDGE	"[b]\nmode = bridge\naccept = *:5\nconnect = h:6\n"

/* Build a configuration from @data, in a file called @name; fails the test with the errors. */
static struct config *
build(const char *name, const char *data)
{
	char *name_copy = strdup(name), *data_copy = strdup(data), *errors = NULL;
	struct config_text text = {.name = name_copy, .data = data_copy, .size = strlen(data)};
	struct config_texts texts = {0};
	struct diag diag;
	size_t size;
	FILE *out = open_memstream(&errors, &size);

	assert_non_null(out);
	assert_int_equal(config_texts_add(&texts, &text, &diag), 0);

	struct config *config = config_new(&texts, out);

	assert_int_equal(fclose(out), 0);
	assert_string_equal(errors, "");
	assert_non_null(config);
	free(errors);
	free(name_copy);
	free(data_copy);
	config_texts_release(&texts);
	return config;
}

/* Collect what @print writes. The caller frees the result with free(). */
static char *
collect(void (*print)(const struct config *config, FILE *out), const struct config *config)
{
	char *data = NULL;
	size_t size;
	FILE *out = open_memstream(&data, &size);

	assert_non_null(out);
	print(config, out);
	assert_int_equal(fclose(out), 0);
	return data;
}

static void
defaults_are_those_of_the_manual(void **state)
{
	struct config *config = build("m", ENCRYPT);
	const struct service_config *service = &config->services[0];
	const struct tls_config *tls = &service->tls[SIDE_CONNECT];

	(void)state;
	assert_null(config->user);
	assert_int_equal(config->workers, 0);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_int_equal(config->log_format, LOG_FORMAT_TEXT);
	assert_string_equal(config->log_target, "stderr");
	assert_int_equal(config->buffer_memory, 512 << 20);
	assert_true(config->drain_timeout == 300);
	assert_int_equal(config->service_count, 1);
	assert_string_equal(service->name, "e");
	assert_int_equal(service->mode, MODE_ENCRYPT);
	assert_int_equal(service->accept_count, 1);
	assert_int_equal(service->accept[0].port, 1);
	assert_string_equal(service->connect[0].host, "h");
	assert_false(service->tls[SIDE_ACCEPT].used);
	assert_null(service->tls[SIDE_ACCEPT].priority);
	assert_true(tls->used);
	assert_string_equal(tls->identities[0].cert, "c");
	assert_string_equal(tls->identities[0].key, "c");
	assert_string_equal(tls->ca, "a");
	assert_int_equal(tls->verify, VERIFY_YES);
	assert_null(tls->peer_name);
	assert_null(tls->server_name);
	assert_int_equal(tls->min_version, TLS_VERSION_1_2);
	assert_int_equal(tls->max_version, TLS_VERSION_1_3);
	assert_non_null(strstr(tls->priority, ":%PROFILE_MEDIUM"));
	assert_true(tls->key_permissions);
	assert_true(tls->handshake_timeout == 10);
	assert_int_equal(tls->truncation, TRUNCATION_ABORT);
	assert_false(service->allow_remote_plaintext);
	assert_true(service->connect_timeout == 10 && service->idle_timeout == 0);
	assert_true(service->half_close_timeout == 3600 && service->keepalive == 60);
	assert_int_equal(service->socket_users_count, 0);
	config_unref(config);
}

static void
every_option_reaches_its_field(void **state)
{
	struct config *config = build("/etc/s/m.conf",
		"user = u\ngroup = g\nworkers = 3\nlog-level = debug\nlog-format = json\n"
		"log-target = log\nbuffer-memory = 32MiB\ndrain-timeout = off\n"
		"[e]\nmode = encrypt\naccept = unix:/a\naccept = unix:@b\nconnect = h:1\nconnect = "
		"[::1]:2\ncert = c\nkey = /k\nca = system\nverify = no\npeer-name = p\n"
		"server-name = s\ntls-min-version = 1.3\npriority = SECURE128\nkey-permissions = "
		"off\n"
		"handshake-timeout = 1500ms\ntruncation = accept\nconnect-timeout = 2s\n"
		"idle-timeout = 3m\nhalf-close-timeout = off\nkeepalive = off\nsocket-mode = 0660\n"
		"socket-owner = 7\nsocket-group = h\nsocket-users = x, y\nsocket-users = z\n"
		"allow-remote-plaintext = yes\n");
	const struct service_config *service = &config->services[0];
	const struct tls_config *tls = &service->tls[SIDE_CONNECT];

	(void)state;
	assert_string_equal(config->user, "u");
	assert_string_equal(config->group, "g");
	assert_int_equal(config->workers, 3);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config->log_format, LOG_FORMAT_JSON);
	assert_string_equal(config->log_target, "/etc/s/log");
	assert_int_equal(config->buffer_memory, 32 << 20);
	assert_true(config->drain_timeout == 0);
	assert_int_equal(service->accept_count, 2);
	assert_int_equal(service->connect_count, 2);
	assert_int_equal(service->connect[1].kind, ADDRESS_IP);
	assert_string_equal(tls->identities[0].cert, "/etc/s/c");
	assert_string_equal(tls->identities[0].key, "/k");
	assert_true(tls->ca_is_system);
	assert_null(tls->ca);
	assert_int_equal(tls->verify, VERIFY_NO);
	assert_string_equal(tls->peer_name, "p");
	assert_string_equal(tls->server_name, "s");
	assert_int_equal(tls->min_version, TLS_VERSION_1_3);
	assert_string_equal(tls->priority, "SECURE128:%PROFILE_MEDIUM");
	assert_false(tls->key_permissions);
	assert_true(tls->handshake_timeout == 1.5);
	assert_int_equal(tls->truncation, TRUNCATION_ACCEPT);
	assert_true(service->connect_timeout == 2 && service->idle_timeout == 180);
	assert_true(service->half_close_timeout == 0 && service->keepalive == 0);
	assert_int_equal(service->socket_mode, 0660);
	assert_string_equal(service->socket_owner, "7");
	assert_string_equal(service->socket_group, "h");
	assert_int_equal(service->socket_users_count, 3);
	assert_string_equal(service->socket_users[1], "y");
	assert_string_equal(service->socket_users[2], "z");
	assert_true(service->allow_remote_plaintext);
	config_unref(config);
}

static void
none_is_not_a_name(void **state)
{
	struct config *config = build("d/m",
		"[e]\nmode = encrypt\naccept = unix:/x\nconnect = unix:/y\n"
		"cert = none\nca = none\nverify = no\npeer-name = none\n"
		"server-name = none\n");
	const struct tls_config *tls = &config->services[0].tls[SIDE_CONNECT];

	(void)state;
	assert_int_equal(tls->identity_count, 0);
	assert_null(tls->ca);
	assert_false(tls->ca_is_system);
	assert_null(tls->peer_name);
	assert_true(tls->peer_name_is_none);
	assert_null(tls->server_name);
	assert_true(tls->server_name_is_none);
	config_unref(config);
}

static void
a_profile_of_the_user_is_kept(void **state)
{
	struct config *config = build("m", ENCRYPT "priority = NORMAL:%profile_high\n");

	(void)state;
	assert_string_equal(config->services[0].tls[SIDE_CONNECT].priority, "NORMAL:%profile_high");
	config_unref(config);
}

static void
verification_that_is_off_needs_no_ca(void **state)
{
	struct config *config = build("m",
		"[o]\nmode = offload\naccept = *:1\nconnect = localhost:2\n"
		"cert = c\nverify = no\n");

	(void)state;
	assert_null(config->services[0].tls[SIDE_ACCEPT].ca);
	config_unref(config);
}

static void
remote_plaintext_is_carried_when_it_is_allowed(void **state)
{
	struct config *config = build("m",
		"allow-remote-plaintext = yes\n"
		"[e]\nmode = encrypt\naccept = *:1\nconnect = h:2\n" REST
		"[o]\nmode = offload\naccept = *:2\nconnect = h:2\n" REST);

	(void)state;
	assert_true(config->services[0].allow_remote_plaintext);
	assert_true(config->services[1].allow_remote_plaintext);
	config_unref(config);
}

static void
the_first_hit_wins(void **state)
{
	struct config *config = build("m",
		"cert = c\nca = a\naccept-handshake-timeout = 3s\nhandshake-timeout = 4s\n"
		"connect-ca = b\nidle-timeout = 9s\nconnect-remember-chains = no\n" BRIDGE
		"connect-handshake-timeout = 1s\n"
		"[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\nhandshake-timeout = 2s\n"
		"idle-timeout = 8s\n"
		"[f]\nmode = encrypt\naccept = 127.0.0.1:2\nconnect = h:2\n");
	const struct service_config *service = config->services;

	(void)state;
	assert_true(service[0].tls[SIDE_ACCEPT].handshake_timeout == 3);
	assert_true(service[0].tls[SIDE_CONNECT].handshake_timeout == 1);
	assert_string_equal(service[0].tls[SIDE_ACCEPT].ca, "a");
	assert_string_equal(service[0].tls[SIDE_CONNECT].ca, "b");
	assert_true(service[0].tls[SIDE_ACCEPT].remember_chains);
	assert_false(service[0].tls[SIDE_CONNECT].remember_chains);
	assert_true(service[0].idle_timeout == 9);
	assert_true(service[1].tls[SIDE_CONNECT].handshake_timeout == 2);
	assert_string_equal(service[1].tls[SIDE_CONNECT].ca, "b");
	assert_true(service[1].idle_timeout == 8);
	assert_true(service[2].tls[SIDE_CONNECT].handshake_timeout == 4);
	config_unref(config);
}

static void
a_certificate_is_inherited_with_its_key(void **state)
{
	struct config *config = build("m",
		"cert = pc\nkey = pk\nca = a\n" BRIDGE "accept-cert = bc\n"
		"[e]\nmode = encrypt\naccept = 127.0.0.1:1\nconnect = h:2\n"
		"cert = ec\n");
	const struct service_config *service = config->services;

	(void)state;
	assert_string_equal(service[0].tls[SIDE_ACCEPT].identities[0].cert, "bc");
	assert_string_equal(service[0].tls[SIDE_ACCEPT].identities[0].key, "bc");
	assert_string_equal(service[0].tls[SIDE_CONNECT].identities[0].cert, "pc");
	assert_string_equal(service[0].tls[SIDE_CONNECT].identities[0].key, "pk");
	assert_string_equal(service[1].tls[SIDE_CONNECT].identities[0].key, "ec");
	config_unref(config);
}

static void
a_list_replaces_the_inherited_one(void **state)
{
	struct config *config = build("m",
		"socket-users = p,q\n"
		"[a]\nmode = encrypt\naccept = unix:@a\nconnect = h:2\n" REST
		"[b]\nmode = encrypt\naccept = unix:@b\nconnect = h:2\n" REST "socket-users = r\n");

	(void)state;
	assert_int_equal(config->services[0].socket_users_count, 2);
	assert_int_equal(config->services[1].socket_users_count, 1);
	assert_string_equal(config->services[1].socket_users[0], "r");
	config_unref(config);
}

static void
defaults_pass_over_services_they_are_not_for(void **state)
{
	struct config *config =
		build("m", "peer-name = p\nverify = no\n" ENCRYPT OFFLOAD BRIDGE REST);

	(void)state;
	assert_string_equal(config->services[0].tls[SIDE_CONNECT].peer_name, "p");
	assert_null(config->services[1].tls[SIDE_ACCEPT].peer_name);
	assert_int_equal(config->services[1].tls[SIDE_ACCEPT].verify, VERIFY_NO);
	assert_int_equal(config->services[2].tls[SIDE_ACCEPT].verify, VERIFY_YES);
	assert_string_equal(config->services[2].tls[SIDE_CONNECT].peer_name, "p");
	config_unref(config);
}

static void
what_is_printed_reads_the_same(void **state)
{
	struct config *config = build("/e/m",
		"workers = 2\nidle-timeout = 90s\ndeny = cn:x\n" ENCRYPT OFFLOAD BRIDGE
		"accept-cert = x\nconnect-cert = none\nca = y\naccept-verify = optional\n"
		"connect-verify = no\n[u]\nmode = encrypt\naccept = unix:/x\naccept = unix:@y\n"
		"connect = h:1\nsocket-users = a,b\nsocket-users = c\ncert = c\nca = system\n"
		"[g]\nmode = offload\naccept = *:7\nconnect = [::1]:1\nca = a\ncert = c\ncert = d\n"
		"key = k\nkey = pkcs11:object=l\ndeny = cn:y\nallow = any\nsni = a, default\n"
		"[h]\nmode = encrypt\naccept = unix:@h\nconnect = h:1\npsk = p\npsk-identity = "
		"i\n");
	char *first = collect(config_print, config);
	struct config *again = build("m2", first);
	char *second = collect(config_print, again);
	char *a = first, *b = second;

	(void)state;
	assert_non_null(strstr(first, "# /e/m:2\nidle-timeout = 90s\n"));
	assert_non_null(strstr(first, "# /e/m:1\nworkers = 2\n"));
	assert_non_null(strstr(first, "# default\nlog-level = info\n"));
	assert_non_null(strstr(first, "ca = /e/y\n"));
	assert_non_null(strstr(first, "key = /e/k\n# /e/m:"));
	assert_non_null(strstr(first, "key = pkcs11:object=l\n"));
	assert_non_null(strstr(first, "deny = cn:y\n# /e/m:3\ndeny = cn:x\n"));
	for (char *x, *y; (x = strsep(&a, "\n")) && (y = strsep(&b, "\n"));) {
		if (*x != '#')
			assert_string_equal(x, y);
	}
	assert_ptr_equal(a, b);
	free(first);
	free(second);
	config_unref(config);
	config_unref(again);
}

static void
everything_less_safe_is_warned_of(void **state)
{
	struct config *config = build("m",
		ENCRYPT "verify = no\nkey-permissions = off\n" OFFLOAD
			"verify = optional\nallow-remote-plaintext = yes\n"
			"[p]\nmode = offload\naccept = *:9\nconnect = "
			"127.0.0.1:4\nverify = no\n" REST);
	char *warnings = collect(config_print_warnings, config);

	(void)state;
	assert_string_equal(warnings,
		"m:7: service e: verify: \"no\" trusts every server: neither its certificate nor "
		"its "
		"name is checked\n"
		"m:8: service e: key-permissions: \"off\" leaves it open who else can read the "
		"private "
		"key\n"
		"m:15: service o: verify: \"optional\" lets clients in that show no certificate\n"
		"m:16: service o: allow-remote-plaintext: \"yes\" lets plaintext leave this "
		"machine, "
		"where others can read and change it\n"
		"m:21: service p: verify: \"no\" lets everybody in: clients are not asked for a "
		"certificate\n");
	free(warnings);
	config_unref(config);

	config = build("m", ENCRYPT OFFLOAD "crl = l\ncrl-missing = accept\n");
	warnings = collect(config_print_warnings, config);
	assert_string_equal(warnings,
		"m:14: service o: crl-missing: \"accept\" believes in every certificate whose "
		"issuer has no list\n");
	free(warnings);
	config_unref(config);

	config = build("m", ENCRYPT OFFLOAD "crl = l\n");
	warnings = collect(config_print_warnings, config);
	assert_string_equal(warnings, "");
	free(warnings);
	config_unref(config);
}

static void
a_value_that_fails_later_is_blamed_by_its_line(void **state)
{
	struct config *config =
		build("d/m", ENCRYPT "priority = NORML\n" BRIDGE REST "accept-ca = b\n");
	struct diag diag;

	(void)state;
	(void)diag_set(&diag, "syntax");
	config_blame(config, &config->services[0], SIDE_CONNECT, "priority", &diag);
	assert_string_equal(diag.text, "d/m:7: service e: priority: \"NORML\": syntax");
	(void)diag_set(&diag, "empty");
	config_blame(config, &config->services[1], SIDE_ACCEPT, "ca", &diag);
	assert_string_equal(diag.text, "d/m:14: service b: accept-ca: \"b\": empty");
	(void)diag_set(&diag, "no key");
	config_blame(config, &config->services[1], SIDE_CONNECT, "key", &diag);
	assert_string_equal(diag.text, "d/m:12: service b: cert: \"c\": no key");
	config_unref(config);
}

static void
a_configuration_lives_until_its_last_reference(void **state)
{
	struct config *config = build("m", ENCRYPT);

	(void)state;
	assert_ptr_equal(config_ref(config), config);
	config_unref(config);
	assert_string_equal(config->services[0].name, "e");
	config_unref(config);
	config_unref(NULL);
}

static void
print_sample(const struct config *config, FILE *out)
{
	(void)config;
	config_print_sample(out);
}

static void
the_sample_loads(void **state)
{
	char *sample = collect(print_sample, NULL);
	struct config *config = build("sample", sample);

	(void)state;
	assert_int_equal(config->service_count, 2);
	assert_int_equal(config->services[1].mode, MODE_OFFLOAD);
	free(sample);
	config_unref(config);
}

static void
every_option_of_identity_and_policy_reaches_its_field(void **state)
{
	struct config *config = build("/e/m",
		"key-process = yes\nreload-on-change = yes\nbusy-wait = no\n" OFFLOAD
		"key = pkcs11:object=k\npassword-file = pw\npin-source = pin\nocsp-response = "
		"staple\n"
		"sni = x\nalpn = h2\nallow = any\ndeny = cn:x\n"
		"pin = sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		"crl = lists\ncrl-missing = accept\npsk = /k\nticket-lifetime = 1h\n"
		"ticket-keys = tk\nremember-chains = no\n" ENCRYPT
		"psk = pk\npsk-identity = i\nocsp = require\ntickets = no\n");
	const struct tls_config *tls = &config->services[0].tls[SIDE_ACCEPT];

	(void)state;
	assert_int_equal(config->key_process, KEY_PROCESS_YES);
	assert_true(config->reload_on_change);
	assert_false(config->busy_wait);
	assert_string_equal(tls->identities[0].key, "pkcs11:object=k");
	assert_string_equal(tls->password_file, "/e/pw");
	assert_string_equal(tls->pin_source, "/e/pin");
	assert_string_equal(tls->ocsp_response, "/e/staple");
	assert_string_equal(tls->sni.list[0], "x");
	assert_string_equal(tls->alpn.list[0], "h2");
	assert_string_equal(tls->allow.list[0], "any");
	assert_string_equal(tls->deny.list[0], "cn:x");
	assert_int_equal(tls->pins.count, 1);
	assert_string_equal(tls->crl, "/e/lists");
	assert_int_equal(tls->crl_missing, CRL_MISSING_ACCEPT);
	assert_string_equal(tls->psk, "/k");
	assert_true(tls->tickets && tls->ticket_lifetime == 3600);
	assert_string_equal(tls->ticket_keys, "/e/tk");
	assert_false(tls->remember_chains);
	tls = &config->services[1].tls[SIDE_CONNECT];
	assert_string_equal(tls->psk, "/e/pk");
	assert_string_equal(tls->psk_identity, "i");
	assert_int_equal(tls->ocsp, OCSP_REQUIRE);
	assert_false(tls->tickets);
	config_unref(config);
}

static void
identity_and_policy_are_strict_by_default(void **state)
{
	struct config *config = build("m", OFFLOAD ENCRYPT);
	const struct tls_config *tls = &config->services[0].tls[SIDE_ACCEPT];

	(void)state;
	assert_int_equal(config->key_process, KEY_PROCESS_AUTO);
	assert_false(config->reload_on_change);
	assert_true(config->busy_wait);
	assert_int_equal(tls->crl_missing, CRL_MISSING_REFUSE);
	assert_true(tls->tickets && tls->ticket_lifetime == 6 * 3600);
	assert_true(tls->remember_chains);
	assert_int_equal(tls->allow.count + tls->deny.count + tls->pins.count, 0);
	assert_int_equal(tls->sni.count + tls->alpn.count, 0);
	assert_true(!tls->sni_is_default && !tls->psk && !tls->crl && !tls->ticket_keys);
	assert_int_equal(config->services[1].tls[SIDE_CONNECT].ocsp, OCSP_CHECK);
	config_unref(config);
}

static void
the_value_that_fails_is_blamed_among_several(void **state)
{
	struct config *config = build("m", ENCRYPT "cert = d\n");
	struct diag diag;

	(void)state;
	(void)diag_set(&diag, "bad");
	config_blame_nth(config, &config->services[0], SIDE_CONNECT, "key", 1, &diag);
	assert_string_equal(diag.text, "m:7: service e: cert: \"d\": bad");
	config_unref(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_manual),
		cmocka_unit_test(every_option_reaches_its_field),
		cmocka_unit_test(none_is_not_a_name),
		cmocka_unit_test(a_profile_of_the_user_is_kept),
		cmocka_unit_test(verification_that_is_off_needs_no_ca),
		cmocka_unit_test(remote_plaintext_is_carried_when_it_is_allowed),
		cmocka_unit_test(the_first_hit_wins),
		cmocka_unit_test(a_certificate_is_inherited_with_its_key),
		cmocka_unit_test(a_list_replaces_the_inherited_one),
		cmocka_unit_test(defaults_pass_over_services_they_are_not_for),
		cmocka_unit_test(what_is_printed_reads_the_same),
		cmocka_unit_test(everything_less_safe_is_warned_of),
		cmocka_unit_test(a_value_that_fails_later_is_blamed_by_its_line),
		cmocka_unit_test(a_configuration_lives_until_its_last_reference),
		cmocka_unit_test(the_sample_loads),
		cmocka_unit_test(every_option_of_identity_and_policy_reaches_its_field),
		cmocka_unit_test(identity_and_policy_are_strict_by_default),
		cmocka_unit_test(the_value_that_fails_is_blamed_among_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
